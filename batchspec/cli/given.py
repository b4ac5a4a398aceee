"""What the person gave beside the command: variables, variable files, the target.

Place in the pipeline: `main` makes it from the parsed arguments; `desired` and the commands read it. Its arguments are
repeated in every command line that batchspec suggests, so that a suggestion means the same run.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from batchspec.cli.phrases import command_line
from batchspec.errors import UsageError

if TYPE_CHECKING:
    from batchspec.reconcile.asked import Asked


@dataclass(frozen=True, slots=True)
class Given:
    """`variables` are `NAME=VALUE` as typed, `files` paths as typed; `target` is None when it was not said.

    `allow_outside` lets the spec read files outside its repository, `allow_large` take as long to render as it does.
    `frozen` are the variables of a plan that is applied, by name; what was typed goes before them, and must then be
    the same.
    """

    variables: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    target: Literal["local", "azure"] | None = None
    allow_outside: bool = False
    allow_large: bool = False
    frozen: Mapping[str, object] = field(default_factory=dict)

    @property
    def offline_target(self) -> Literal["local", "azure"]:
        """The target that offline commands render for."""
        return self.target or "local"

    def values(self) -> dict[str, str]:
        """The variables by name; the last of a name wins. Raises UsageError for one without a name or a `=`."""
        found: dict[str, str] = {}
        for text in self.variables:
            name, equals, value = text.partition("=")
            if not equals or not name.strip():
                raise UsageError(f"--var {text}: expected NAME=VALUE", fix="for example --var numwords=5")
            found[name.strip()] = value
        return found

    def suggest(self, command: str, spec: str, *more: str) -> str:
        """The command line that runs `command` on the same spec in the same way."""
        words = ["batchspec", *command.split(), spec, *more]
        for name, value in self.frozen.items():
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            words += ["--var", f"{name}={text}"] if name not in self.values() else []
        for one in self.variables:
            words += ["--var", one]
        for one in self.files:
            words += ["--var-file", one]
        if self.target is not None:
            words += ["--target", self.target]
        words += ["--allow-outside"] * self.allow_outside + ["--allow-large"] * self.allow_large
        return command_line(words)


def asked_words(asked: "Asked") -> list[str]:
    """What is asked for beside the spec, as typed."""
    return ["--retry-failed"] * asked.retry_failed + ["--refresh-secrets"] * asked.refresh_secrets
