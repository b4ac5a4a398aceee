"""A rendered spec as text: one YAML or JSON object, read back as it was, with commands that a diff can show."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
import yaml

from batchspec.cli.text_rendering import Format, rendering
from batchspec.errors import UsageError
from batchspec.render.model import Desired, DesiredTask, JsonObject
from tests.cli.made import desired

TEXTS = [
    "one line",
    "two\nlines",
    "ends\nwith a line end\n",
    "ends\nwith two\n\n",
    "\n",
    "\nbegins with one",
    "  begins\nwith white space",
    "a tab\n\tindents",
    "white space\nat an end \nof a line",
    "carriage\r\nreturn",
    "line\n\u2028separator",
    "face \U0001f600\nand\x1bescape",
    "---\n...\n# no comment\n- a: b\n",
    "",
]


def with_tasks(*bodies: JsonObject) -> Desired:
    def tasks() -> Iterator[DesiredTask]:
        return (DesiredTask(str(body["id"]), body, "", frozenset(), 0, ("tasks", 0)) for body in bodies)

    return replace(desired(), tasks=tasks)


def text(one: Desired, format: Format = "yaml", task: str | None = None, limit: int | None = None) -> str:
    return "".join(rendering(one, format, task=task, limit=limit))


@pytest.mark.parametrize("command", TEXTS)
def test_every_text_is_read_back_as_it_was(command: str) -> None:
    one = with_tasks({"id": "a", "commandLine": command}, {"id": "b", "commandLine": command})

    as_yaml, as_json = yaml.safe_load(text(one)), json.loads(text(one, "json"))

    assert as_yaml["tasks"] == [{"id": "a", "commandLine": command}, {"id": "b", "commandLine": command}]
    assert as_yaml == as_json


def test_a_command_of_several_lines_stands_line_by_line() -> None:
    command = "set -e\nawk '\n\t{print $1}\n' a.txt\n"

    assert text(with_tasks({"id": "a", "commandLine": command})).endswith(
        "tasks:\n- id: a\n  commandLine: |\n    set -e\n    awk '\n    \t{print $1}\n    ' a.txt\n"
    )


def test_white_space_that_editors_take_away_is_visible() -> None:
    rendered = text(with_tasks({"id": "a", "commandLine": "one \ntwo"}))

    assert rendered.endswith('- id: a\n  commandLine: "one \\ntwo"\n')
    assert [line for line in rendered.splitlines() if line != line.rstrip()] == []


def test_no_task_is_an_empty_list() -> None:
    assert text(with_tasks()).endswith("\ntasks: []\n")
    assert text(with_tasks({"id": "a"}), "json", limit=0).endswith('"tasks": []\n}\n')


def test_a_task_that_is_not_there_is_told_before_anything_is_given_out() -> None:
    with pytest.raises(UsageError, match="there is no task 'encod'; did you mean 'encode'"):
        rendering(with_tasks({"id": "encode"}), "yaml", task="encod", limit=None)
