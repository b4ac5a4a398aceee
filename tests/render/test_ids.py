import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchspec.render.ids import blob_fault, container_fault, id_fault, spec_name_fault, task_id


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("intro", "intro"),
        ("A_b-9", "A_b-9"),
        ("x" * 64, "x" * 64),
        ("a b", "a-b-c8687a08"),
        ("L'été, v1.2", "L-ete-v1-2-97544e13"),
        ("..//x//", "x-f7f9d75f"),
        ("", "e3b0c44298fc1c14"),
        ("日本", "cf2abf0c5be326cb"),
        ("日本 2026", "2026-a6922cfc130de7c7"),
        ("x" * 65, "x" * 47 + "-9537c5fdf120482f"),
    ],
)
def test_a_task_id_is_readable_and_the_same_everywhere(text: str, expected: str) -> None:
    assert task_id(text) == expected


def test_a_hundred_thousand_names_of_other_letters_have_ids_of_their_own() -> None:
    names = [chr(0x4E00 + number // 400) + chr(0x4E00 + number % 400) for number in range(100_000)]
    long = ["a long name that many others begin with, up to the place where an id ends: " + name for name in names]
    assert len({task_id(name).lower() for name in names + long}) == 200_000


@given(st.text())
def test_a_task_id_is_legal_for_any_text_and_stays_once_it_is(text: str) -> None:
    found = task_id(text)
    assert id_fault(found) is None
    assert task_id(found) == found


@given(st.text(), st.text())
def test_different_texts_have_different_task_ids(one: str, other: str) -> None:
    assert (task_id(one) == task_id(other)) == (one == other)


def test_names_that_look_alike_have_different_task_ids() -> None:
    names = ["a b", "a-b", "a.b", "a_b", "a  b", "ä b"]
    assert len({task_id(name) for name in names}) == len(names)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("job-1_A", None),
        ("", "an id cannot be empty; use 1 to 64 letters, digits, - and _"),
        ("x" * 65, "has 65 characters, an id at most 64; shorten it"),
        ("a b.c", "has a space '.', an id only letters, digits, - and _"),
    ],
)
def test_an_illegal_id_is_explained(text: str, expected: str | None) -> None:
    assert id_fault(text) == expected


@pytest.mark.parametrize("text", ["ab", "-abc", "abc-", "a--b", "Abc", "a_b", "x" * 64, "a.b"])
def test_an_illegal_container_name_has_a_fault(text: str) -> None:
    assert container_fault(text) is not None


def test_special_containers_can_only_be_used_not_made() -> None:
    assert container_fault("$web") is not None
    assert container_fault("$web", existing=True) is None
    assert container_fault("abc-1") is None


@pytest.mark.parametrize("text", ["a", "a-b-2", "20240101"])
def test_a_legal_spec_name_has_no_fault(text: str) -> None:
    assert spec_name_fault(text) is None


@pytest.mark.parametrize("text", ["", "A", "a_b", "a--b", "-a", "a-", "x" * 65])
def test_an_illegal_spec_name_has_a_fault(text: str) -> None:
    assert spec_name_fault(text) is not None


@pytest.mark.parametrize("text", ["a", "dir/a b.txt", "été.txt", ".hidden", "a'b\"", "x" * 1024])
def test_a_legal_blob_name_has_no_fault(text: str) -> None:
    assert blob_fault(text) is None


@pytest.mark.parametrize(
    "text",
    ["", "/a", "a/", "a//b", "../a", "a/./b", "a.", "a\\b", "a\nb", "a\0b", "\udcff", "\ue000", "x" * 1025],
)
def test_an_illegal_blob_name_has_a_fault(text: str) -> None:
    assert blob_fault(text) is not None


def test_accents_are_dropped_in_whatever_order_they_stand() -> None:
    found = [
        task_id(text).rpartition("-")[0]
        for text in ("e\u0301\u0323 x", "e\u0323\u0301 x", "\u1ec7\u0301 x", "\ufb01 x")
    ]
    assert found == ["e-x", "e-x", "e-x", "fi-x"]
