"""What both fakes share: a log of calls, faults on demand, and the service's refusals.

Every operation is named as the port's method. `before` runs a callback when an operation is about to happen (another
client interferes); `fail` makes the nth call of an operation raise, before or after it took effect (a lost answer).
"""

import inspect
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from batchspec.errors import ServiceRefused

Body = dict[str, Any]
Callback = Callable[[str], Awaitable[None] | None]


def refused(operation: str, resource: str, status: int, code: str) -> ServiceRefused:
    """The service's no, as the adapters tell it."""
    return ServiceRefused("refused by the fake", operation=operation, resource=resource, status=status, code=code)


def utc_text(moment: datetime) -> str:
    """A time as Batch writes it."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


@dataclass
class Calls:
    """The log and the faults; `writes` and `reads` are (operation, resource) in the order they were made."""

    writes: list[tuple[str, str]] = field(default_factory=list)
    reads: list[tuple[str, str]] = field(default_factory=list)
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    _counts: Counter[str] = field(default_factory=Counter)
    _faults: dict[tuple[str, int, bool], Exception] = field(default_factory=dict)
    _callbacks: dict[str, list[Callback]] = field(default_factory=dict)
    _versions: "count[int]" = field(default_factory=lambda: count(1))

    def fail(self, operation: str, nth: int, error: Exception, *, after: bool = False) -> None:
        """Make the `nth` call from now (1 is the next) raise; `after` lets it take effect first."""
        self._faults[operation, self._counts[operation] + nth, after] = error

    def before(self, operation: str, callback: Callback) -> None:
        """Run `callback` with the resource's id before every call of `operation`."""
        self._callbacks.setdefault(operation, []).append(callback)

    def forget(self) -> None:
        """Empty the log; state and faults stay."""
        self.writes.clear()
        self.reads.clear()

    async def _enter(self, operation: str, resource: str, *, write: bool) -> None:
        (self.writes if write else self.reads).append((operation, resource))
        self._counts[operation] += 1
        for callback in self._callbacks.get(operation, ()):
            result = callback(resource)
            if inspect.isawaitable(result):
                await result
        self._raise_if(operation, after=False)

    def _leave(self, operation: str) -> None:
        self._raise_if(operation, after=True)

    def _raise_if(self, operation: str, *, after: bool) -> None:
        error = self._faults.get((operation, self._counts[operation], after))
        if error is not None:
            raise error

    def _etag(self) -> str:
        return f'"0x{next(self._versions):015X}"'


_TERM = re.compile(
    r"\s*(?:startswith\(\s*(?P<prefixed>[\w/]+)\s*,\s*'(?P<prefix>[^']*)'\s*\)"
    r"|(?P<path>[\w/]+)\s+(?P<operator>eq|ne|gt|ge|lt|le)\s+"
    r"(?P<value>DateTime'[^']*'|'[^']*'|true|false|-?\d+))\s*",
    re.IGNORECASE,
)
_HOLDS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda left, right: left == right,
    "ne": lambda left, right: left != right,
    "gt": lambda left, right: left is not None and left > right,
    "ge": lambda left, right: left is not None and left >= right,
    "lt": lambda left, right: left is not None and left < right,
    "le": lambda left, right: left is not None and left <= right,
}


def matches(body: Body, odata: str) -> bool:
    """Whether a body passes a `$filter` of terms joined by `and` and `or`; other forms are a ValueError."""
    choices = re.split(r"\s+or\s+", odata)
    return not odata or any(all(_holds(body, term) for term in re.split(r"\s+and\s+", one)) for one in choices)


def selected(body: Body, select: str) -> Body:
    """A copy with the top-level properties of a `$select` only."""
    names = [name.strip() for name in select.split(",") if name.strip()]
    return {key: value for key, value in body.items() if not names or key in names}


def at_most(items: Sequence[Any], limit: int, operation: str, resource: str) -> None:
    """Refuse more than the service takes in one request."""
    if len(items) > limit:
        raise refused(operation, resource, 400, "InvalidRequestBody")


def _holds(body: Body, term: str) -> bool:
    match = _TERM.fullmatch(term)
    if match is None:
        raise ValueError(f"the fake does not know this filter: {term!r}")
    if match["prefixed"]:
        return str(_at(body, match["prefixed"]) or "").startswith(match["prefix"])
    return _HOLDS[match["operator"]](*_comparable(_at(body, match["path"]), match["value"]))


def _at(body: Body, path: str) -> Any:
    here: Any = body
    for name in path.split("/"):
        here = here.get(name) if isinstance(here, dict) else None
    return here


def _comparable(left: Any, literal: str) -> tuple[Any, Any]:
    if literal.lower().startswith("datetime'"):
        right = datetime.fromisoformat(literal[9:-1])
        return (None if left is None else datetime.fromisoformat(left)), right
    if literal.startswith("'"):
        return (left.lower() if isinstance(left, str) else left), literal[1:-1].lower()
    return left, (literal == "true" if literal in ("true", "false") else int(literal))
