"""Marks: owner, fingerprint, task hash."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from batchspec.reconcile.marks import (
    blob_marks,
    hash_of,
    metadata_of,
    metadata_with,
    owner_in,
    owner_of,
    owns,
    sent_with,
    task_hash_of,
)
from batchspec.reconcile.ports import BlobState, ContainerState

POOL: dict[str, Any] = {
    "metadata": [{"name": "batchspec:name", "value": "words"}, {"name": "batchspec:hash", "value": "1f"}, {"n": 1}]
}


def test_a_pool_says_whose_it_is_and_what_it_was_made_from() -> None:
    assert (owner_of(POOL), hash_of(POOL)) == ("words", "1f")


def test_what_carries_no_mark_is_nobody_s() -> None:
    nobody: list[Any] = [None, {}, {"metadata": None}, {"metadata": "odd"}]
    assert [owner_of(one) for one in nobody] == [None] * 4
    assert metadata_of({"metadata": ["odd"]}) == {}


def test_names_of_container_metadata_ignore_case() -> None:
    assert (owner_in({"Batchspec_Name": "words"}), owner_in({"other": "words"})) == ("words", None)


def test_containers_and_blobs_are_owned_by_exactly_one_name() -> None:
    container = ContainerState("c", {"batchspec_name": "words"}, '"1"')
    blob = BlobState("b", 1, None, datetime(2026, 1, 1, tzinfo=UTC), '"1"', {})
    assert (owns("words", container), owns("word", container), owns("words", blob)) == (True, False, False)


def test_the_last_setting_of_the_name_is_the_task_s_hash() -> None:
    settings: list[Any] = [{"name": "BATCHSPEC_TASK_HASH", "value": value} for value in ("words:old", "words:new")]
    assert task_hash_of({"environmentSettings": settings}, "words") == "words:new"
    others: list[Any] = [{}, {"environmentSettings": [{"name": "A"}]}]
    assert [task_hash_of(one, "words") for one in others] == [None, None]


def test_a_task_of_another_spec_in_a_shared_job_is_not_ours() -> None:
    settings: list[Any] = [{"name": "BATCHSPEC_TASK_HASH", "value": "words-2:abc"}]
    assert task_hash_of({"environmentSettings": settings}, "words") is None


def test_metadata_is_added_changed_and_removed_by_name() -> None:
    body: dict[str, Any] = {"metadata": [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}]}
    assert metadata_with(body, {"b": "", "a": "4", "c": "3"}) == [
        {"name": "a", "value": "4"},
        {"name": "c", "value": "3"},
    ]


def test_metadata_of_a_person_stays_as_it_is() -> None:
    given: list[Any] = [
        {"name": "empty", "value": ""},
        {"name": "twice", "value": "1"},
        {"name": "twice", "value": "2"},
    ]
    assert metadata_with({"metadata": given}, {"batchspec:run": "r"}) == [
        *given,
        {"name": "batchspec:run", "value": "r"},
    ]


def test_a_blob_remembers_what_it_was_sent_with() -> None:
    md5 = bytes(16)
    marks = blob_marks("words", md5)
    blob = BlobState("a", 1, b"x" * 16, datetime(2027, 1, 1, tzinfo=UTC), "etag", {"Batchspec_MD5": md5.hex()})

    assert marks == {"batchspec_name": "words", "batchspec_md5": "0" * 32}
    assert sent_with(blob, md5)
    assert not sent_with(blob, b"x" * 16)
    assert not sent_with(replace(blob, metadata={}), md5)
