"""Specs written by tests, rendered as the program does it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from batchspec.errors import Problem
from batchspec.render.desired import check_tasks, render
from batchspec.render.model import Desired, Secret
from batchspec.spec.build import build
from batchspec.spec.load import load

HEAD = """\
version: 1
name: run
"""


@dataclass(frozen=True)
class Rendered:
    """A rendered spec: its desired state, the problems of `render` and those of `check_tasks`."""

    maybe: Desired | None
    problems: list[Problem]

    @property
    def desired(self) -> Desired:
        assert self.problems == []
        assert self.maybe is not None
        return self.maybe

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """The bodies of all tasks without our mark."""
        bodies: list[dict[str, Any]] = []
        for task in self.desired.tasks():
            body: dict[str, Any] = dict(task.body)
            body["environmentSettings"] = body["environmentSettings"][:-1]
            if not body["environmentSettings"]:
                del body["environmentSettings"]
            bodies.append(body)
        return bodies

    @property
    def told(self) -> list[str]:
        """The problems as people see them."""
        return [str(problem) for problem in self.problems]


Render = Callable[..., Rendered]


@pytest.fixture
def render_spec(tmp_path: Path) -> Render:
    """Writes a spec (the text after `version` and `name`) and files beside it, and renders it."""

    def run(
        text: str,
        files: Mapping[str, str | bytes] | None = None,
        *,
        variables: Mapping[str, object] | None = None,
        secrets: Mapping[str, str] | None = None,
        head: str = HEAD,
        **options: Any,
    ) -> Rendered:
        for name, content in (files or {}).items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        (tmp_path / "spec.yaml").write_text(head + text, encoding="utf-8")
        spec = build(load(tmp_path / "spec.yaml", "spec.yaml"))
        assert spec is not None
        defaults = {name: one.default for name, one in spec.vars.items() if not one.secret}
        hidden = {name: Secret(value) for name, value in (secrets or {}).items()}
        desired, problems = render(
            spec, variables={**defaults, **(variables or {})}, secrets=hidden, target="local", **options
        )
        return Rendered(desired, [*problems, *(check_tasks(desired) if desired else [])])

    return run
