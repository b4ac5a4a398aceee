"""What cannot end well is refused by plan and apply, on the engine, before anything is written."""

import json
from collections.abc import Callable

import pytest

from tests.end_to_end.workspace import Services, Workspace

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
OWN_AGENT = """\
virtual_machine_configuration:
    image_reference: {publisher: canonical, offer: ubuntu-24_04-lts, sku: server}
    node_agent_sku_id: batch.node.ubuntu 22.04"""
WRONG = {
    "required slots": POOL + TASK.replace("id: one", "id: one, required_slots: 2"),
    "slots per node": POOL.replace("target_", "task_slots_per_node: 9\n  target_") + TASK,
    "operating system": POOL.replace("target_", "os: windows\n  target_") + TASK,
    "node agent": POOL.replace(IMAGE, OWN_AGENT) + TASK,
    "image": POOL.replace(IMAGE, OWN_AGENT.replace("ubuntu-24_04", "ubuntu-9_04")) + TASK,
}


@pytest.mark.parametrize("name", WRONG)
def test_a_check_that_fails_ends_plan_with_6(name: str, write: Callable[[str], Workspace]) -> None:
    planned = write(WRONG[name]).run("plan", "--format", "json")
    assert planned.code == 6, planned
    answer = json.loads(planned.stdout)
    assert [one["name"] for one in answer["checks"] if one["verdict"] == "failed"] == [name]
    assert answer["error"]["message"] == f"preflight found what cannot end well: {name}"


@pytest.mark.parametrize("name", ["required slots", "slots per node"])
def test_a_check_that_fails_ends_apply_with_6_and_nothing_is_written(
    name: str, write: Callable[[str], Workspace], raw: Services
) -> None:
    work = write(WRONG[name])
    applied = work.run("apply", "--yes")
    assert applied.code == 6, applied
    assert f"\n  failed       {name}: " in applied.stdout
    assert applied.stderr.endswith(
        f"error: preflight found what cannot end well: {name}\n  correct it as the plan says; see above\n"
    )
    assert raw.of(work.name) == ([], [], [])
    assert work.name not in raw.jobs()
