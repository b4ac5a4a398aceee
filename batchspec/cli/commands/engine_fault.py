"""`batchspec engine fault ...`: what shall go wrong in the local engine, for tests of programs that use it.

In: the words after `fault` and their options. Out: a request for the engine as JSON, and its answer as lines: every
fault with its number, what it matches, and how often it happened. It is refused when no engine runs: faults live in the
running engine and end with it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from batchspec.cli import phrases
from batchspec.errors import UsageError
from batchspec.render.symbolic import Json

_QUOTAS = {
    "pools": "pools",
    "active_jobs": "activeJobs",
    "dedicated_cores": "dedicatedCores",
    "low_priority_cores": "lowPriorityCores",
}
_FIX = "see: batchspec engine --help"


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a fault; None is not given, `absent_s` and `retry_after_s` are seconds."""

    operation: str | None = None
    method: str | None = None
    path: str | None = None
    next: int | None = None
    every: int | None = None
    after: bool = False
    retry_after_s: float | None = None
    code: str | None = None
    absent_s: float | None = None


def request(words: Sequence[str], options: Options) -> dict[str, Any]:
    """What to ask of the engine: `method`, `path` and `body`. Raises UsageError."""
    if not words:
        return {"method": "GET", "path": "/faults"}
    first, rest = words[0], list(words[1:])
    if first.isascii() and first.isdigit():
        return _fault(_taking(rest, 0), options, kind="answer", status=int(first[:9]))
    if first not in _KINDS:
        known = f"one of {', '.join(_KINDS)}, or a status"
        raise UsageError(f"batchspec engine fault: unknown kind {phrases.harmless(first)!r}; {known}", fix=_FIX)
    return _KINDS[first](rest, options)


def _fault(rest: Sequence[str], options: Options, *, kind: str, **body: Any) -> dict[str, Any]:
    del rest
    given = {
        "operation": options.operation,
        "method": options.method,
        "path": options.path,
        "next": options.next,
        "every": options.every,
        "when": "after" if options.after else None,
        "retryAfter": options.retry_after_s,
        "code": options.code,
    }
    kept = {name: value for name, value in {"kind": kind, **given, **body}.items() if value is not None}
    return {"method": "POST", "path": "/faults", "body": kept}


def _drop(rest: Sequence[str], options: Options) -> dict[str, Any]:
    return _fault(_taking(rest, 0), options, kind="drop")


def _delay(rest: Sequence[str], options: Options) -> dict[str, Any]:
    (text,) = _taking(rest, 1, at_least=1)
    try:
        return _fault((), options, kind="delay", delay=float(text))
    except ValueError as error:
        raise UsageError(f"batchspec engine fault delay: {text!r} is not a number of seconds", fix=_FIX) from error


def _transfer(kind: str) -> Callable[[Sequence[str], Options], dict[str, Any]]:
    def form(rest: Sequence[str], options: Options) -> dict[str, Any]:
        words = _taking(rest, 1)
        return _fault((), options, kind=kind, **({"code": words[0]} if words else {}))

    return form


def _node_start(rest: Sequence[str], options: Options) -> dict[str, Any]:
    words = _taking(rest, 1)
    return _fault((), options, kind="nodestart", **({"pool": words[0]} if words else {}))


def _preempt(rest: Sequence[str], options: Options) -> dict[str, Any]:
    words = _taking(rest, 2, at_least=1)
    body: dict[str, Any] = {"pool": words[0]}
    if len(words) > 1:
        body["node"] = words[1]
    if options.next is not None:
        body["count"] = options.next
    if options.absent_s is not None:
        body["absent"] = options.absent_s
    return {"method": "POST", "path": "/preempt", "body": body}


def _quota(rest: Sequence[str], options: Options) -> dict[str, Any]:
    del options
    body = {}
    for word in _taking(rest, len(_QUOTAS), at_least=1):
        name, _, number = word.partition("=")
        if name not in _QUOTAS or not (number.isascii() and number.isdigit()):
            raise UsageError(
                f"batchspec engine fault quota: expected NAME=N with a name of {', '.join(_QUOTAS)}, "
                f"not {phrases.harmless(word)!r}",
                fix=_FIX,
            )
        body[_QUOTAS[name]] = int(number[:9])
    return {"method": "PATCH", "path": "/quotas", "body": body}


def _reset(rest: Sequence[str], options: Options) -> dict[str, Any]:
    del options
    words = _taking(rest, 1)
    if words and not (words[0].isascii() and words[0].isdigit()):
        raise UsageError(f"batchspec engine fault reset: {phrases.harmless(words[0])!r} is no fault's number", fix=_FIX)
    return {"method": "DELETE", "path": f"/faults/{words[0]}" if words else "/faults"}


_KINDS: dict[str, Callable[[Sequence[str], Options], dict[str, Any]]] = {
    "drop": _drop,
    "delay": _delay,
    "upload": _transfer("upload"),
    "download": _transfer("download"),
    "node-start": _node_start,
    "preempt": _preempt,
    "quota": _quota,
    "reset": _reset,
}


def _taking(words: Sequence[str], most: int, *, at_least: int = 0) -> list[str]:
    if len(words) > most:
        raise UsageError(f"batchspec engine fault: unexpected argument {phrases.harmless(words[most])!r}", fix=_FIX)
    if len(words) < at_least:
        raise UsageError("batchspec engine fault: a word is missing", fix=_FIX)
    return list(words)


def lines(answer: Mapping[str, Json]) -> list[str]:
    """What the engine answered, for a person."""
    faults = answer.get("value")
    if isinstance(faults, list):
        return [*(_described(each) for each in faults if isinstance(each, dict)), *_lowered(answer)] or ["no faults"]
    if "kind" in answer:
        return [_described(answer)]
    nodes = answer.get("nodes")
    if isinstance(nodes, list):
        return [f"preempted {phrases.harmless(str(node))}" for node in nodes] or ["there is no Spot node to preempt"]
    quotas = [f"{name}={answer[shown]}" for name, shown in _QUOTAS.items() if shown in answer]
    return [f"quotas: {', '.join(quotas)}"] if quotas else ["forgotten"]


def _described(fault: Mapping[str, Json]) -> str:
    what = str(fault["kind"]).replace("nodestart", "node-start")
    parts = [str(fault[name]) for name in ("status", "delay", "code", "pool") if name in fault]
    where = [str(fault[name]) for name in ("operation", "method", "path") if name in fault]
    often = f"every {fault['every']}" if "every" in fault else f"next {fault.get('next', 1)}"
    after = ["after the effect"] if fault.get("when") == "after" else []
    words = " ".join([what, *parts, *(["on", *where] if where else []), *after])
    return phrases.harmless(f"{fault.get('id')}: {words} ({often}; happened {fault.get('fired', 0)} times)")


def _lowered(answer: Mapping[str, Json]) -> list[str]:
    quotas = answer.get("quotas")
    if not answer.get("changedQuotas") or not isinstance(quotas, dict):
        return []
    return ["quotas: " + ", ".join(f"{name}={quotas.get(shown)}" for name, shown in _QUOTAS.items())]
