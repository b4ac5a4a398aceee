"""What a formula is made of, once read.

Place: between `syntax.py`, which makes these, and `evaluate.py`, which computes them. Data only.
"""

from dataclasses import dataclass, field

from batchspec.engine.autoscale.faults import Position


@dataclass(frozen=True, slots=True)
class Number:
    """A double, written out."""

    value: float


@dataclass(frozen=True, slots=True)
class Text:
    """A string, written out."""

    value: str


@dataclass(frozen=True, slots=True)
class Name:
    """A variable or a constant; the `$` is part of the name."""

    name: str
    at: Position


@dataclass(frozen=True, slots=True)
class Vector:
    """`[a, b, c]`."""

    items: tuple["Expression", ...]
    at: Position


@dataclass(frozen=True, slots=True)
class Unary:
    """`-x` or `!x`."""

    sign: str
    operand: "Expression"
    at: Position


@dataclass(frozen=True, slots=True)
class Link:
    """One more operand of a `Chain`, and the operator before it."""

    sign: str
    at: Position
    operand: "Expression"


@dataclass(frozen=True, slots=True)
class Chain:
    """Operands joined by operators of one strength, taken from the left."""

    first: "Expression"
    rest: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """`test ? then : otherwise`; only one of the two is ever evaluated."""

    test: "Expression"
    then: "Expression"
    otherwise: "Expression"
    at: Position


@dataclass(frozen=True, slots=True)
class Assignment:
    """`name = value`; its own value is the value assigned."""

    target: Name
    value: "Expression"


@dataclass(frozen=True, slots=True)
class Call:
    """`function(arguments)`; `at` is the opening bracket, where the service reports what goes wrong inside."""

    function: Name
    arguments: tuple["Expression", ...]
    at: Position


@dataclass(frozen=True, slots=True)
class Member:
    """`owner.name`."""

    owner: "Expression"
    name: str
    at: Position


@dataclass(frozen=True, slots=True)
class MethodCall:
    """`owner.method(arguments)`; `at` is the opening bracket."""

    owner: "Expression"
    method: str
    arguments: tuple["Expression", ...]
    at: Position


Expression = Number | Text | Name | Vector | Unary | Chain | Choice | Assignment | Call | Member | MethodCall


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula that can be evaluated; `source` is the text it was read from."""

    source: str
    statements: tuple[Expression, ...] = field(repr=False)
