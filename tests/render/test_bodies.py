from pathlib import Path
from typing import Any

from tests.render.conftest import Render, Rendered

TASKS = """\
tasks:
  - {id: a, name: a, command_line: x}
  - {id: b, needs: [a], command_line: x}
"""


def job(rendered: Rendered) -> dict[str, Any]:
    assert rendered.desired.job is not None
    assert rendered.desired.job.body is not None
    return dict(rendered.desired.job.body)


def test_the_hash_is_over_the_body_without_marks(render_spec: Render) -> None:
    def hash_of(text: str) -> str:
        pool = render_spec(text).desired.pool
        assert pool is not None
        return pool.hash

    assert hash_of("pool: {id: p, vm_size: s}\n") == hash_of("pool: {vm_size: s, id: '{{ vars.x }}'}\nvars: {x: p}\n")
    assert hash_of("pool: {vm_size: s}\n") != hash_of("pool: {vm_size: t}\n")


def test_the_start_tasks_fingerprint_stands_in_the_metadata(render_spec: Render) -> None:
    pool = render_spec("pool: {vm_size: s, start_task: {command: x}}\n").desired.pool
    assert pool is not None
    assert pool.body is not None
    metadata: Any = pool.body["metadata"]
    assert metadata == [
        {"name": "batchspec:name", "value": "run"},
        {"name": "batchspec:hash", "value": pool.hash},
        {"name": "batchspec:start", "value": pool.start_task_hash},
    ]


def test_a_job_goes_to_the_pool_unless_it_names_another(render_spec: Render) -> None:
    assert job(render_spec(f"pool: {{id: p, vm_size: s}}\n{TASKS}"))["poolInfo"] == {"poolId": "p"}
    other = job(render_spec(f"pool: {{vm_size: s}}\njob: {{pool_info: {{pool_id: q}}}}\n{TASKS}"))
    assert other["poolInfo"] == {"poolId": "q"}


def test_tasks_that_wait_need_a_job_that_lets_them(render_spec: Render) -> None:
    assert job(render_spec(f"pool: {{vm_size: s}}\n{TASKS}"))["usesTaskDependencies"] is True
    (told,) = render_spec(f"pool: {{vm_size: s}}\njob: {{uses_task_dependencies: false}}\n{TASKS}").told
    assert told == ("spec.yaml:4:31: job.uses_task_dependencies: is false, but tasks wait for others; leave it out")


def test_a_job_says_when_it_ends_in_the_words_of_the_wire(render_spec: Render) -> None:
    body = job(
        render_spec("pool: {vm_size: s}\njob: {all_tasks_complete_mode: terminatejob, task_failure_mode: noaction}\n")
    )
    assert (body["onAllTasksComplete"], body["onTaskFailure"]) == ("terminatejob", "noaction")


LIVES_WITH_ITS_JOB = """\
containers: {tools: {}}
uploads: {tool: {container: tools, files: tool.txt}}
pool:
  lifetime: job
  keep_alive: true
  vm_size: s
  metadata: {team: research}
  start_task: {command_line: x, resource_files: [{upload: tool}]}
"""


def test_a_pool_with_a_lifetime_stands_in_the_job_with_a_mark_of_its_owner(render_spec: Render, tmp_path: Path) -> None:
    (tmp_path / "tool.txt").write_text("one")
    rendered = render_spec(f"{LIVES_WITH_ITS_JOB}{TASKS}")
    assert rendered.desired.pool is None
    auto = job(rendered)["poolInfo"]["autoPoolSpecification"]
    assert (auto["poolLifetimeOption"], auto["keepAlive"], auto["pool"]["vmSize"]) == ("job", True, "s")
    assert auto["pool"]["metadata"] == [
        {"name": "team", "value": "research"},
        {"name": "batchspec:name", "value": "run"},
        {"name": "batchspec:auto", "value": "true"},
    ]
    named = job(render_spec(f"{LIVES_WITH_ITS_JOB}  id: night\n{TASKS}"))["poolInfo"]["autoPoolSpecification"]
    assert ("autoPoolIdPrefix" in auto, named["autoPoolIdPrefix"]) == (False, "night")


def test_what_prepares_the_nodes_counts_for_the_tasks_and_has_a_mark_on_the_job(
    render_spec: Render, tmp_path: Path
) -> None:
    def marks(content: str, spec: str) -> tuple[list[str], str, str]:
        (tmp_path / "tool.txt").write_text(content)
        rendered = render_spec(spec)
        assert rendered.desired.job is not None
        prepared = rendered.desired.job.prepared_hash
        metadata: Any = job(rendered)["metadata"]
        assert {"name": "batchspec:start", "value": prepared} in metadata
        return [task.hash for task in rendered.desired.tasks()], prepared, rendered.desired.job.hash

    preparing = (
        "containers: {tools: {}}\nuploads: {tool: {container: tools, files: tool.txt}}\npool: {vm_size: s}\n"
        "job: {job_preparation_task: {command_line: x, resource_files: [{upload: tool}]}}\n"
    )
    for spec in (f"{LIVES_WITH_ITS_JOB}{TASKS}", f"{preparing}{TASKS}"):
        (tasks, prepared, body), (tasks_after, prepared_after, body_after) = marks("one", spec), marks("two", spec)
        assert body == body_after
        assert prepared != prepared_after
        assert not set(tasks) & set(tasks_after)
