"""A formula -> everything that is wrong with it that can be told without a pool.

Place in the pipeline: `render` calls `faults`. In: the text of a formula. Out: faults with line and column: the
first of its syntax, and before that all of its names, types, and numbers of arguments. Never computes a value.

It reads and checks in one pass, by recursive descent, since a formula runs from top to bottom as well: a variable is
known once something was assigned to it. The kind of a value is None when it cannot be told; then nothing is said.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from batchspec.spec.formula import words as language
from batchspec.spec.formula.tokens import FormulaFault, Place, Unreadable, Word, words
from batchspec.spec.suggest import did_you_mean

Kind = str | None

_STRENGTH = {
    "||": 1,
    "&&": 2,
    **dict.fromkeys(("==", "!="), 3),
    **dict.fromkeys(("<", "<=", ">", ">="), 4),
    **dict.fromkeys(("+", "-"), 5),
    **dict.fromkeys(("*", "/"), 6),
}
_SIGN_WORDS = {";": "`;` between two statements", ")": "`)`", "]": "`]`", ":": "`:` and the value otherwise"}


def faults(formula: str) -> list[FormulaFault]:
    """Everything that is wrong, in the order of the text; empty for a formula that the service should take."""
    if len(formula) > language.LONGEST_CHARACTERS:
        told = f"has {len(formula):,} characters; a formula has at most {language.LONGEST_CHARACTERS:,}"
        return [FormulaFault(Place(1, 1), told)]
    reading = _Reading()
    try:
        reading.read(list(words(formula)))
    except Unreadable as end:
        reading.found.append(end.fault)
    return sorted(reading.found, key=lambda fault: (fault.place.line, fault.place.column))


class _Reading:
    """One formula while it is read: the words, where we are, and the kinds of the variables so far."""

    def __init__(self) -> None:
        self.found: list[FormulaFault] = []
        self._words: list[Word] = []
        self._next = 0
        self._depth = 0
        self._variables: dict[str, Kind] = {}
        self._wants_option = False

    def read(self, every: list[Word]) -> None:
        """All statements. Raises Unreadable where the syntax ends the reading."""
        self._words = every
        count = 0
        while self._skip_empty():
            count += 1
            if count > language.MOST_STATEMENTS:
                raise Unreadable(self._word.place, f"a formula has at most {language.MOST_STATEMENTS} statements")
            self._expression()
            if self._word.kind != "end":
                self._expect(";")
        if not count:
            raise Unreadable(Place(1, 1), "is empty; a formula assigns a target, such as $TargetDedicatedNodes = 1")
        if not self._variables.keys() & set(language.TARGETS):
            told = f"assigns no target; assign {language.TARGETS[0]} or {language.TARGETS[1]}"
            self._tell(every[0].place, told)

    # words

    @property
    def _word(self) -> Word:
        return self._words[self._next]

    def _skip_empty(self) -> bool:
        while self._take(";"):
            pass
        return self._word.kind != "end"

    def _is(self, *signs: str) -> bool:
        return self._word.kind == "sign" and self._word.text in signs

    def _take(self, *signs: str) -> bool:
        taken = self._is(*signs)
        self._next += taken
        return taken

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            raise self._unexpected(_SIGN_WORDS.get(sign, f"`{sign}`"))

    def _unexpected(self, wanted: str) -> Unreadable:
        word = self._word
        seen = "the formula ends here" if word.kind == "end" else f"unexpected `{word.text}`"
        return Unreadable(word.place, f"{seen}; expected {wanted}")

    def _tell(self, place: Place, message: str) -> None:
        self.found.append(FormulaFault(place, message))

    @contextmanager
    def _deeper(self) -> Iterator[None]:
        self._depth += 1
        if self._depth > language.DEEPEST:
            raise Unreadable(self._word.place, f"is nested more than {language.DEEPEST} levels deep; use variables")
        yield
        self._depth -= 1

    # the grammar

    def _expression(self) -> Kind:
        with self._deeper():
            if self._word.kind == "name" and self._follows("="):
                return self._assignment()
            kind = self._operation(1)
            if self._is("="):
                raise Unreadable(self._word.place, "only a variable can be assigned to; `==` compares")
            if not self._take("?"):
                return kind
            then = self._expression()
            self._expect(":")
            otherwise = self._expression()
            return then if then == otherwise else None

    def _follows(self, sign: str) -> bool:
        after = self._words[self._next + 1] if self._next + 1 < len(self._words) else self._word
        return after.kind == "sign" and after.text == sign

    def _assignment(self) -> Kind:
        target = self._word
        self._next += 2
        wanted, self._wants_option = self._wants_option, target.text == language.DEALLOCATION
        value = self._word
        kind = self._expression()
        self._wants_option = wanted
        self._check_assignment(target, value, kind)
        self._variables[target.text] = kind
        return kind

    def _check_assignment(self, target: Word, value: Word, kind: Kind) -> None:
        name = target.text
        if name in language.METRICS or name in language.INTERVALS or name in language.OPTIONS:
            self._tell(target.place, f"{name} can be read only; choose another name for your variable")
        elif name in language.TARGETS and kind not in ("double", "metric", None):
            self._tell(value.place, f"{name} is a number of nodes, not a {kind}")
        elif name == language.DEALLOCATION and kind not in ("option", None) and not _is_option(value, kind):
            self._tell(value.place, f"{name} is one of {', '.join(language.OPTIONS)}")
        elif name.startswith("$Target") and name not in language.TARGETS:
            self._tell(target.place, f"{name} is no target{did_you_mean(name, language.TARGETS)}")

    def _operation(self, weakest: int) -> Kind:
        with self._deeper():
            left = self._unary()
            while self._strength() >= weakest:
                sign = self._word
                self._next += 1
                left = self._joined(sign, left, self._operation(_STRENGTH[sign.text] + 1))
            return left

    def _strength(self) -> int:
        return _STRENGTH.get(self._word.text, 0) if self._word.kind == "sign" else 0

    def _joined(self, sign: Word, left: Kind, right: Kind) -> Kind:
        if sign.text in ("&&", "||"):
            return "double"
        left, right = _plain(left), _plain(right)
        if left is None or right is None:
            return None
        kind = language.OPERATORS.get((sign.text, left, right))
        if kind is None:
            self._tell(sign.place, f"a {left} {sign.text} a {right} means nothing")
        return kind

    def _unary(self) -> Kind:
        if not self._is("-", "!"):
            return self._postfix()
        sign = self._word
        self._next += 1
        with self._deeper():
            kind = _plain(self._unary())
        allowed = ("double", "timeinterval", None) if sign.text == "-" else ("double", None)
        if kind not in allowed:
            self._tell(sign.place, f"{sign.text} of a {kind} means nothing")
        return "double" if sign.text == "!" else kind

    def _postfix(self) -> Kind:
        kind = self._primary()
        while self._take("."):
            name = self._word
            if name.kind != "name":
                raise self._unexpected("the name of a method or of a part of a timestamp")
            self._next += 1
            kind = self._method(name, kind) if self._take("(") else self._member(name, kind)
        return kind

    def _method(self, name: Word, owner: Kind) -> Kind:
        arguments = self._arguments(")")
        if name.text not in language.METHODS:
            self._tell(name.place, f"there is no method {name.text}{did_you_mean(name.text, language.METHODS)}")
            return None
        if owner not in ("metric", None):
            self._tell(name.place, f"a {owner} has no samples; {name.text} belongs to variables such as $PendingTasks")
        kind, least, most = language.METHODS[name.text]
        self._check_count(name, len(arguments), least, most)
        return kind

    def _member(self, name: Word, owner: Kind) -> Kind:
        if name.text in language.METHODS:
            self._tell(name.place, f"{name.text} is a method; write {name.text}(...)")
        elif name.text not in language.MEMBERS:
            known = [*language.MEMBERS, *language.METHODS]
            self._tell(name.place, f"there is no part {name.text} of a timestamp{did_you_mean(name.text, known)}")
        elif owner not in ("timestamp", None):
            self._tell(name.place, f"a {owner} has no {name.text}; only a timestamp, such as time(), has")
        return "double"

    def _primary(self) -> Kind:
        word = self._word
        if word.kind in ("number", "text"):
            self._next += 1
            return "double" if word.kind == "number" else "string"
        if word.kind == "name":
            self._next += 1
            return self._call(word) if self._take("(") else self._read(word)
        if self._take("["):
            self._arguments("]")
            return "doubleVec"
        if not self._take("("):
            raise self._unexpected("a value")
        kind = self._expression()
        self._expect(")")
        return kind

    def _call(self, name: Word) -> Kind:
        arguments = self._arguments(")")
        if name.text not in language.FUNCTIONS:
            self._tell(name.place, f"there is no function {name.text}{did_you_mean(name.text, language.FUNCTIONS)}")
            return None
        kind, least, most = language.FUNCTIONS[name.text]
        self._check_count(name, len(arguments), least, most)
        if name.text == "time" and arguments and arguments[0] not in ("string", None):
            self._tell(name.place, f'time takes a text such as "2027-01-31T06:00:00Z", not a {arguments[0]}')
        return kind

    def _arguments(self, closing: str) -> list[Kind]:
        """The kinds of the values up to the closing sign, which is taken too."""
        wanted, self._wants_option = self._wants_option, False
        kinds: list[Kind] = []
        if not self._take(closing):
            kinds.append(self._expression())
            while self._take(","):
                kinds.append(self._expression())
            self._expect(closing)
        self._wants_option = wanted
        return kinds

    def _check_count(self, name: Word, given: int, least: int, most: int | None) -> None:
        if given < least or (most is not None and given > most):
            numbers = "no" if most == 0 else str(least) if least == most else f"at least {least}"
            if most is not None and least != most:
                numbers = f"{least} to {most}"
            self._tell(name.place, f"{name.text} takes {numbers} arguments, not {given}")

    def _read(self, word: Word) -> Kind:
        name = word.text
        if name in self._variables:
            return self._variables[name]
        if name in language.METRICS:
            return "metric"
        if name in language.TARGETS:
            return "double"
        if name in language.INTERVALS:
            return "timeinterval"
        if name in language.OPTIONS or name == language.DEALLOCATION:
            return "option"
        self._tell(word.place, self._unknown(name))
        return None

    def _unknown(self, name: str) -> str:
        if self._wants_option:
            meant = did_you_mean(name, language.OPTIONS)
            return f"`{name}` is not one of {', '.join(language.OPTIONS)}{meant}"
        if name in language.FUNCTIONS:
            return f"{name} is a function; write {name}(...)"
        known = [*self._variables, *language.METRICS, *language.TARGETS, *language.INTERVALS, *language.OPTIONS]
        meant = did_you_mean(name, known)
        return f"unknown variable `{name}`{meant or '; nothing was assigned to it before'}"


def _plain(kind: Kind) -> Kind:
    """A sampled variable is the double that it is now."""
    return "double" if kind == "metric" else None if kind == "option" else kind


def _is_option(value: Word, kind: Kind) -> bool:
    return kind == "string" and value.text.strip('"') in language.OPTIONS
