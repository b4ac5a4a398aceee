"""A pool that scales by a formula, on the engine: its tasks need not wait for the second evaluation."""

from collections.abc import Callable

from tests.end_to_end.workspace import Services, Workspace

POOL = """\
pool:
  id: "{{ name }}-pool"
  vm_size: standard_d2s_v3
  image: {publisher: canonical, offer: ubuntu-24_04-lts, sku: server}
  autoscale: {formula: scale_to_pending_tasks, max_nodes: 2}
"""
TASKS = """\
tasks:
  - for_each: {items: [a, b, c, d]}
    id: "{{ item }}"
    command: echo {{ item }}
"""
FORMULA = "{formula: scale_to_pending_tasks, max_nodes: 2}"
WRONG = "{formula: '$TargetDedicatedNodes = 1 / ($CurrentDedicatedNodes - $CurrentDedicatedNodes);'}"


def test_a_new_pool_begins_with_a_node_and_its_tasks_end_before_it_is_evaluated_again(
    write: Callable[[str], Workspace], raw: Services
) -> None:
    work = write(POOL + TASKS)
    planned = work.run("plan", "-v")
    assert planned.code == 0, planned
    assert "  not checked  autoscale formula: read offline only; the service evaluates it once" in planned.stdout
    applied = work.run("apply")
    assert applied.code == 0, applied
    tasks = raw.tasks(work.name)
    assert {task_id: ended for task_id, (_, ended, _) in tasks.items()} == dict.fromkeys("abcd", "success")
    pool, job = raw.batch.get_pool(f"{work.name}-pool"), raw.batch.get_job(work.name)
    evaluated = pool.auto_scale_run
    assert evaluated is not None
    assert job.creation_time is not None
    assert evaluated.timestamp < job.creation_time
    again = work.run("plan", "-v")
    assert "  ok           autoscale formula: the service accepts it; it would give " in again.stdout


def test_a_formula_that_the_service_rejects_adds_no_task_and_stops_the_next_plan(
    write: Callable[[str], Workspace], raw: Services
) -> None:
    work = write(POOL.replace(FORMULA, WRONG) + TASKS)
    applied = work.run("apply")
    assert applied.code == 1, applied
    assert "AutoScalingFormulaEvaluationError" in applied.stderr
    assert "no task was added" in applied.stderr
    assert work.name not in raw.jobs()
    refused = work.run("plan")
    assert refused.code == 6, refused
    assert "  failed       autoscale formula: the service does not accept it: " in refused.stdout
    work.edit(WRONG, FORMULA)
    applied = work.run("apply")
    assert applied.code == 0, applied
