"""`batchspec render`: everything that would be sent, rendered, deterministic, with secrets masked; offline.

In: a spec. Out: one object on stdout, as YAML or JSON: `containers`, `uploads`, `pool`, `schedule`, `job`, `tasks`,
where pool, job and each task are the exact REST bodies. Tasks are written one by one, so that a million can be printed.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from itertools import chain, islice
from typing import Any

from batchspec.cli.console import Console
from batchspec.cli.desired import desired_from
from batchspec.cli.given import Given
from batchspec.render.desired import document
from batchspec.render.symbolic import Json


def render(console: Console, spec: str, given: Given, *, format: str, task: str | None, limit: int | None) -> int:
    """Print the rendered spec, with only the task `task`, with at most `limit` tasks."""
    desired = desired_from(console, spec, given, given.offline_target, need="bodies")
    head, tasks = document(desired, task=task, limit=limit)
    # Taken before anything is printed: a task that is not there is an error without half an answer.
    first = list(islice(tasks, 1))
    write = _write_json if format == "json" else _write_yaml
    write(console.raw, head, chain(first, tasks))
    return 0


def _write_json(raw: Callable[[str], None], head: Mapping[str, Json], tasks: Iterable[Json]) -> None:
    raw("{\n")
    for name, value in head.items():
        raw(f"  {json.dumps(name)}: {_indented(value, 2)},\n")
    raw('  "tasks": [')
    separator = "\n"
    for one in tasks:
        raw(f"{separator}    {_indented(one, 4)}")
        separator = ",\n"
    raw("]\n}\n" if separator == "\n" else "\n  ]\n}\n")


def _indented(value: Json, spaces: int) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False).replace("\n", "\n" + " " * spaces)


def _write_yaml(raw: Callable[[str], None], head: Mapping[str, Json], tasks: Iterable[Json]) -> None:
    dump = _dumper()
    for name, value in head.items():
        raw(dump({name: value}))
    empty = True
    for one in tasks:
        raw("tasks:\n" if empty else "")
        empty = False
        raw(dump([one]))
    raw("tasks: []\n" if empty else "")


def _dumper() -> Callable[[object], str]:
    """Writes one value as block-style YAML; a text of several lines as a literal block."""
    import yaml

    class Dumper(yaml.CSafeDumper):
        """CSafeDumper without anchors, which nobody wants to read."""

        def ignore_aliases(self, data: object) -> bool:
            return True

    def text(dumper: Any, value: str) -> yaml.ScalarNode:
        style = "|" if "\n" in value and value.strip("\n") == value.strip() else None
        return yaml.ScalarNode("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(str, text)
    return lambda value: yaml.dump(value, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=10_000)
