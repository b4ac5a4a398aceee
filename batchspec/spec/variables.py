"""The values of a spec's variables: defaults, files, the command line, and secrets from the environment.

Place in the pipeline: after `build`, before `render`. In: a Spec, what was given. Out: a value for every variable, and
problems. --var goes before --var-file (of which a later one goes before an earlier one), and that before the default.
Never shows a value that looks like a secret, and takes secrets from the environment only.

A variable without a usable value gets a stand-in of its type, so that `render` can look at the rest; there is a problem
then, and nothing may be sent.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from batchspec.errors import Problem, SpecInvalid
from batchspec.spec.document import At, dotted, shown
from batchspec.spec.leaks import secret_in
from batchspec.spec.load import load
from batchspec.spec.model import Spec, Variable
from batchspec.spec.reserved import CHARACTERS
from batchspec.spec.scalars import LARGEST_INTEGER
from batchspec.spec.schema import MANY, MAX_FINDINGS
from batchspec.spec.suggest import did_you_mean
from batchspec.spec.types import fits, stand_in, type_in_words

_INTEGER = re.compile(r"[-+]?\d{1,19}", re.ASCII)
_NUMBER = re.compile(r"[-+]?(\d{1,300}(\.\d{0,300})?|\.\d{1,300})([eE][-+]?\d{1,2})?", re.ASCII)


class _Unusable(ValueError):
    """A text does not have its variable's type; the message says what was expected."""


def values(
    spec: Spec,
    given: Mapping[str, str],
    files: Sequence[Path] = (),
    environ: Mapping[str, str] | None = None,
    *,
    allow_outside: bool = False,
    frozen: Mapping[str, object] | None = None,
) -> tuple[Mapping[str, object], list[Problem]]:
    """The value of every variable that `spec` declares, and what is wrong with what was given.

    `given` are --var's by name, `files` those of --var-file in order. Without `environ` secrets are not looked up.
    `allow_outside` is for files that are links out of their repository. `frozen` are values of a plan, before which
    everything else goes but defaults; one that is no use to this spec is passed over, since then the plan is stale.
    """
    gathering = _Gathering(spec)
    gathering.take_frozen(frozen or {})
    for file in files:
        gathering.take_file(file, allow_outside=allow_outside)
    for name, text in given.items():
        gathering.take_text(name, text)
    return gathering.finished(environ)


class _Gathering:
    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self._values: dict[str, object] = {}
        self._problems: list[Problem] = []

    def take_frozen(self, frozen: Mapping[str, object]) -> None:
        """Take the values of a plan."""
        for name, value in frozen.items():
            if not self._fault_of_name(name) and not _fault(self._spec.vars[name], value):
                self._values[name] = value

    def take_file(self, path: Path, *, allow_outside: bool = False) -> None:
        """Take the values of a YAML or JSON file, a mapping of names to values."""
        try:
            document = load(path, allow_outside=allow_outside)
        except SpecInvalid as error:
            self._problems += error.problems
            return
        self._problems += document.problems
        if not isinstance(document.data, dict):
            message = f"expected a mapping of variables to values, got {shown(document.data)}"
            self._problems.append(document.problem((), message))
            return
        for name, value in document.data.items():
            if fault := self._fault_of_name(name):
                self._problems.append(document.problem((name,), fault, on_key=True))
            elif fault := _fault(self._spec.vars[name], value):
                self._problems.append(document.problem((name,), fault))
                self._values[name] = _stand_in(self._spec.vars[name])
            else:
                self._values[name] = value

    def take_text(self, name: str, text: str) -> None:
        """Take the value of a --var."""
        if fault := self._fault_of_name(name):
            self._complain(("vars",), f"--var {_harmless(name)}: {fault}")
            return
        variable = self._spec.vars[name]
        self._values[name] = _stand_in(variable)
        try:
            value = _value_from_text(text, variable.type)
        except _Unusable as error:
            self._complain(variable.at, f"--var {name}: expected {error}, got {shown(text)}")
            return
        if fault := _fault(variable, value):
            self._complain(variable.at, f"--var {name}: {fault}")
        else:
            self._values[name] = value

    def finished(self, environ: Mapping[str, str] | None) -> tuple[Mapping[str, object], list[Problem]]:
        """Fill in defaults and secrets."""
        result: dict[str, object] = {}
        for name, variable in self._spec.vars.items():
            if variable.secret:
                if environ is not None:
                    result[name] = self._secret(variable, environ)
            elif name in self._values:
                result[name] = self._values[name]
            elif variable.required:
                self._complain(
                    variable.at, f"has no value; give one with --var {name}=VALUE or --var-file, or a default"
                )
                result[name] = _stand_in(variable)
            else:
                result[name] = variable.default
        found = sorted(set(self._problems))
        if len(found) > MAX_FINDINGS:
            found[MAX_FINDINGS:] = [replace(found[MAX_FINDINGS], path="", message=MANY)]
        return result, found

    def _secret(self, variable: Variable, environ: Mapping[str, str]) -> object:
        value = environ.get(variable.from_env or "", "")
        if not value and variable.from_env:
            self._complain(
                variable.at, f"the environment variable {variable.from_env} is not set; it holds this secret"
            )
        return value or _stand_in(variable)

    def _fault_of_name(self, name: str) -> str | None:
        variable = self._spec.vars.get(name)
        if variable is None:
            known = self._spec.vars
            there = f"it declares {', '.join(known)}" if known else "it declares none"
            meant = did_you_mean(name, known)
            return f"{self._spec.document.shown_as} declares no such variable{meant or f'; {there}'}"
        if variable.secret:
            return f"is a secret; set the environment variable {variable.from_env} instead"
        return None

    def _complain(self, at: At, message: str) -> None:
        self._problems.append(self._spec.document.problem(at, message))


def _value_from_text(text: str, kind: str | None) -> object:
    """The value that a text on the command line means. Raises _Unusable."""
    plain = text.strip()
    if kind == "boolean":
        if plain.lower() in ("true", "false"):
            return plain.lower() == "true"
        raise _Unusable("true or false")
    if kind == "integer":
        if _is_integer(plain):
            return int(plain)
        raise _Unusable("a whole number (64 bits)" if _INTEGER.fullmatch(plain) else "a whole number")
    if kind == "number":
        if _NUMBER.fullmatch(plain):
            return int(plain) if _is_integer(plain) else float(plain)
        raise _Unusable("a number")
    if kind in ("list", "object"):
        return _value_from_json(text, kind)
    return text


def _is_integer(text: str) -> bool:
    return _INTEGER.fullmatch(text) is not None and abs(int(text)) <= LARGEST_INTEGER


def _value_from_json(text: str, kind: str) -> object:
    example = '["a", "b"]' if kind == "list" else '{"a": 1}'
    try:
        value = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise _Unusable(f"{type_in_words(kind)} as JSON such as {example}") from error
    if not fits(value, kind):
        raise _Unusable(f"{type_in_words(kind)} as JSON such as {example}")
    return value


def _no_constant(word: str) -> object:
    raise ValueError(word)


def _fault(variable: Variable, value: object) -> str | None:
    """What is wrong with a value for a variable, or None."""
    if variable.type is not None and not fits(value, variable.type):
        quotes = "; write it in quotes" if variable.type == "string" and isinstance(value, bool | int | float) else ""
        return f"expected {type_in_words(variable.type)}, got {shown(value)}{quotes}"
    if variable.allowed and value not in variable.allowed:
        allowed = [str(one) for one in variable.allowed]
        meant = did_you_mean(str(value), allowed)
        return f"{shown(value)} is not one of {', '.join(map(shown, variable.allowed))}{meant}"
    return _fault_of_texts(value)


def _fault_of_texts(value: object) -> str | None:
    """What is wrong with a text in a value, wherever it is."""
    pending = [value]
    while pending:
        one = pending.pop()
        if isinstance(one, dict):
            pending += [*one.keys(), *one.values()]
        elif isinstance(one, list):
            pending += one
        elif isinstance(one, str):
            if kind := secret_in(one):
                return f"{kind} is given here and would be shown; declare it as {{secret: true, from_env: NAME}}"
            if any(character in one for character in f"{CHARACTERS}\0"):
                return "holds a character that batchspec reserves (U+E000 to U+E002, NUL); remove it"
            if any("\ud800" <= character <= "\udfff" for character in one):
                return "holds bytes that are not UTF-8"
    return None


def _stand_in(variable: Variable) -> object:
    if variable.default is not None:
        return variable.default
    return stand_in(variable.type, variable.name)


def _harmless(name: str) -> str:
    return dotted((name,)) or "''"
