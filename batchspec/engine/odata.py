"""`$filter`: a text becomes a condition, which is then asked of the database or of a JSON object.

Place: list operations. In: the query's text and the table of the fields a resource can be filtered by. Out: SQL with
its parameters, or a yes or no for one object. It never sees the database.

Grammar (documentation "Create queries to list Batch resources efficiently"): comparisons and `startswith`, joined by
`and` (binds tighter) and `or`, with parentheses. Names are case-sensitive, values are not. Anything else is a 400.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from batchspec.engine.errors import BatchError, bad_query
from batchspec.engine.times import ticks_from_text

Kind = Literal["text", "time", "bool", "number"]
Value = str | int | float

_SQL_OPERATORS: Final = {"eq": "=", "ne": "<>", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}
_COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "eq": lambda left, right: left == right,
    "ne": lambda left, right: left != right,
    "gt": lambda left, right: left > right,
    "ge": lambda left, right: left >= right,
    "lt": lambda left, right: left < right,
    "le": lambda left, right: left <= right,
}
_EQUALITY: Final = frozenset({"eq", "ne"})
_TOKEN = re.compile(
    r"\s*(?:(?P<paren>[(),])|(?P<time>datetime\s*'[^']*')|(?P<text>'(?:[^']|'')*')"
    r"|(?P<number>-?\d+(?:\.\d+)?)|(?P<word>[A-Za-z_][A-Za-z0-9_./]*))",
    re.IGNORECASE,
)
_MAX_DEPTH = 50
_MAX_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Field:
    """Something a resource can be filtered by; `sql` is where the database has it, if it does.

    `word` is for one of the service's own words, which the database has in lower case: its comparisons are written so
    that partial indexes on them are used. `optional` is false for what is never absent.
    """

    kind: Kind
    sql: str = ""
    ordered: bool = True
    word: bool = False
    optional: bool = True


@dataclass(frozen=True, slots=True)
class Comparison:
    """`field operator value`; the operator may also be `startswith`."""

    name: str
    field: Field
    operator: str
    value: Value


@dataclass(frozen=True, slots=True)
class Junction:
    """Two conditions joined by `and` or `or`."""

    word: str
    left: "Condition"
    right: "Condition"


Condition = Comparison | Junction


def parse(text: str, fields: Mapping[str, Field]) -> Condition:
    """Read a filter. Raises BatchError (400) that says what is wrong with it."""
    return _Parser(text, fields).read()


def sql_from_condition(condition: Condition) -> tuple[str, list[Value]]:
    """A `WHERE` expression and its parameters, in order. Something absent fulfils no comparison but `ne`."""
    if isinstance(condition, Junction):
        left, left_values = sql_from_condition(condition.left)
        right, right_values = sql_from_condition(condition.right)
        return f"({left} {condition.word.upper()} {right})", left_values + right_values
    column = condition.field.sql
    if condition.operator == "startswith":
        value = str(condition.value)
        return f"(SUBSTR({column}, 1, {len(value)}) = ? COLLATE NOCASE)", [value]
    operator = _SQL_OPERATORS[condition.operator]
    if condition.field.word and re.fullmatch("[A-Za-z]+", str(condition.value)):
        return _comparison_of_words(condition.field, operator, str(condition.value).lower()), []
    collate = " COLLATE NOCASE" if condition.field.kind == "text" else ""
    comparison = f"{column} {operator} ?{collate}"
    if condition.operator == "ne":
        return f"({column} IS NULL OR {comparison})", [condition.value]
    return f"({column} IS NOT NULL AND {comparison})", [condition.value]


def _comparison_of_words(field: Field, operator: str, word: str) -> str:
    """The word stands in the expression itself: a partial index is used only for what is known when it is prepared."""
    comparison = f"{field.sql} {operator} '{word}'"
    if operator == "=" or not field.optional:
        return comparison
    return f"({field.sql} IS NULL OR {comparison})"


def matches(condition: Condition, item: Mapping[str, Any]) -> bool:
    """Whether a JSON object, as the service would return it, fulfils the condition."""
    if isinstance(condition, Junction):
        left = matches(condition.left, item)
        if condition.word == "and":
            return left and matches(condition.right, item)
        return left or matches(condition.right, item)
    found = _comparable(_look_up(item, condition.name), condition.field.kind)
    if found is None:
        return condition.operator == "ne"
    wanted = _comparable(condition.value, "text") if condition.field.kind == "text" else condition.value
    if condition.operator == "startswith":
        return str(found).startswith(str(wanted))
    return _COMPARE[condition.operator](found, wanted)


def _look_up(item: Mapping[str, Any], name: str) -> Any:
    value: Any = item
    for part in name.split("/"):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _comparable(value: Any, kind: Kind) -> Any:
    if value is None:
        return None
    if kind == "text":
        # ASCII only, as SQLite's NOCASE folds.
        return re.sub("[A-Z]", lambda match: match[0].lower(), str(value))
    return ticks_from_text(value) if kind == "time" else value


def _joined(word: str, operands: Sequence[Condition]) -> Condition:
    # Balanced: a filter by a thousand ids must not be a thousand levels deep, which neither we nor SQLite would take.
    if len(operands) == 1:
        return operands[0]
    middle = len(operands) // 2
    return Junction(word, _joined(word, operands[:middle]), _joined(word, operands[middle:]))


class _Parser:
    def __init__(self, text: str, fields: Mapping[str, Field]) -> None:
        self._text = text
        self._fields = fields
        self._tokens = self._tokenise()
        self._position = 0
        self._depth = 0

    def read(self) -> Condition:
        condition = self._either()
        if self._position < len(self._tokens):
            raise self._wrong(f"unexpected {self._tokens[self._position][1]!r}")
        return condition

    def _tokenise(self) -> list[tuple[str, str]]:
        tokens, position, text = [], 0, self._text.rstrip()
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None or match.lastgroup is None:
                raise self._wrong(f"unexpected character at position {position}")
            tokens.append((match.lastgroup, match[match.lastgroup]))
            position = match.end()
        if not tokens:
            raise self._wrong("it is empty")
        return tokens

    def _either(self) -> Condition:
        operands = [self._both()]
        while self._take_word("or"):
            operands.append(self._both())
        return _joined("or", operands)

    def _both(self) -> Condition:
        operands = [self._single()]
        while self._take_word("and"):
            operands.append(self._single())
        return _joined("and", operands)

    def _single(self) -> Condition:
        if self._peek() != ("paren", "("):
            return self._starts_with() if self._take_word("startswith") else self._comparison()
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise self._wrong("it is nested too deeply")
        self._expect("(")
        condition = self._either()
        self._expect(")")
        self._depth -= 1
        return condition

    def _starts_with(self) -> Condition:
        self._expect("(")
        name, field = self._field()
        self._expect(",")
        value = self._value(field)
        self._expect(")")
        if field.kind != "text" or not field.ordered:
            raise self._wrong(f"startswith does not apply to {name}")
        return Comparison(name, field, "startswith", value)

    def _comparison(self) -> Condition:
        name, field = self._field()
        _, operator = self._next("an operator")
        if operator not in _COMPARE:
            raise self._wrong(f"{operator!r} is not an operator")
        if operator not in _EQUALITY and not field.ordered:
            raise self._wrong(f"{name} takes only eq and ne")
        return Comparison(name, field, operator, self._value(field))

    def _field(self) -> tuple[str, Field]:
        kind, name = self._next("a property")
        if kind != "word" or name not in self._fields:
            raise self._wrong(f"{name!r} is not a property to filter by; there are {', '.join(sorted(self._fields))}")
        return name, self._fields[name]

    def _value(self, field: Field) -> Value:
        kind, text = self._next("a value")
        if kind == "text" and field.kind == "text":
            return text[1:-1].replace("''", "'")
        if kind in ("time", "text") and field.kind == "time":
            return self._time(text)
        if kind == "number" and field.kind == "number":
            # An integer the database has no room for is as large as any.
            is_large = len(text) > _MAX_DIGITS
            return float(text) if "." in text or is_large else int(text)
        if kind == "word" and field.kind == "bool" and text.lower() in ("true", "false"):
            return int(text.lower() == "true")
        raise self._wrong(f"{text} is not a value of the property's type")

    def _time(self, text: str) -> int:
        inner = text[text.index("'") + 1 : -1]
        try:
            return ticks_from_text(inner)
        except ValueError as error:
            raise self._wrong(f"{inner!r} is not a time") from error

    def _peek(self) -> tuple[str, str] | None:
        return self._tokens[self._position] if self._position < len(self._tokens) else None

    def _next(self, wanted: str) -> tuple[str, str]:
        token = self._peek()
        if token is None:
            raise self._wrong(f"it ends where {wanted} belongs")
        self._position += 1
        return token

    def _expect(self, text: str) -> None:
        if self._next(f"{text!r}")[1] != text:
            raise self._wrong(f"{text!r} is missing")

    def _take_word(self, word: str) -> bool:
        if self._peek() != ("word", word):
            return False
        self._position += 1
        return True

    def _wrong(self, reason: str) -> BatchError:
        return bad_query("$filter", self._text, reason)
