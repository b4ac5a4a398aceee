"""The command line: what is accepted, and one clear line for what is not."""

import pytest

from batchspec.cli.parser import parse
from batchspec.errors import UsageError

COMMANDS = ("validate", "render", "plan", "apply", "status", "logs", "download", "delete", "doctor", "schema", "engine")


def usage_error(*words: str) -> str:
    with pytest.raises(UsageError) as caught:
        parse(words)
    return f"{caught.value} | {caught.value.fix}"


def test_options_of_every_command_stand_before_or_after_it() -> None:
    found = parse(
        ["-v", "--var", "a=1", "--target", "azure", "plan", "s.yaml", "--var", "b=2", "--var-file", "f", "-q"]
    )

    assert (found.variables, found.files, found.target) == (("a=1", "b=2"), ("f",), "azure")
    assert (found.verbose, found.quiet, found.spec) == (True, True, "s.yaml")


def test_without_options_nothing_is_chosen() -> None:
    found = parse(["apply", "s.yaml"])

    assert (found.variables, found.files, found.target, found.verbose, found.quiet) == ((), (), None, False, False)
    assert (found.format, found.yes, found.no_wait, found.retry_failed) == ("text", False, False, False)


def test_names_may_stand_on_both_sides_of_an_option() -> None:
    assert parse(["validate", "a", "--format", "json", "b"]).specs == ["a", "b"]
    assert parse(["logs", "s.yaml", "--follow", "task-1"]).task == "task-1"


def test_a_negative_looking_task_id_can_be_given() -> None:
    assert parse(["logs", "s.yaml", "--", "-1"]).task == "-1"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "which command?"),
        (["aply", "s"], "invalid choice: 'aply'"),
        (["plan"], "batchspec plan: the following arguments are required: SPEC | see: batchspec plan --help"),
        (["plan", "s", "--detailed-exitcod"], "unknown option --detailed-exitcod; did you mean --detailed-exitcode?"),
        (["plan", "s", "--format", "xml"], "argument --format: invalid choice: 'xml'"),
        (["plan", "s", "t"], "batchspec plan: unexpected argument t"),
        (["logs", "s", "a", "b"], "batchspec logs: unexpected argument b"),
        (["render", "s", "--limit", "-1"], "expected a whole number, 0 or more, not '-1'"),
        (["plan", "s", "--target", "aws"], "argument --target: invalid choice: 'aws'"),
        (["engine"], "batchspec engine: the following arguments are required: action"),
        (["engine", "start", "x\x1b"], "batchspec engine start: unexpected argument x\\x1b"),
    ],
)
def test_a_wrong_command_line_is_one_clear_line(words: list[str], message: str) -> None:
    text = usage_error(*words)

    assert message in text
    assert "\n" not in text


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse([command, "--help"])

    shown = capsys.readouterr().out
    assert caught.value.code == 0
    assert f"examples:\n  batchspec {command}" in shown or "examples:\n  " in shown
