"""Preflight of the pool: size, image, agent, generation, slots and nodes."""

from typing import Any

import pytest

from batchspec.reconcile.account import Unknown
from batchspec.reconcile.preflight_facts import Facts
from batchspec.reconcile.preflight_pool import generation, image, nodes, slots, vm_size
from batchspec.render.model import JsonObject
from batchspec.render.symbolic import symbol
from tests.reconcile import looking
from tests.reconcile.looking import NEW, POOL, UBUNTU, account, facts, told

SEE = "`az batch pool supported-images list` shows all"
SOON = "move to a newer one: after that day no pool can be made of it, and existing ones lose their nodes"
LOSES = "choose a newer one: the pool gets no more nodes, and loses those that it has"


def sized(name: str, **more: Any) -> JsonObject:
    return {**POOL, "vmSize": name, **more}


@pytest.mark.parametrize(
    ("seen", "wanted"),
    [
        (facts(known=account()), ("ok", "standard_d2s_v3 has 2 cores and is offered here", "")),
        (
            facts(sized("standard_a1"), known=account()),
            ("warning", "Batch supports standard_a1 for 30 more days, until 2026-07-01", SOON),
        ),
        (
            facts(sized("standard_a2"), known=account()),
            ("failed", "Batch makes no new pools of standard_a2 since 2026-05-01", "choose a newer one"),
        ),
        (
            facts(sized("standard_a2"), known=account(), changes=()),
            ("warning", "Batch does not support standard_a2 since 2026-05-01", LOSES),
        ),
        (
            facts(sized("standard_d2_v3"), known=account()),
            (
                "failed",
                "Batch offers no standard_d2_v3 in westeurope; near: standard_d2s_v3, standard_d4s_v3, standard_a2",
                "choose a size of this region (az batch location list-skus --location westeurope)",
            ),
        ),
        (
            facts(sized("odd"), known=account(), changes=()),
            (
                "warning",
                "Batch offers no odd in westeurope",
                "choose a size of this region (az batch location list-skus --location westeurope)",
            ),
        ),
        (
            facts(known=Unknown("nobody is logged in")),
            (
                "not checked",
                "standard_d2s_v3 has 2 cores; whether it can be had here is not known: nobody is logged in",
                "",
            ),
        ),
        (
            facts(sized("odd"), known=account(Unknown("not allowed"))),
            ("not checked", "odd; whether it can be had here is not known: not allowed", ""),
        ),
    ],
)
def test_the_size_can_be_had_and_for_how_long(seen: Facts, wanted: tuple[str, str, str]) -> None:
    assert told(vm_size, seen) == [("vm size", *wanted)]


def test_no_size_is_told_where_nobody_asked_or_there_is_none() -> None:
    assert told(vm_size, facts()) == []
    assert told(vm_size, facts(None, known=account())) == []


FITS = [
    ("image", "ok", "the service supports canonical ubuntu-24_04-lts server", ""),
    ("node agent", "ok", "batch.node.ubuntu 24.04 fits the image", ""),
    ("operating system", "ok", "the image has linux, and so do the commands", ""),
]


def test_an_image_of_the_list_with_its_agent_is_fine() -> None:
    assert told(image, facts(images=[looking.image()])) == FITS


def test_the_case_of_names_does_not_matter() -> None:
    shouted: JsonObject = {"publisher": "Canonical", "offer": "UBUNTU-24_04-LTS", "sku": "Server"}
    assert told(image, facts(images=[looking.image(shouted, "BATCH.node.ubuntu 24.04")])) == FITS


@pytest.mark.parametrize(
    ("end", "new", "wanted"),
    [
        (
            "2029-05-31T00:00:00Z",
            True,
            ("ok", "the service supports canonical ubuntu-24_04-lts server until 2029-05-31", ""),
        ),
        (
            "2026-06-02T00:00:00Z",
            True,
            ("warning", "Batch supports canonical ubuntu-24_04-lts server for 1 more day, until 2026-06-02", SOON),
        ),
        (
            "2026-05-31T00:00:00Z",
            True,
            (
                "failed",
                "Batch makes no new pools of canonical ubuntu-24_04-lts server since 2026-05-31",
                "choose a newer one",
            ),
        ),
        (
            "2026-05-31T00:00:00Z",
            False,
            ("warning", "Batch does not support canonical ubuntu-24_04-lts server since 2026-05-31", LOSES),
        ),
    ],
)
def test_an_image_has_an_end(end: str, new: bool, wanted: tuple[str, str, str]) -> None:
    seen = facts(images=[looking.image(batchSupportEndOfLife=end)], changes=NEW if new else ())
    assert told(image, seen)[0] == ("image", *wanted)


def test_an_image_that_the_service_does_not_know_fails_for_a_new_pool() -> None:
    other: JsonObject = {"publisher": "canonical", "offer": "ubuntu-22_04-lts", "sku": "server"}
    fact = (
        "the service supports no image 'canonical ubuntu-24_04-lts server' (publisher offer sku); near: canonical "
        "ubuntu-22_04-lts server"
    )
    for changes, verdict in ((NEW, "failed"), ((), "warning")):
        seen = facts(images=[looking.image(other)], changes=changes)
        assert told(image, seen) == [("image", verdict, fact, SEE)]


def test_an_own_image_is_not_in_the_list_and_its_agent_says_the_system() -> None:
    own = sized("x", virtualMachineConfiguration={"imageReference": {"virtualMachineImageId": "/x"}})
    assert told(image, facts(own, images=[looking.image()])) == [
        ("image", "not checked", "an own image is not in the service's list", "")
    ]


def test_an_image_that_batch_has_not_verified_is_a_warning() -> None:
    seen = facts(images=[looking.image(verificationType="unverified")])
    assert told(image, seen)[1] == (
        "image verification",
        "warning",
        "Batch has not verified that canonical ubuntu-24_04-lts server works with its agent",
        "try it with one node first, or choose a verified image",
    )


def test_another_agent_fails_with_the_right_one() -> None:
    seen = facts(images=[looking.image(agent="batch.node.ubuntu 26.04")])
    assert told(image, seen)[1] == (
        "node agent",
        "failed",
        "batch.node.ubuntu 24.04 does not fit canonical ubuntu-24_04-lts server, which needs batch.node.ubuntu 26.04",
        "write batch.node.ubuntu 26.04, or leave `node_agent_sku_id` out (with `image:`) so that it is looked up",
    )


def test_an_agent_that_is_looked_up_is_named() -> None:
    machine: JsonObject = {"imageReference": UBUNTU, "nodeAgentSKUId": symbol("node_agent_sku")}
    seen = facts(sized("x", virtualMachineConfiguration=machine), images=[looking.image()])
    assert told(image, seen)[1] == ("node agent", "ok", "batch.node.ubuntu 24.04 was looked up for the image", "")


def test_commands_for_another_system_than_the_image_s_fail() -> None:
    fact, fix = "the image has linux, and the commands are made for windows", "write `os: linux` under `pool`"
    seen = facts(images=[looking.image()], os="windows")
    assert told(image, seen)[2] == ("operating system", "failed", fact, fix)


def test_images_that_nobody_asked_for_and_pools_without_one_are_not_told_of() -> None:
    assert told(image, facts()) == []
    assert told(image, facts({"vmSize": "x"}, images=[looking.image()])) == []


def with_sku(sku: str, size: str = "standard_d2s_v3") -> JsonObject:
    return sized(size, virtualMachineConfiguration={"imageReference": {**UBUNTU, "sku": sku}})


@pytest.mark.parametrize(
    ("pool", "wanted"),
    [
        (with_sku("22_04-lts-gen2"), ("ok", "standard_d2s_v3 takes images of generation 2", "")),
        (with_sku("server-gen1"), ("ok", "standard_d2s_v3 takes images of generation 1", "")),
        (
            with_sku("22_04-lts-gen2", "standard_a1"),
            (
                "failed",
                "the image is for generation 2, and standard_a1 takes 1",
                "choose the image's sku of the other generation, or another size",
            ),
        ),
        (
            with_sku("22_04-lts-gen2", "odd"),
            ("not checked", "the image is for generation 2; the generations of odd are not known", ""),
        ),
    ],
)
def test_the_image_s_generation_is_one_of_the_size(pool: JsonObject, wanted: tuple[str, str, str]) -> None:
    assert told(generation, facts(pool, known=account())) == [("image generation", *wanted)]


def test_a_generation_that_the_sku_does_not_say_is_not_told_of() -> None:
    assert told(generation, facts(known=account())) == []
    assert told(generation, facts(with_sku("22_04-lts-gen2"))) == []


@pytest.mark.parametrize(
    ("pool", "wanted"),
    [
        (
            sized("standard_d2s_v3", taskSlotsPerNode=8),
            ("ok", "task_slots_per_node is 8; standard_d2s_v3 allows 8", ""),
        ),
        (
            sized("standard_d2s_v3", taskSlotsPerNode=9),
            (
                "failed",
                "task_slots_per_node is 9, and standard_d2s_v3 allows 8 (4 for each core, 256 at most)",
                "write 8 or less, or take a larger size",
            ),
        ),
        (
            sized("odd", taskSlotsPerNode=9),
            ("not checked", "task_slots_per_node is 9; the name odd does not say its cores", ""),
        ),
        (
            sized("odd", taskSlotsPerNode=300),
            ("failed", "task_slots_per_node is 300, and Batch allows 256", "write 256 or less, or take a larger size"),
        ),
    ],
)
def test_a_size_allows_four_slots_a_core(pool: JsonObject, wanted: tuple[str, str, str]) -> None:
    assert told(slots, facts(pool)) == [("slots per node", *wanted)]


def test_a_pool_that_is_there_with_too_many_slots_is_a_warning_and_one_slot_is_always_fine() -> None:
    assert told(slots, facts(sized("standard_d2s_v3", taskSlotsPerNode=9), changes=()))[0][1] == "warning"
    assert told(slots, facts()) == []


@pytest.mark.parametrize(
    ("seen", "wanted"),
    [
        (facts(), ("ok", "pool p shall have 2 dedicated nodes", "")),
        (
            facts({**POOL, "targetLowPriorityNodes": 1}),
            ("ok", "pool p shall have 2 dedicated nodes and 1 low-priority node", ""),
        ),
        (
            facts(sized("x", targetDedicatedNodes=0)),
            (
                "warning",
                "pool p shall have 0 nodes, so no task can start",
                "set target_dedicated_nodes or target_low_priority_nodes, or an autoscale formula",
            ),
        ),
        (
            facts(sized("x", targetDedicatedNodes=0), existing=True, changes=()),
            (
                "warning",
                "pool p shall have 0 nodes, so no task can start",
                "resize the pool; this spec does not own it",
            ),
        ),
    ],
)
def test_tasks_need_nodes(seen: Facts, wanted: tuple[str, str, str]) -> None:
    assert told(nodes, seen) == [("nodes", *wanted)]


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(facts(None), id="no pool"),
        pytest.param(facts(sized("x", targetDedicatedNodes=0), pending=0), id="nothing is to run"),
        pytest.param(facts({"vmSize": "x", "enableAutoScale": True}), id="a formula gives nodes"),
    ],
)
def test_where_no_node_is_needed_none_is_told_of(seen: Facts) -> None:
    assert told(nodes, seen) == []
