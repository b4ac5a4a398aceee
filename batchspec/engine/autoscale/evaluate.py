"""A formula evaluated: the second of the two steps.

Place: after `syntax.py`. In: a `Formula`, what was measured, the time, the present targets. Out: an `Evaluation`;
what goes wrong in a formula is in it, nothing is raised. Never: reads a clock.

Decisions, where the documentation is silent or a recording says more:
- `results` names the two targets and the option first, always by their full names and always all three (recorded: a
  formula that sets one answers `$TargetDedicatedNodes=3;$TargetLowPriorityNodes=0;$NodeDeallocationOption=requeue`),
  then the formula's own variables in the order of their characters, `$` first (recorded:
  `...;$tasks=0;cappedPoolSize=3`).
- After an error the targets and the option in `results` are the present ones (recorded); variables assigned before
  it are listed.
- A target is cut to a whole number at the end (Azure/Batch#151: "evaluated to 2.9, truncated to 2") and is at least 0;
  until then the variable keeps its fraction. What is no number or infinite is an error.
- A target that was not assigned reads as, and stays, the present one. An alias (`$TargetDedicated`,
  `$TargetLowPriority`) counts only if the full name is never assigned (documented).
- Names are told apart by case. Read-only variables and constants cannot be assigned to.
- `&&`, `||` and `? :` evaluate only what they need. `stop()` ends the formula; what was assigned holds.
- One evaluation may handle `MOST_ELEMENTS` elements of vectors (ours: doubling a vector a hundred times must not
  stop the engine).
"""

import math
import random
from dataclasses import dataclass
from datetime import datetime

from batchspec.engine.autoscale import functions, methods
from batchspec.engine.autoscale.faults import Position, Refused, RunError, run_error
from batchspec.engine.autoscale.samples import ALIASES, VARIABLES, Samples
from batchspec.engine.autoscale.tree import (
    Assignment,
    Call,
    Chain,
    Choice,
    Expression,
    Formula,
    Link,
    Member,
    MethodCall,
    Name,
    Number,
    Text,
    Unary,
    Vector,
)
from batchspec.engine.autoscale.values import (
    INTERVALS,
    Metric,
    Timestamp,
    Value,
    binary,
    double,
    member,
    plain,
    text_from_value,
    type_name,
    unary,
)
from batchspec.engine.times import ticks_from_datetime

MOST_ELEMENTS = 1_000_000
_MOST_NODES = 2**31 - 1

_DEDICATED, _LOW_PRIORITY, _DEALLOCATION = "$TargetDedicatedNodes", "$TargetLowPriorityNodes", "$NodeDeallocationOption"
_TARGET_ALIASES = {_DEDICATED: "$TargetDedicated", _LOW_PRIORITY: "$TargetLowPriority"}
_TARGETS = {alias: full for full, alias in _TARGET_ALIASES.items()} | {full: full for full in _TARGET_ALIASES}
_OPTIONS = ("requeue", "terminate", "taskcompletion", "retaineddata")
_DEFAULT_OPTION = _OPTIONS[0]
_CONSTANTS: dict[str, Value] = {**INTERVALS, **{option: option for option in _OPTIONS}}


@dataclass(frozen=True, slots=True)
class Targets:
    """How many nodes of each kind a pool should have."""

    dedicated: int
    low_priority: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a formula came to; with an `error` the targets are those that were handed in."""

    targets: Targets
    deallocation: str
    results: str
    error: RunError | None = None


def evaluate(formula: Formula, samples: Samples, now: datetime, current: Targets) -> Evaluation:
    """Evaluate a formula at a moment (without a zone it is UTC); always the same for the same arguments."""
    run = _Run(samples, Timestamp(ticks_from_datetime(now)), current)
    try:
        run.statements(formula)
        return _evaluation(run.targets(), run.option(), run.own_variables())
    except _Stopped as stopped:
        error = run_error(stopped.refused, stopped.at)
        return _evaluation(current, _DEFAULT_OPTION, run.own_variables(), error)


def _evaluation(targets: Targets, option: str, own: dict[str, str], error: RunError | None = None) -> Evaluation:
    shown = {_DEDICATED: str(targets.dedicated), _LOW_PRIORITY: str(targets.low_priority), _DEALLOCATION: option, **own}
    return Evaluation(targets, option, ";".join(f"{name}={value}" for name, value in shown.items()), error)


class _Stopped(Exception):
    """A refusal with the place where it happened."""

    def __init__(self, refused: Refused, at: Position) -> None:
        self.refused = refused
        self.at = at
        super().__init__(f"{at}: {refused}")


class _Stop(Exception):
    """`stop()` was called."""


class _Run:
    """One evaluation: the variables assigned so far, and what may still be read."""

    def __init__(self, samples: Samples, now: Timestamp, current: Targets) -> None:
        self._samples = samples
        self._present = {_DEDICATED: float(current.dedicated), _LOW_PRIORITY: float(current.low_priority)}
        self._circumstances = functions.Circumstances(now, random.Random(now.ticks))
        self._assigned: dict[str, Value] = {}
        self._assigned_at: dict[str, Position] = {}
        self._elements = 0

    def statements(self, formula: Formula) -> None:
        try:
            for statement in formula.statements:
                self._value(statement)
        except _Stop:
            return

    def targets(self) -> Targets:
        return Targets(self._target(_DEDICATED), self._target(_LOW_PRIORITY))

    def option(self) -> str:
        return text_from_value(self._assigned.get(_DEALLOCATION, _DEFAULT_OPTION))

    def own_variables(self) -> dict[str, str]:
        own = sorted(self._assigned.keys() - _TARGETS.keys() - {_DEALLOCATION})
        return {name: text_from_value(self._assigned[name]) for name in own}

    def _target(self, full: str) -> int:
        value = double(self._read_target(full))
        if not math.isfinite(value):
            name = full if full in self._assigned else _TARGET_ALIASES[full]
            raise _Stopped(Refused(f"Out of range: {full} is {value:g}"), self._assigned_at[name])
        return int(min(max(value, 0), _MOST_NODES))

    def _read_target(self, full: str) -> Value:
        return self._assigned.get(full, self._assigned.get(_TARGET_ALIASES[full], self._present[full]))

    def _value(self, node: Expression) -> Value:
        match node:
            case Number(value):
                return value
            case Text(text):
                return text
            case Name(_, at):
                return self._counted(self._read(node), at)
            case Chain():
                return self._chain(node)
            case Call():
                return self._call(node)
            case MethodCall():
                return self._method(node)
            case Choice(test, then, otherwise, at):
                return self._value(then if self._truth(self._value(test), at) else otherwise)
            case Assignment():
                return self._assign(node)
            case Unary(sign, operand, at):
                found = self._value(operand)
                with _At(at):
                    return unary(sign, found)
            case Member(owner, name, at):
                found = self._value(owner)
                with _At(at):
                    return member(found, name)
            case Vector(items, at):
                parts = self._values(items)
                with _At(at):
                    return self._counted(functions.flat(parts), at)

    def _values(self, nodes: tuple[Expression, ...]) -> tuple[Value, ...]:
        return tuple([self._value(node) for node in nodes])

    def _counted(self, value: Value, at: Position) -> Value:
        """The value, if vectors have not taken more than an evaluation may."""
        if isinstance(value, tuple):
            self._elements += len(value)
            if self._elements > MOST_ELEMENTS:
                raise _Stopped(Refused(f"Too long: more than {MOST_ELEMENTS} elements of doubleVecs"), at)
        return value

    def _truth(self, value: Value, at: Position) -> bool:
        with _At(at):
            return double(value) != 0

    def _chain(self, chain: Chain) -> Value:
        value = self._value(chain.first)
        for link in chain.rest:
            value = self._linked(value, link)
        return value

    def _linked(self, left: Value, link: Link) -> Value:
        if link.sign in ("&&", "||"):
            decides = link.sign == "||"
            if self._truth(left, link.at) is decides:
                return float(decides)
            return float(self._truth(self._value(link.operand), link.at))
        right = self._value(link.operand)
        with _At(link.at):
            return self._counted(binary(link.sign, left, right), link.at)

    def _call(self, node: Call) -> Value:
        name = node.function.name
        if name != "stop" and not functions.knows(name):
            raise _Stopped(Refused(f"Undefined symbol: {name}"), node.function.at)
        arguments = self._values(node.arguments)
        with _At(node.at):
            if name == "stop":
                raise _Stop
            return self._counted(functions.call(name, arguments, self._circumstances), node.at)

    def _method(self, node: MethodCall) -> Value:
        owner = self._value(node.owner)
        if not isinstance(owner, Metric) or not methods.knows(node.method):
            kind = owner.name if isinstance(owner, Metric) else type_name(owner)
            raise _Stopped(Refused(f"Undefined member: {kind} has no {node.method}()"), node.at)
        arguments = self._values(node.arguments)
        series = self._samples.series(owner.name)
        history = methods.History(owner.name, series, self._circumstances.now, owner.current)
        with _At(node.at):
            return self._counted(methods.call(history, node.method, arguments), node.at)

    def _read(self, node: Name) -> Value:
        name = node.name
        if name in _TARGETS:
            return self._assigned.get(name, self._read_target(_TARGETS[name]))
        if name in self._assigned:
            return self._assigned[name]
        if name == _DEALLOCATION:
            return _DEFAULT_OPTION
        if name in _CONSTANTS:
            return _CONSTANTS[name]
        measured = ALIASES.get(name, name)
        if measured not in VARIABLES:
            raise _Stopped(Refused(f"Undefined symbol: {name}"), node.at)
        return Metric(measured, float(self._samples.current(measured)))

    def _assign(self, node: Assignment) -> Value:
        name, at = node.target.name, node.target.at
        value = self._value(node.value)
        with _At(at):
            _refuse_assignment(name, value)
        self._assigned[name] = plain(value) if name in _TARGETS else value
        self._assigned_at[name] = at
        return value


class _At:
    """Gives what is refused inside its position."""

    def __init__(self, at: Position) -> None:
        self._at = at

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Refused):
            raise _Stopped(error, self._at) from error


def _refuse_assignment(name: str, value: Value) -> None:
    if name in VARIABLES or name in ALIASES or name in _CONSTANTS:
        raise Refused(f"Cannot assign to {name}")
    if name in _TARGETS:
        double(value)
    if name == _DEALLOCATION and value not in _OPTIONS:
        raise Refused(f"Invalid value: {name} is one of {', '.join(_OPTIONS)}")
