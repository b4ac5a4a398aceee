"""What cannot end well is refused by plan and apply, on the engine, before anything is written."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.workspace import Services, Workspace, batchspec, environment, written

IMAGE = "image: {publisher: canonical, offer: ubuntu-24_04-lts, sku: server}"
POOL = f"""\
pool:
  id: "{{{{ name }}}}-pool"
  vm_size: standard_d2s_v3
  target_dedicated_nodes: 1
  {IMAGE}
containers: {{output: {{}}}}
"""
TASK = "tasks: [{id: one, command: echo one}]\n"
AGENT = "batch.node.ubuntu 22.04"
OWN_AGENT = f"""\
virtual_machine_configuration:
    image_reference: {{publisher: canonical, offer: ubuntu-24_04-lts, sku: server}}
    node_agent_sku_id: {AGENT}"""
ENDED = OWN_AGENT.replace("ubuntu-24_04-lts, sku: server", "0001-com-ubuntu-server-focal, sku: 20_04-lts")
LARGE = ", ".join(f"V{number}: {'x' * 110_000}" for number in range(10))
# Check -> the spec, the fact, the fix; each of them as a part.
WRONG = {
    "required slots": (
        POOL + TASK.replace("id: one", "id: one, required_slots: 2"),
        "task one needs 2 slots and a node of pool NAME-pool has 1 slot: it would wait for ever",
        "lower `required_slots`, or raise the pool's `task_slots_per_node`",
    ),
    "slots per node": (
        POOL.replace("target_", "task_slots_per_node: 9\n  target_") + TASK,
        "task_slots_per_node is 9, and standard_d2s_v3 allows 8",
        "write 8 or less, or take a larger size",
    ),
    "operating system": (
        POOL.replace("target_", "os: windows\n  target_") + TASK,
        "the image has linux, and the commands are made for windows",
        "write `os: linux` under `pool`",
    ),
    "node agent": (
        POOL.replace(IMAGE, OWN_AGENT) + TASK,
        f"{AGENT} does not fit canonical ubuntu-24_04-lts server, which needs batch.node.ubuntu 24.04",
        "write batch.node.ubuntu 24.04, or leave `node_agent_sku_id` out",
    ),
    "image": (
        POOL.replace(IMAGE, ENDED.replace(AGENT, "batch.node.ubuntu 20.04")) + TASK,
        "Batch makes no new pools of canonical 0001-com-ubuntu-server-focal 20_04-lts since 2025-05-31",
        "choose a newer one",
    ),
    "multi-instance": (
        POOL.replace("target_", "enable_inter_node_communication: true\n  target_")
        + TASK.replace(
            "id: one", "id: one, multi_instance_settings: {number_of_instances: 2, coordination_command_line: 'true'}"
        ),
        "task one would wait for ever: it needs 2 nodes and pool NAME-pool shall have 1 node",
        "give the pool more nodes",
    ),
    "limits": (
        POOL + f"job: {{job_preparation_task: {{command: echo, environment_settings: {{{LARGE}}}}}}}\n" + TASK,
        "the request that makes the job has 1,10",
        "shorten what is long",
    ),
}
# Check -> the spec, the fact: nothing that stops a plan.
DOUBTFUL = {
    "SAS life": (
        POOL
        + "wait: {timeout: PT1M}\n"
        + TASK.replace(
            "command: echo one",
            "command: echo one, constraints: {max_wall_clock_time: P30D},"
            " output_files: [{file_pattern: '*.txt', container: output}]",
        ),
        "and task one may run for 30 days",
    ),
    "time limits": (
        POOL + TASK.replace("id: one", "id: one, constraints: {max_wall_clock_time: P1D}"),
        "task one may run for 1 day, and the wait ends after 30 min",
    ),
    "nodes": (
        POOL.replace("target_dedicated_nodes: 1", "target_dedicated_nodes: 0") + TASK,
        "shall have 0 nodes, so no task can start",
    ),
    "program ffmpeg": (
        POOL + TASK.replace("echo one", "ffmpeg -i a b"),
        "task one runs ffmpeg, which the image does not have, and no start task mentions it",
    ),
}


def checks(work: Workspace, code: int) -> dict[str, dict[str, Any]]:
    """What `plan` tells, by name; it must end with this code."""
    planned = work.run("plan", "--format", "json")
    assert planned.code == code, planned
    return {one["name"]: one for one in json.loads(planned.stdout)["checks"]}


def failed(found: dict[str, dict[str, Any]]) -> list[str]:
    return [name for name, one in found.items() if one["verdict"] == "failed"]


@pytest.mark.parametrize("name", WRONG)
def test_a_check_that_fails_ends_plan_with_6(name: str, write: Callable[[str], Workspace]) -> None:
    spec, fact, fix = WRONG[name]
    work = write(spec)
    found = checks(work, 6)
    assert failed(found) == [name]
    assert fact.replace("NAME", work.name) in found[name]["fact"]
    assert fix in found[name]["fix"]


@pytest.mark.parametrize("name", ["required slots", "slots per node"])
def test_a_check_that_fails_ends_apply_with_6_and_nothing_is_written(
    name: str, write: Callable[[str], Workspace], raw: Services
) -> None:
    work = write(WRONG[name][0])
    applied = work.run("apply", "--yes")
    assert applied.code == 6, applied
    assert f"\n  failed       {name}: " in applied.stdout
    assert applied.stderr.endswith(
        f"error: preflight found what cannot end well: {name}\n  correct it as the plan says; see above\n"
    )
    assert raw.of(work.name) == ([], [], [])
    assert work.name not in raw.jobs()


@pytest.mark.parametrize("name", DOUBTFUL)
def test_a_doubt_is_told_and_stops_nothing(name: str, write: Callable[[str], Workspace]) -> None:
    spec, fact = DOUBTFUL[name]
    found = checks(write(spec), 0)
    assert {one for one, told in found.items() if told["verdict"] == "warning"} >= {name}
    assert fact in found[name]["fact"]
    assert found[name]["fix"]


@pytest.fixture
def own_engine(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace whose engine no other test uses."""
    work = written(tmp_path / "work", "quotas", POOL + TASK, environment(tmp_path / "state"))
    yield work
    assert batchspec("engine", "stop", cwd=work.folder, env=work.env).code == 0


def test_quotas_that_are_used_up_are_told_before_the_service_refuses(own_engine: Workspace) -> None:
    work = own_engine
    assert failed(checks(work, 0)) == []

    def fault(*words: str) -> None:
        ran = batchspec("engine", "fault", *words, cwd=work.folder, env=work.env)
        assert ran.code == 0, ran

    fault("quota", "pools=0", "active_jobs=0", "dedicated_cores=1")
    found = checks(work, 6)
    assert {name: found[name]["fact"] for name in failed(found)} == {
        "pool quota": "0 pools are there and 1 more is to be made, and the quota is 0",
        "job quota": "0 active jobs are there and 1 more is to be made, and the quota is 0",
        "dedicated core quota": "no such node can ever start: a node has 2 cores; 1 of 1 dedicated cores are free",
    }
    assert found["vm size"]["fact"] == (
        "standard_d2s_v3 has 2 cores; whether it can be had here is not known: the local engine takes any VM size"
    )
    fault("reset")
    assert work.run("apply", "--yes").code == 0
