"""The grammar of formulas: a text in, its statements out.

Place: first of the two steps, before `evaluate.py`. In: the text of a formula. Out: a `Formula`. Never: looks a name up
(an unknown symbol is an evaluation error, as recorded from the service) or computes anything.

    formula     statement { ";" statement }       a last ";" may be missing; empty statements are skipped
    statement   expression
    expression  name "=" expression | chain [ "?" expression ":" expression ]
    chain       || over && over == != over < <= > >= over + - over * /
    unary       { "-" | "!" } postfix
    postfix     primary { "." name [ "(" arguments ")" ] }
    primary     number | text | name [ "(" arguments ")" ] | "[" arguments "]" | "(" expression ")"

Written by hand: the grammar is small, and the service's errors are positions ("Line 1, Col 5: ..."), which are simplest
to get right where the words are read. Operators of one strength are kept flat (`Chain`), so that a long sum is no deep
tree; everything that does nest is limited to `MAX_DEPTH` levels, so that no formula can exhaust the stack.

Limits (documented): 8 KB, of which the .NET SDK says 8192 characters, and 100 statements. A formula with too many
statements gets the code for "exceeds lengths limit"; a text without any statement is a syntax error (both our reading).
"""

from batchspec.engine.autoscale.faults import SYNTAX_ERROR, TOO_LONG, FormulaInvalid, Position
from batchspec.engine.autoscale.tokens import Kind, Token, tokens
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

MAX_CHARACTERS = 8192
MAX_STATEMENTS = 100
MAX_DEPTH = 120
"""Levels of nesting; ours, the service names none."""


def parse(formula: str) -> Formula:
    """Read a formula. Raises `FormulaInvalid`: `AutoScalingFormulaTooLong` or `AutoScalingFormulaSyntaxError`."""
    if len(formula) > MAX_CHARACTERS:
        raise FormulaInvalid(TOO_LONG, f"{len(formula)} characters, {MAX_CHARACTERS} are allowed")
    return Formula(formula, _Parser(list(tokens(formula))).statements())


_STRENGTHS = {"||": 1, "&&": 2, "==": 3, "!=": 3, "<": 4, "<=": 4, ">": 4, ">=": 4, "+": 5, "-": 5, "*": 6, "/": 6}
_NO_OPERATOR = 0


class _Parser:
    """Recursive descent over the tokens of one formula."""

    def __init__(self, words: list[Token]) -> None:
        self._words = words
        self._index = 0
        self._depth = 0

    def statements(self) -> tuple[Expression, ...]:
        found: list[Expression] = []
        while True:
            while self._take(";"):
                pass
            if self._ended():
                break
            if len(found) == MAX_STATEMENTS:
                raise FormulaInvalid(TOO_LONG, f"{self._word.at}: More than {MAX_STATEMENTS} statements")
            found.append(self._expression())
            if not self._ended() and not self._is_sign(";"):
                raise self._unexpected("; expected between statements")
        if not found:
            raise self._unexpected("a statement expected")
        return tuple(found)

    @property
    def _word(self) -> Token:
        return self._words[self._index]

    def _ended(self) -> bool:
        return self._word.kind is Kind.END

    def _is_sign(self, *signs: str) -> bool:
        return self._word.kind is Kind.SIGN and self._word.text in signs

    def _next(self) -> Token:
        word = self._word
        self._index += 1
        return word

    def _take(self, sign: str) -> bool:
        found = self._is_sign(sign)
        self._index += found
        return found

    def _expect(self, sign: str) -> Position:
        at = self._word.at
        if not self._take(sign):
            raise self._unexpected(f"{sign} expected")
        return at

    def _unexpected(self, hint: str) -> FormulaInvalid:
        word = self._word
        seen = "Unexpected end of formula" if word.kind is Kind.END else f"Unexpected token: {word.text}"
        return FormulaInvalid(SYNTAX_ERROR, f"{word.at}: {seen} ({hint})")

    def _deeper(self) -> None:
        """One level down; every way to recurse passes here. An error ends the parsing, so only returning undoes it."""
        if self._depth == MAX_DEPTH:
            raise FormulaInvalid(SYNTAX_ERROR, f"{self._word.at}: More than {MAX_DEPTH} levels of nesting")
        self._depth += 1

    def _expression(self) -> Expression:
        self._deeper()
        found = self._chain(_NO_OPERATOR + 1)
        if self._is_sign("="):
            found = self._assignment(found)
        elif self._is_sign("?"):
            at = self._next().at
            then = self._expression()
            self._expect(":")
            found = Choice(found, then, self._expression(), at)
        self._depth -= 1
        return found

    def _assignment(self, target: Expression) -> Expression:
        if not isinstance(target, Name):
            raise self._unexpected("only a variable can be assigned to")
        self._index += 1
        return Assignment(target, self._expression())

    def _strength(self) -> int:
        return _STRENGTHS.get(self._word.text, _NO_OPERATOR) if self._word.kind is Kind.SIGN else _NO_OPERATOR

    def _chain(self, weakest: int) -> Expression:
        """Operands joined by operators of this strength or stronger."""
        self._deeper()
        found = self._unary()
        while (strength := self._strength()) >= weakest:
            rest: list[Link] = []
            while self._strength() == strength:
                sign = self._next()
                rest.append(Link(sign.text, sign.at, self._chain(strength + 1)))
            found = Chain(found, tuple(rest))
        self._depth -= 1
        return found

    def _unary(self) -> Expression:
        if not self._is_sign("-", "!"):
            return self._postfix()
        sign = self._next()
        self._deeper()
        operand = self._unary()
        self._depth -= 1
        return Unary(sign.text, operand, sign.at)

    def _postfix(self) -> Expression:
        found = self._primary()
        steps = 0
        while self._is_sign("."):
            at = self._next().at
            steps += 1
            if self._depth + steps > MAX_DEPTH:
                raise FormulaInvalid(SYNTAX_ERROR, f"{at}: More than {MAX_DEPTH} levels of nesting")
            found = self._member(found)
        return found

    def _member(self, owner: Expression) -> Expression:
        if self._word.kind is not Kind.NAME:
            raise self._unexpected("the name of a member expected")
        name = self._next()
        if not self._is_sign("("):
            return Member(owner, name.text, name.at)
        at = self._next().at
        return MethodCall(owner, name.text, self._arguments(")"), at)

    def _primary(self) -> Expression:
        word = self._word
        match word.kind:
            case Kind.NUMBER:
                return Number(float(self._next().text))
            case Kind.TEXT:
                return Text(self._next().text)
            case Kind.NAME:
                return self._name()
        if self._take("["):
            return Vector(self._arguments("]"), word.at)
        if not self._take("("):
            raise self._unexpected("a value expected")
        found = self._expression()
        self._expect(")")
        return found

    def _name(self) -> Expression:
        word = self._next()
        name = Name(word.text, word.at)
        if not self._is_sign("("):
            return name
        at = self._next().at
        return Call(name, self._arguments(")"), at)

    def _arguments(self, closing: str) -> tuple[Expression, ...]:
        """Values between commas, up to and with the closing sign."""
        if self._take(closing):
            return ()
        found = [self._expression()]
        while self._take(","):
            found.append(self._expression())
        self._expect(closing)
        return tuple(found)
