"""`autoscale` of a pool and every formula that is written out -> what Batch wants, held against the language.

Place in the pipeline: `wire` calls these for pools. In: properties as written, or data that a template gave. Out:
makers of `enableAutoScale`, `autoScaleFormula` and `autoScaleEvaluationInterval`. What the service alone knows of a
formula, `reconcile` asks it.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from batchspec.render import scope as making
from batchspec.render import template
from batchspec.render.scope import Made, Maker, Scope, fixed
from batchspec.render.shape import Shape, shape_of
from batchspec.spec.formula import named
from batchspec.spec.formula.check import faults
from batchspec.spec.formula.tokens import Place
from batchspec.spec.load import At

if TYPE_CHECKING:
    from batchspec.render.wire import Wire


def settings(wire: "Wire", properties: Mapping[str, object], made: dict[str, Maker], at: At) -> None:
    """`autoscale` becomes the three properties of Azure."""
    given = properties.get("autoscale")
    if given is None:
        return
    place = (*at, "autoscale")
    if isinstance(given, str):
        scale = wire.whole(given, place, lambda inner, value: _scale(inner, value, place))
    else:
        scale = _scale(wire, given, place)
    made["enableAutoScale"] = fixed(True)
    made["autoScaleFormula"] = making.then(scale, lambda one, scope: _part(one, "formula"), wire.scope)
    made["autoScaleEvaluationInterval"] = making.then(scale, lambda one, scope: _part(one, "interval"), wire.scope)


def _part(made: Made, word: str) -> Made:
    return made[word] if isinstance(made, dict) and word in made else making.OMIT


def _scale(wire: "Wire", given: object, at: At) -> Maker:
    """A maker of `{formula, interval}`."""
    if not isinstance(given, Mapping):
        return fixed(wire.scope.fault(at, "expected a mapping with `formula`, `max_nodes` and so on"))
    shape = shape_of("autoscale")
    makers = {}
    for word, value in given.items():
        if word in named.WORDS:
            makers[str(word)] = wire.value(value, shape.property(str(word))[1], (*at, str(word)))
        else:
            wire.scope.fault(at, f"the value has an unknown property '{word}'; there are {', '.join(named.WORDS)}")
    return making.then(
        making.object_of(makers), lambda made, scope: _composed(made, given.get("formula"), at, scope), wire.scope
    )


def _composed(made: Made, written: object, at: At, scope: Scope) -> Made:
    assert isinstance(made, dict)
    told = list(named.problems(made))
    for word, message in told:
        scope.fault((*at, word), message)
    formula = made.get("formula")
    if told or not isinstance(formula, str):
        return making.OMIT
    if formula in named.NAMES:
        return {"interval": named.DEFAULT_INTERVAL, **made, "formula": named.text(made)}
    _check(formula, written, (*at, "formula"), scope)
    return made


def formula(wire: "Wire", value: object, shape: Shape, at: At) -> Maker:
    """`auto_scale_formula`, read offline."""

    def check(made: Made, scope: Scope) -> Made:
        if isinstance(made, str):
            _check(made, value, at, scope)
        return made

    return making.then(wire.value(value, shape, at), check, wire.scope)


def _check(formula: str, written: object, at: At, scope: Scope) -> None:
    """Note every fault at its place in the file; of a formula that was rendered the place is told in words."""
    literal = not isinstance(written, str) or not template.is_template(written)
    for one in faults(formula):
        if literal and written == formula:
            scope.fault(at, one.message, _offset(formula, one.place))
        else:
            scope.fault(at, f"{one.message} (line {one.place.line}, column {one.place.column} of the rendered formula)")


def _offset(formula: str, place: Place) -> int:
    before = formula.split("\n")[: place.line - 1]
    return sum(len(line) + 1 for line in before) + place.column - 1
