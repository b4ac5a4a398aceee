"""Where a plan is written, and where the spec of a plan is found."""

from dataclasses import replace
from pathlib import Path

import pytest

from batchspec.cli.given import Given
from batchspec.cli.plan_file import applying, check_place, find_spec, place_of_spec, read_plan
from batchspec.errors import UsageError
from batchspec.reconcile.change import Plan
from batchspec.reconcile.frozen import HEAD, Frozen

PLAN = Plan("s", (), (), 0, (), (), (), 0, (), False)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: a repository with a spec."""
    (tmp_path / "specs").mkdir()
    (tmp_path / ".git").mkdir()
    (tmp_path / "specs/s.yaml").write_text("version: 1")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def of(spec_file: str) -> Frozen:
    return Frozen(spec_file, {}, "")


def test_a_spec_is_named_from_the_root_of_its_repository(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert place_of_spec("specs/s.yaml") == "specs/s.yaml"
    assert place_of_spec(str(checkout / "specs/s.yaml")) == "specs/s.yaml"
    monkeypatch.chdir(checkout / "specs")
    assert place_of_spec("s.yaml") == "specs/s.yaml"
    assert find_spec(of("specs/s.yaml"), "p.json") == "s.yaml"


def test_without_a_repository_a_spec_is_named_from_the_current_folder(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (checkout / ".git").rmdir()
    assert place_of_spec("specs/s.yaml") == "specs/s.yaml"
    assert find_spec(of("specs/s.yaml"), "p.json") == "specs/s.yaml"
    (checkout / "beside").mkdir()
    monkeypatch.chdir(checkout / "beside")
    assert place_of_spec("../specs/s.yaml") == "s.yaml", "no path leads up"
    with pytest.raises(UsageError, match=r"--plan p.json is of the spec s.yaml, which is not here"):
        find_spec(of("s.yaml"), "p.json")
    with pytest.raises(UsageError) as missing:
        find_spec(of("s.yaml"), "my plan.json")
    assert missing.value.fix == (
        "run it in a checkout of the spec, or say where it is: batchspec apply SPEC --plan 'my plan.json'"
    )


def test_only_a_plan_or_an_empty_file_is_written_over(checkout: Path) -> None:
    for name, content in (("plan", f"{HEAD}1,"), ("older", f"{HEAD}0,"), ("empty", "")):
        (checkout / name).write_text(content)
        check_place(name)
    check_place("new")
    check_place("/dev/null")
    with pytest.raises(UsageError, match=r"--out specs/s.yaml is there and is no plan, so it is not overwritten"):
        check_place("specs/s.yaml")


def test_a_plan_that_cannot_be_read_is_a_mistake_on_the_command_line(checkout: Path) -> None:
    for name, told in (("none", "No such file or directory"), ("specs", "Is a directory"), ("a\0b", "null")):
        with pytest.raises(UsageError, match=f"cannot be read: .*{told}"):
            read_plan(name)


def test_the_command_that_applies_a_plan_says_what_the_plan_does_not_know() -> None:
    given = Given(("n=5",), ("vars.yaml",), "azure", allow_outside=True)

    assert applying("my plan", Given(), PLAN) == "batchspec apply --plan 'my plan'"
    assert applying("p", given, replace(PLAN, too_much=("most of it",))) == (
        "batchspec apply --plan p --force --target azure --allow-outside"
    )
