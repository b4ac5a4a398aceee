"""Preflight of the account: credentials, clock, quotas."""

from datetime import timedelta

import pytest

from batchspec.reconcile.account import PoolInUse, Unknown, Use
from batchspec.reconcile.change import Change
from batchspec.reconcile.preflight_account import clock, core_quota, credentials, job_quota, pool_quota
from batchspec.reconcile.preflight_facts import Facts
from batchspec.render.model import JsonObject
from tests.reconcile.looking import NEW, POOL, account, facts, told

ASK = "or ask for a higher quota (portal: the Batch account, Quotas)"
DELETE = f"delete one that is not needed, {ASK}"
FEWER = f"use fewer or smaller nodes, or another VM family; delete pools that are not needed, {ASK}"
SPOT: JsonObject = {**POOL, "targetDedicatedNodes": 0, "targetLowPriorityNodes": 3}
AUTO_POOL: JsonObject = {"poolInfo": {"autoPoolSpecification": {"pool": POOL}}}
NO_MANAGER = Unknown("nobody is logged in")


def test_credentials_that_were_used_are_good_for_reading() -> None:
    assert told(credentials, facts()) == [
        ("credentials", "ok", "every request to Azure Batch and Blob Storage was allowed", ""),
        ("write permissions", "not checked", "nothing but a write can tell them, and a plan writes nothing", ""),
    ]


SET = "set the clock: keys and SAS are refused when it is 15 minutes off"


@pytest.mark.parametrize(
    ("ahead", "verdict", "fact", "fix"),
    [
        (timedelta(0), "ok", "this machine's clock is within 1 s of the service's", ""),
        (timedelta(seconds=-40), "ok", "this machine's clock is within 40 s of the service's", ""),
        (timedelta(minutes=6), "warning", "this machine's clock is 6 min ahead of the service's", SET),
        (timedelta(hours=-1), "failed", "this machine's clock is 1 h behind the service's", SET),
        (None, "not checked", "the service's answers have no date", ""),
    ],
)
def test_the_clock_may_be_a_little_off(ahead: timedelta | None, verdict: str, fact: str, fix: str) -> None:
    assert told(clock, facts(clock_ahead=ahead)) == [("clock", verdict, fact, fix)]


def pools(number: int) -> Use:
    return Use(tuple(PoolInUse(f"other{index}", "standard_d2s_v3", 1, 0) for index in range(number)))


@pytest.mark.parametrize(
    ("seen", "wanted"),
    [
        (
            facts(known=account(pools=20), use=pools(1)),
            ("ok", "1 pool is there and 1 more is to be made; the quota is 20", ""),
        ),
        (
            facts(known=account(pools=2), use=pools(2)),
            ("failed", "2 pools are there and 1 more is to be made, and the quota is 2", DELETE),
        ),
        (
            facts(known=NO_MANAGER),
            (
                "not checked",
                "0 pools are there and 1 more is to be made; the quota is not known: nobody is logged in",
                "",
            ),
        ),
        (
            facts(known=account()),
            (
                "not checked",
                "0 pools are there and 1 more is to be made; the quota is not known: the account has none of its own",
                "",
            ),
        ),
        (
            facts(known=account(pools=1), use=pools(1), changes=(Change("replace", "pool", "p"),)),
            ("ok", "1 pool is there; the quota is 1", ""),
        ),
        (
            facts(None, job=AUTO_POOL, known=account(pools=1), use=pools(1)),
            ("failed", "1 pool is there and 1 more is to be made, and the quota is 1", DELETE),
        ),
    ],
)
def test_a_pool_that_is_made_counts_against_the_quota(seen: Facts, wanted: tuple[str, str, str]) -> None:
    assert told(pool_quota, seen) == [("pool quota", *wanted)]


def test_a_pool_that_is_there_and_an_account_nobody_asked_for_need_no_quota() -> None:
    assert told(pool_quota, facts(known=account(pools=1), changes=())) == []
    assert told(pool_quota, facts()) == []


@pytest.mark.parametrize(
    ("active", "limit", "verdict"),
    [(("a", "b"), 3, "ok"), (("a", "b"), 2, "failed"), (("a", "J"), 2, "ok"), ((), None, "not checked")],
)
def test_a_job_counts_once_against_the_quota(active: tuple[str, ...], limit: int | None, verdict: str) -> None:
    seen = facts(known=account(active_jobs=limit), use=Use(active_jobs=active))
    assert [one[:2] for one in told(job_quota, seen)] == [("job quota", verdict)]


def test_a_job_that_is_there_needs_no_quota() -> None:
    assert told(job_quota, facts(known=account(active_jobs=0), changes=())) == []


def test_enough_cores_are_free() -> None:
    assert told(core_quota, facts(known=account(dedicated_cores=100), use=pools(3))) == [
        ("dedicated core quota", "ok", "a node has 2 cores; 94 of 100 dedicated cores are free", "")
    ]


def test_some_nodes_cannot_start() -> None:
    assert told(core_quota, facts(SPOT, known=account(low_priority_cores=5))) == [
        (
            "low-priority core quota",
            "warning",
            "2 of 3 nodes can start: a node has 2 cores; 5 of 5 low-priority cores are free",
            FEWER,
        )
    ]


def test_no_node_can_ever_start() -> None:
    name, fact = (
        "dedicated core quota",
        "no such node can ever start: a node has 2 cores; 1 of 1 dedicated cores are free",
    )
    assert told(core_quota, facts(known=account(dedicated_cores=1))) == [(name, "failed", fact, FEWER)]
    both: JsonObject = {**POOL, "targetLowPriorityNodes": 1}
    assert told(core_quota, facts(both, known=account(dedicated_cores=1))) == [(name, "warning", fact, FEWER)]
    scales: JsonObject = {"vmSize": "standard_d2s_v3", "enableAutoScale": True}
    assert told(core_quota, facts(scales, known=account(dedicated_cores=1))) == [(name, "warning", fact, FEWER)]


def test_dedicated_cores_count_by_family_where_the_account_counts_so() -> None:
    use = Use((PoolInUse("mine", "standard_d4s_v3", 1, 0), PoolInUse("other", "standard_a1", 9, 0)))
    known = account(dedicated_cores=500, family_cores={"standarddsv3family": 10})
    fact = "a node has 2 cores; 6 of 10 dedicated cores are free in the family standardDSv3Family"
    assert told(core_quota, facts(known=known, use=use)) == [("dedicated core quota", "ok", fact, "")]
    none = account(family_cores={"standardafamily": 10})
    assert [one[:2] for one in told(core_quota, facts(known=none))] == [("dedicated core quota", "failed")]


def test_what_the_pool_itself_has_is_not_taken_away_from_it() -> None:
    use = Use((PoolInUse("P", "standard_d2s_v3", 2, 0),))
    seen = facts(known=account(dedicated_cores=4), use=use, changes=())
    assert [one[1] for one in told(core_quota, seen)] == ["ok"]


def test_the_cores_of_the_job_s_own_pool_count_too() -> None:
    seen = facts(None, job=AUTO_POOL, known=account(dedicated_cores=1))
    assert [one[:2] for one in told(core_quota, seen)] == [("dedicated core quota", "failed")]


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        (facts(known=NO_MANAGER), "the quota is not known: nobody is logged in"),
        (
            facts({**POOL, "vmSize": "odd"}, known=account(dedicated_cores=1)),
            "the name odd does not say how many cores it has",
        ),
    ],
)
def test_cores_that_are_not_known_are_not_checked(seen: Facts, why: str) -> None:
    assert told(core_quota, seen) == [("core quota", "not checked", why, "")]


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(facts(None, known=account(dedicated_cores=1)), id="no pool"),
        pytest.param(facts(existing=True, changes=(), known=account(dedicated_cores=1)), id="a pool of others"),
        pytest.param(facts(), id="an account nobody asked for"),
        pytest.param(facts(known=account()), id="an account without quotas of its own"),
        pytest.param(facts(changes=NEW[1:], known=account(low_priority_cores=0)), id="no such nodes are wanted"),
    ],
)
def test_where_no_node_is_wanted_of_us_no_core_is_counted(seen: Facts) -> None:
    assert told(core_quota, seen) == []
