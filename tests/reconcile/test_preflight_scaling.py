"""Preflight of the autoscale formula."""

import pytest

from batchspec.reconcile.account import Unknown
from batchspec.reconcile.preflight_facts import Facts
from batchspec.reconcile.preflight_scaling import formula
from batchspec.reconcile.scaling import Evaluation
from batchspec.render.model import JsonObject
from tests.reconcile.looking import POOL, facts, told

SCALES: JsonObject = {
    **{key: value for key, value in POOL.items() if not key.startswith("target")},
    "enableAutoScale": True,
}
NAME = "autoscale formula"
CORRECT = "correct the pool's autoscale formula; `batchspec render` shows it as it is sent"


def test_what_an_accepted_formula_gives_now_is_told() -> None:
    seen = facts(SCALES, changes=(), scaling=Evaluation(2, 1))
    gives = "the service accepts it; it would give 2 dedicated nodes and 1 low-priority node now"
    assert told(formula, seen) == [(NAME, "ok", gives, "")]


def test_a_formula_that_is_not_accepted_fails_with_the_service_s_words() -> None:
    seen = facts(SCALES, changes=(), scaling=Evaluation(fault="AutoScalingFormulaSyntaxError: bad"))
    fact = "the service does not accept it: AutoScalingFormulaSyntaxError: bad"
    assert told(formula, seen) == [(NAME, "failed", fact, CORRECT)]


def test_the_formula_of_a_pool_of_others_is_theirs_to_correct() -> None:
    seen = facts(SCALES, existing=True, changes=(), scaling=Evaluation(fault="Code: bad"))
    fix = "whoever owns the pool must correct it; until then the pool keeps the nodes that it has"
    assert told(formula, seen) == [(NAME, "warning", "the service cannot evaluate it: Code: bad", fix)]


def test_a_formula_that_wants_more_samples_is_a_warning() -> None:
    seen = facts(SCALES, changes=(), scaling=Evaluation(fault="InsufficientSampleData: few", too_early=True))
    fix = "let it ask GetSamplePercent first, so that it gives a number of nodes from the beginning"
    assert told(formula, seen) == [
        (NAME, "warning", "the service cannot evaluate it yet: InsufficientSampleData: few", fix)
    ]


LATER = "read offline only; the service evaluates it once the pool scales by it, before tasks are added"
AUTO_POOL: JsonObject = {"poolInfo": {"autoPoolSpecification": {"pool": SCALES}}}


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        pytest.param(facts(SCALES), LATER, id="a new pool"),
        pytest.param(facts(SCALES, changes=(), scaling=Unknown("not allowed")), "not allowed", id="it could not ask"),
        pytest.param(
            facts(None, job=AUTO_POOL),
            "read offline only; the service reads it when it makes the job's pool",
            id="an auto pool",
        ),
    ],
)
def test_what_was_not_evaluated_says_why(seen: Facts, why: str) -> None:
    assert told(formula, seen) == [(NAME, "not checked", why, "")]


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(facts(POOL), id="a pool of fixed size"),
        pytest.param(facts(SCALES, changes=()), id="in use and not asked for again"),
        pytest.param(facts(None, job=AUTO_POOL, changes=()), id="an auto pool that is there"),
    ],
)
def test_where_there_is_nothing_to_tell_nothing_is_told(seen: Facts) -> None:
    assert told(formula, seen) == []
