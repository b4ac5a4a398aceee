"""Symbols that stand in a rendered body for what only the sending side knows.

Place in the pipeline: `template` and `wire` write them, fingerprints are taken over them, `reconcile` resolves them
just before sending, and `display` shows them to people. So a rendering and a fingerprint depend on no account, port,
key or SAS. A symbol is a private-use character, its kind and arguments, and a second private-use character; neither
may occur in a spec or file name (`holds_marker` finds them), so that nobody can write one by hand.

Kinds and their arguments:
    container_url  KEY                the container's URL
    sas_url        KEY PERMISSIONS    the container's URL with a SAS
    blob_url       KEY NAME           a blob's URL
    blob_sas_url   KEY NAME           a blob's URL with a read SAS
    secret         VARIABLE           a secret variable's value
    task_ids       TEMPLATE           ids of tasks made of blobs that are not listed yet; never in what is sent
    node_agent_sku (none)             looked up in the service's list of supported images
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from batchspec.spec import reserved

OPEN, CLOSE, SEPARATOR = reserved.OPEN, reserved.CLOSE, reserved.SEPARATOR
_SYMBOL = re.compile(f"{OPEN}([^{OPEN}{CLOSE}]*){CLOSE}")
_QUOTED_SEPARATOR = ascii(SEPARATOR)[1:-1]
_QUOTED = re.compile(f"{re.escape(ascii(OPEN)[1:-1])}(.*?){re.escape(ascii(CLOSE)[1:-1])}")
_SURROGATE = re.compile("[\ud800-\udfff]")

KINDS = {
    "container_url": 1,
    "sas_url": 2,
    "blob_url": 2,
    "blob_sas_url": 2,
    "secret": 1,
    "task_ids": 1,
    "node_agent_sku": 0,
}  # and how many arguments each has

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]


@dataclass(frozen=True, slots=True)
class Symbol:
    """One symbol, taken apart."""

    kind: str
    arguments: tuple[str, ...]


def symbol(kind: str, *arguments: str) -> str:
    """The text that stands for a `kind` with these arguments."""
    return OPEN + SEPARATOR.join((kind, *arguments)) + CLOSE


def holds_marker(text: str) -> bool:
    """Whether a text from outside contains one of the characters reserved for symbols."""
    return OPEN in text or CLOSE in text or SEPARATOR in text


def holds_surrogate(text: str) -> bool:
    """Whether a text contains half of a character: Python can hold that, UTF-8 and so JSON and YAML cannot."""
    return not text.isascii() and _SURROGATE.search(text) is not None


def broken_symbol(text: str) -> bool:
    """Whether a text holds a piece of a symbol that is no whole one, or a symbol that is none of the kinds."""
    if holds_marker(_SYMBOL.sub("", text)):
        return True
    found = (_parse(match) for match in _SYMBOL.findall(text))
    return any(KINDS.get(one.kind) != len(one.arguments) for one in found)


def resolve(body: Json, value_of: Callable[[Symbol], str]) -> Json:
    """A copy of `body` with every symbol, in values as well as inside longer strings, replaced by `value_of` it."""
    if isinstance(body, str):
        return resolve_text(body, value_of) if OPEN in body else body
    if isinstance(body, list):
        return [resolve(item, value_of) for item in body]
    if isinstance(body, dict):
        return {key: resolve(item, value_of) for key, item in body.items()}
    return body


def resolve_text(text: str, value_of: Callable[[Symbol], str]) -> str:
    """`resolve` for one string."""
    return _SYMBOL.sub(lambda match: value_of(_parse(match.group(1))), text)


def symbols(body: Json) -> set[Symbol]:
    """Every symbol in `body`, once each."""
    found: set[Symbol] = set()
    waiting = [body]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            if OPEN in one:
                found.update(_parse(inner) for inner in _SYMBOL.findall(one))
        elif isinstance(one, dict):
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return found


def holds_secret(body: Json) -> bool:
    """Whether a secret variable is anywhere in a body."""
    return any(one.kind == "secret" for one in symbols(body))


def pieces(text: str) -> list[str | Symbol]:
    """A text taken apart into what is literal and its symbols, in order."""
    return [_parse(piece) if place % 2 else piece for place, piece in enumerate(_SYMBOL.split(text))]


def display(body: Json) -> Json:
    """A copy of `body` for people: `<sas_url output cw>` for a symbol; shows no secret since it never held one."""
    return resolve(body, lambda one: f"<{' '.join((one.kind, *one.arguments))}>")


def told(message: str) -> str:
    """A message in which symbols, which may have been quoted with escapes, are as in `display`."""
    message = _QUOTED.sub(lambda match: symbol(*match.group(1).split(_QUOTED_SEPARATOR)), message)
    return str(display(message)) if OPEN in message else message


def _parse(inner: str) -> Symbol:
    kind, *arguments = inner.split(SEPARATOR)
    return Symbol(kind, tuple(arguments))
