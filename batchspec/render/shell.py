"""Shell text -> one Batch command line.

Place in the pipeline: `wire` wraps every `command` and `commands` with this, exactly once. In: rendered text and the
pool's OS. Out: a command line, or what is wrong with the text. Never splits or changes what the shell will read.

Azure Batch runs a command line without a shell. On Linux the whole text becomes one single-quoted word after
`/bin/bash -c`; commands of a list stand on lines of their own, so that a heredoc or a comment in one of them ends where
its author ended it, and the script stops at the first that fails. On Windows `cmd /c "..."` takes off the outer quotes
only, so that the text needs no quoting of its own ("cmd /?"); cmd knows no lines, commands are joined by `&&`. One that
takes what follows on its line as its own (`if`, `for`), or has an operator, stands in parentheses, and no other does:
a `)` of its text would end them.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from batchspec.render.symbolic import symbols

Os = Literal["linux", "windows"]

LINES = "set -e; set -o pipefail\n"
# execve(2): one argument has at most 128 KiB with its NUL. CreateProcess and cmd: 8,191 characters.
MAX_BYTES_LINUX = 131_071
MAX_CHARACTERS_WINDOWS = 8_191


def wrapped(text: str, os: Os) -> str:
    """The command line that runs `text` in the shell of `os`."""
    inner = text.rstrip("\n")
    if os == "windows":
        return f'cmd /c "{inner}"'
    return "/bin/bash -c '" + inner.replace("'", "'\"'\"'") + "'"


def joined(commands: Sequence[str], os: Os) -> str:
    """One text that runs the commands one after the other and stops at the first that fails."""
    if os == "windows":
        lines = [command.rstrip("\n") for command in commands]
        return " && ".join(map(_grouped, lines) if len(lines) > 1 else lines)
    return LINES + "\n".join(command.rstrip("\n") for command in commands)


_TAKES_ALL = re.compile(r"\s*@?(if|for)\b", re.IGNORECASE)
_QUOTED = re.compile(r'"[^"]*"?|\^.')


def _grouped(command: str) -> str:
    """A command for cmd that may stand between others."""
    is_single = not _TAKES_ALL.match(command) and not set("&|") & set(_QUOTED.sub("", command))
    return command if is_single else f"({command})"


def text_fault(text: str, os: Os, secrets: Mapping[str, str]) -> str | None:
    """What is wrong with a shell text; `secrets` are the values of secret variables by name."""
    if not text.strip():
        return "is an empty command"
    if "\0" in text:
        return "holds a NUL character, which no command can"
    if os == "windows" and "\n" in text.rstrip("\n"):
        return "has several lines, which cmd cannot run; write a list under commands"
    if os == "windows" and len(text) + 9 > MAX_CHARACTERS_WINDOWS:
        return f"has {len(text):,} characters, cmd takes {MAX_CHARACTERS_WINDOWS:,}; upload a script and call it"
    size = len(text.encode("utf-8", "surrogatepass"))
    if os == "linux" and size > MAX_BYTES_LINUX:
        return f"has {size:,} bytes, bash -c takes {MAX_BYTES_LINUX:,}; upload a script and call it"
    return _secret_fault(text, os, secrets)


def _secret_fault(text: str, os: Os, secrets: Mapping[str, str]) -> str | None:
    """A secret's value is put in after quoting; one that would end the quotes is refused."""
    ends_quotes = "'\n" if os == "linux" else '"%\n'
    for one in symbols(text):
        if one.kind == "secret" and any(c in secrets.get(one.arguments[0], "") for c in ends_quotes):
            name = one.arguments[0]
            return f"the secret '{name}' holds a quote or a line break; pass it in environment_settings instead"
    return None
