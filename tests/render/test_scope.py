from pathlib import Path

import pytest

from batchspec.errors import Problem
from batchspec.render import scope as making
from batchspec.render.scope import OMIT, Fault, Findings, Made, Scope, fixed
from batchspec.spec.load import Document, load

TEXT = """\
block: |
  one
    two
folded: >-
  one
  two
plain: three
"""


@pytest.fixture
def document(tmp_path: Path) -> Document:
    (tmp_path / "s.yaml").write_text(TEXT)
    return load(tmp_path / "s.yaml", "s.yaml")


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Fault(("block",), "wrong", 6), Problem("s.yaml", 3, 5, "block", "wrong")),
        (Fault(("folded",), "wrong", 5), Problem("s.yaml", 6, 4, "folded", "wrong")),
        (Fault(("plain",), "wrong", 3), Problem("s.yaml", 7, 11, "plain", "wrong")),
        (Fault(("plain",), "wrong", 9), Problem("s.yaml", 7, 13, "plain", "wrong")),
        (Fault(("block",), "wrong"), Problem("s.yaml", 1, 8, "block", "wrong")),
    ],
)
def test_a_fault_stands_at_its_character_where_that_can_be_told(
    document: Document, fault: Fault, expected: Problem
) -> None:
    assert fault.problem(document) == expected


def test_findings_say_each_message_once_and_count_the_rest(document: Document) -> None:
    findings = Findings()
    for number in range(3):
        findings.add(Fault(("plain",), "same"), f"file {number}")
    for number in range(6):
        findings.add(Fault(("folded",), f"other {number}"))
    assert [problem.message for problem in findings.problems(document)] == [
        "and 1 more problems of this kind",
        *(f"other {number}" for number in range(5)),
        "same (for file 0 and 2 more)",
    ]


def test_objects_and_lists_leave_out_what_is_omitted() -> None:
    scope = Scope({"x": 5})
    text = making.text("{{ x }}", (), scope)
    assert making.object_of({"a": fixed(1), "b": fixed(OMIT), "c": text})(scope) == {"a": 1, "c": "5"}
    assert making.list_of([fixed(1), fixed(OMIT), text])(scope) == [1, "5"]
    assert making.is_fixed(making.list_of([fixed(1)]))
    assert not making.is_fixed(making.list_of([text]))


def test_a_template_that_cannot_be_compiled_is_noted_at_once_and_omitted() -> None:
    scope = Scope({})
    maker = making.text("{% if %}", ("a",), scope)
    assert maker(Scope({})) is OMIT
    assert [fault.at for fault in scope.faults] == [("a",)]


def test_then_works_on_what_is_there_only() -> None:
    def double(made: Made, scope: Scope) -> Made:
        return made * 2 if isinstance(made, int) else made

    scope = Scope({})
    assert making.then(fixed(1), double, scope)(scope) == 2
    assert making.then(fixed(OMIT), double, scope)(scope) is OMIT


def test_after_a_thousand_faults_one_of_each_template_is_enough(document: Document) -> None:
    findings = Findings()
    for number in range(999):
        assert not findings.is_enough(0)
        findings.add(Fault(("plain",), "is wrong"), f"value {number}")
    findings.add(Fault(("folded",), "is wrong"), "value 999")
    assert [findings.is_enough(before) for before in (1_000, 0, 1_000)] == [False, True, False]
    told = [one.message for one in findings.problems(document)]
    assert told == ["is wrong (for value 999)", "is wrong (for value 0 and at least 998 more)"]


def test_a_thousand_faults_of_one_rendering_are_told_and_that_there_are_more() -> None:
    scope = Scope({})
    for number in range(5_000):
        scope.fault(("cleanup", number), "is wrong")
    assert len(scope.faults) == 1_001
    assert scope.faults[-1] == Fault((), "has more problems than these; put them right first")


def test_every_wrong_part_of_one_text_is_told_at_its_place(tmp_path: Path) -> None:
    text = "run {{ nam }} {{ name }} {{ 1 / 0 }} {{ nam }}\n  {{ vars.titel }} {{ 'x' | uper }}"
    (tmp_path / "s.yaml").write_text("block: |\n  " + text.replace("\n", "\n  ") + "\n")
    document = load(tmp_path / "s.yaml", "s.yaml")
    scope = Scope({"name": "demo", "vars": {"title": "x"}})
    sound, broken = text.replace(" {{ 'x' | uper }}", ""), text
    making.text(sound, ("block",), scope)(scope)
    assert [str(fault.problem(document)) for fault in scope.faults] == [
        "s.yaml:2:10: block: unknown name 'nam'; did you mean 'name'?",
        "s.yaml:2:31: block: cannot be rendered: division by zero",
        "s.yaml:3:13: block: `vars` has no 'titel'; did you mean 'title'?",
    ]
    making.text(broken, ("block",), told := Scope(scope.names))
    assert [str(fault.problem(document)) for fault in told.faults] == [
        "s.yaml:3:31: block: there is no filter 'uper'; did you mean 'upper'?"
    ]
