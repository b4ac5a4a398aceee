"""Comparison on normalised values."""

from typing import Any

import pytest

from batchspec.reconcile.change import Reason
from batchspec.reconcile.compare import REMOVED, differences, metadata_differences
from batchspec.reconcile.marks import part_of
from batchspec.reconcile.secrets import NOT_SHOWN
from batchspec.render.model import JsonObject
from batchspec.render.symbolic import symbol

SAME: list[tuple[Any, Any]] = [
    ({"vmSize": "standard_d2s_v3"}, {"vmSize": "STANDARD_D2S_V3"}),
    ({"userIdentity": {"autoUser": {"scope": "pool"}}}, {"userIdentity": {"autoUser": {"scope": "Pool", "more": 1}}}),
    ({"maxWallClockTime": "PT1H"}, {"maxWallClockTime": "PT60M"}),
    ({"maxWallClockTime": "P1D"}, {"maxWallClockTime": "PT24H"}),
    ({"mounts": [], "x": {}, "y": None, "z": False, "zero": 0}, {}),
    ({"password": "p"}, {}),
    ({"registry": {"username": "u", "password": "p"}}, {"registry": {"username": "u"}}),
    ({"httpUrl": symbol("blob_sas_url", "input", "a")}, {"httpUrl": "https://x/input/a?sig=abc"}),
    ({"commandLine": f"run {symbol('secret', 'pw')} now"}, {"commandLine": "run hush\nhush now"}),
    ({"nodeAgentSKUId": symbol("node_agent_sku")}, {"nodeAgentSKUId": "batch.node.ubuntu 24.04"}),
    (
        {"environmentSettings": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]},
        {"environmentSettings": [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}]},
    ),
    ({"pool": {"metadata": [{"name": "batchspec:name", "value": "x"}]}}, {"pool": {}}),
    (
        {"pool": {"metadata": [{"name": "team", "value": "y"}, {"name": "batchspec:auto", "value": "true"}]}},
        {"pool": {"metadata": [{"name": "team", "value": "y"}]}},
    ),
    ({"containerImageNames": ["x", "y"]}, {"containerImageNames": ["y", "x"]}),
    ({"files": [{"filePath": "a"}, {"filePath": "b"}]}, {"files": [{"filePath": "b"}, {"filePath": "a"}]}),
]


@pytest.mark.parametrize(("wanted", "there"), SAME)
def test_what_the_service_fills_in_or_writes_otherwise_is_no_difference(wanted: Any, there: Any) -> None:
    assert list(differences(wanted, there)) == []


DIFFERENT: list[tuple[Any, Any, Reason]] = [
    ({"a": 2}, {"a": 1}, Reason("changed", "a", 1, 2)),
    ({"a": {"b": [{"c": 2}]}}, {"a": {"b": [{"c": 1}]}}, Reason("changed", "a.b[0].c", 1, 2)),
    ({"commandLine": "Run"}, {"commandLine": "run"}, Reason("changed", "commandLine", "run", "Run")),
    ({"vmSize": "x"}, {}, Reason("changed", "vmSize", None, "x")),
    ({"flag": False}, {"flag": True}, Reason("changed", "flag", True, False)),
    ({"retention": "PT1H"}, {"retention": "PT2H"}, Reason("changed", "retention", "PT2H", "PT1H")),
    ({"list": ["x"]}, {"list": ["x", "y"]}, Reason("changed", "list", ["x", "y"], ["x"])),
    (
        {"httpUrl": symbol("blob_sas_url", "input", "a") + "/b"},
        {"httpUrl": "https://x/input/a?sig=abc"},
        Reason("changed", "httpUrl", "https://x/input/a", "<blob_sas_url input a>/b"),
    ),
]


@pytest.mark.parametrize(("wanted", "there", "reason"), DIFFERENT)
def test_a_difference_is_told_at_the_deepest_place(wanted: Any, there: Any, reason: Reason) -> None:
    assert list(differences(wanted, there)) == [reason]


def test_what_is_removed_is_told_after_what_changed() -> None:
    found = list(differences({"b": 1}, {"a": {"x": 1}, "b": 2, "c": []}, removable=frozenset({"a", "b", "c"})))
    assert found == [Reason("changed", "b", 2, 1), Reason(REMOVED, "a", {"x": 1}, None)]


def test_what_is_ignored_is_neither_compared_nor_removed() -> None:
    ignore = frozenset({"a", "b"})
    assert list(differences({"a": 1}, {"a": 2, "b": 3}, removable=frozenset({"b"}), ignore=ignore)) == []


@pytest.mark.parametrize(
    ("wanted", "there"),
    [
        ({"environmentSettings": [{"name": "PW", "value": "plain"}]}, [{"name": "PW", "value": "geheim"}]),
        ({"environmentSettings": []}, [{"name": "PW", "value": "geheim"}]),
        ({"environmentSettings": [{"name": "OTHER", "value": "x"}]}, [{"name": "PW", "value": "geheim"}]),
    ],
)
def test_no_value_that_may_be_a_secret_is_shown(wanted: Any, there: Any) -> None:
    found = list(differences(wanted, {"environmentSettings": there}))
    assert found
    assert "geheim" not in repr(found)


def test_a_text_that_holds_a_secret_is_not_shown() -> None:
    found = list(differences({"commandLine": f"new {symbol('secret', 'pw')}"}, {"commandLine": "old geheim"}))
    assert found == [Reason("changed", "commandLine", NOT_SHOWN, "new <secret pw>")]


def test_what_was_sent_with_a_secret_is_not_shown_when_the_spec_holds_it_no_more() -> None:
    sent = {key: part_of(f"old {symbol('secret', 'pw')}") for key in ("commandLine", "displayName")}
    there: JsonObject = {"commandLine": "old geheim", "displayName": "old geheim"}
    found = list(differences({"commandLine": "new"}, there, parts=sent, removable=frozenset({"displayName"})))
    assert found == [
        Reason("changed", "commandLine", NOT_SHOWN, "new"),
        Reason(REMOVED, "displayName", NOT_SHOWN, None),
    ]


def test_items_of_a_list_are_told_by_their_names() -> None:
    wanted: Any = {
        "environmentSettings": [{"name": "A", "value": "1"}, {"name": "NEW", "value": "x"}, {"name": "BARE"}],
        "resourceFiles": [{"filePath": "a", "httpUrl": "u"}, {"filePath": "b", "httpUrl": "v"}],
    }
    there: Any = {
        "environmentSettings": [{"name": "GONE", "value": "geheim"}, {"name": "A", "value": "2"}],
        "resourceFiles": [{"filePath": "b", "httpUrl": "old"}, {"filePath": "c", "httpUrl": "https://w?sig=geheim"}],
    }
    assert list(differences(wanted, there)) == [
        Reason("changed", "environmentSettings[A]", NOT_SHOWN, "1"),
        Reason("changed", "environmentSettings[NEW]", None, "x"),
        Reason("changed", "environmentSettings[BARE]", None, ""),
        Reason("changed", "environmentSettings[GONE]", NOT_SHOWN, None),
        Reason("changed", "resourceFiles[a]", None, {"filePath": "a", "httpUrl": "u"}),
        Reason("changed", "resourceFiles[b].httpUrl", "old", "v"),
        Reason("changed", "resourceFiles[c]", {"filePath": "c", "httpUrl": "https://w"}, None),
    ]


def test_an_address_is_shown_without_its_sas() -> None:
    there: Any = {"list": [{"url": "get https://a/b?sig=geheim&x=1 and 'https://c?sig=geheim'"}, 1]}
    found = list(differences({"list": []}, there))
    assert found == [Reason("changed", "list", [{"url": "get https://a/b and 'https://c'"}, 1], [])]


def test_metadata_of_a_person_differs_by_name_and_ours_does_not_count() -> None:
    def body(**items: str) -> JsonObject:
        return {"metadata": [{"name": name, "value": value} for name, value in items.items()]}

    there = body(team="x", gone="1", same="2", **{"batchspec:hash": "h"})
    assert list(metadata_differences(body(team="y", new="3", same="2"), there)) == [
        Reason("changed", "metadata.gone", "(not shown)", None),
        Reason("changed", "metadata.new", None, "3"),
        Reason("changed", "metadata.team", "(not shown)", "y"),
    ]
