"""From a path to what a spec asks for, as far as a command needs it."""

from pathlib import Path

import pytest

from batchspec.cli.desired import Need, desired_from, reading_of
from batchspec.cli.given import Given
from batchspec.errors import SpecInvalid, UsageError
from tests.cli.made import console, shown

SPEC = """\
version: 1
name: "demo-{{ vars.who }}"
vars:
  who: {type: string}
  token: {secret: true, from_env: DEMO_TOKEN}
containers: {input: {}}
uploads: {texts: {container: input, files: "*.txt"}}
pool: {vm_size: standard_d2s_v3, target_dedicated_nodes: 1,
  image: {publisher: canonical, offer: ubuntu-24_04-lts, sku: server}}
tasks:
  - for_each: {upload: texts}
    id: "{{ file.stem | task_id }}"
    command: cat {{ file.name | sh }}
    environment_settings: {TOKEN: "{{ vars.token }}"}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    (tmp_path / "s.yaml").write_text(SPEC)
    (tmp_path / "a.txt").write_text("a\n")
    return tmp_path / "s.yaml"


GIVEN = Given(("who=me",))


def test_a_whole_spec_is_read_with_its_secrets_which_are_masked_from_then_on(spec: Path) -> None:
    one = console(DEMO_TOKEN="s3cret-value")
    desired = desired_from(one, str(spec), GIVEN, "local", need="all")

    assert desired.name == "demo-me"
    assert desired.shown_as == str(spec)
    assert [task.id for task in desired.tasks()] == ["a"]
    assert {name: secret.value for name, secret in desired.secrets.items()} == {"token": "s3cret-value"}
    assert one.secrets == ["s3cret-value"]
    assert "s3cret-value" not in repr(desired)


def test_only_what_is_sent_needs_secrets(spec: Path) -> None:
    assert desired_from(console(), str(spec), GIVEN, "local", need="bodies").name == "demo-me"
    assert desired_from(console(), str(spec), GIVEN, "local", need="plan").name == "demo-me"
    assert desired_from(console(), str(spec), GIVEN, "local", need="names").name == "demo-me"
    with pytest.raises(SpecInvalid, match="DEMO_TOKEN is not set"):
        desired_from(console(), str(spec), GIVEN, "local", need="all")


def test_fingerprints_are_the_same_with_and_without_secrets_and_those_that_are_set_are_masked(spec: Path) -> None:
    with_secret = console(DEMO_TOKEN="s3cret-value")
    hashes = [
        [task.hash for task in desired_from(one, str(spec), GIVEN, "local", need="plan").tasks()]
        for one in (console(), with_secret)
    ]

    assert hashes[0] == hashes[1] != []
    assert with_secret.secrets == ["s3cret-value"]


@pytest.mark.parametrize("need", ["names", "bodies", "plan", "all"])
def test_a_variable_without_a_value_is_a_problem_with_the_option_to_give_it(spec: Path, need: Need) -> None:
    with pytest.raises(SpecInvalid, match="--var who=VALUE"):
        desired_from(console(DEMO_TOKEN="x"), str(spec), Given(), "local", need=need)


def test_a_malformed_variable_is_a_usage_error(spec: Path) -> None:
    with pytest.raises(UsageError, match="expected NAME=VALUE"):
        reading_of(console(), str(spec), Given(("who",)), "local")


def test_what_was_made_of_files_can_be_named_when_they_are_gone(spec: Path) -> None:
    (spec.parent / "a.txt").unlink()
    one = console()
    desired = desired_from(one, str(spec), GIVEN, "local", need="names")

    assert (desired.name, list(desired.containers)) == ("demo-me", ["input"])
    out, err = shown(one)
    assert out == ""
    assert err.startswith(f"warning: {spec}:7:")
    with pytest.raises(SpecInvalid, match=r"uploads\.texts"):
        desired_from(console(DEMO_TOKEN="x"), str(spec), GIVEN, "local", need="all")


def test_problems_of_rules_variables_and_tasks_are_told_together(spec: Path) -> None:
    spec.write_text(SPEC.replace("vm_size", "vm_sise").replace("file.stem", "file.stemm"))
    reading = reading_of(console(), str(spec), Given(("whoo=1",)), "local")

    told = "\n".join(map(str, reading.problems))
    assert [word in told for word in ("'vm_size'", "whoo", "stemm")] == [True, True, True], told
    assert list(reading.problems) == sorted(reading.problems)
