"""Job schedules rendered: exact bodies, our marks, the pool that lives with them, and what is hardly meant."""

from pathlib import Path
from typing import Any

import pytest

from batchspec.render.printed import document
from batchspec.render.warnings import warnings
from batchspec.spec.read import read
from tests.render.conftest import Render

IMAGE = "{publisher: canonical, offer: ubuntu-24_04-lts, sku: server}"
POOL = f"pool: {{lifetime: LIFETIME, vm_size: s, target_dedicated_nodes: 1, image: {IMAGE}, start_task: START}}\n"
START = "{command: cp a.txt x, resource_files: [{upload: tools}]}"
FILES = {"a.txt": "a"}
UPLOAD = "containers: {tools: {}}\nuploads: {tools: {container: tools, files: a.txt}}\n"
SCHEDULE = """
schedule:
  schedule: {recurrence_interval: "PT{{ vars.hours }}H", do_not_run_after: 2030-01-01T00:00:00Z}
  job_specification:
    all_tasks_complete_mode: terminatejob
    common_environment_settings: {IN: "{{ schedule.id }}"}
    job_manager_task: {id: manager, command: add, resource_files: [{upload: tools}]}
"""
VARS = "vars: {hours: 2}\n"


def of(schedule: Any) -> dict[str, Any]:
    """The body of a rendered schedule."""
    assert schedule is not None
    body: dict[str, Any] = dict(schedule.body)
    return body


def test_a_schedule_is_the_rest_body_with_the_spec_s_pool_in_its_jobs(render_spec: Render) -> None:
    desired = render_spec(f"{VARS}{UPLOAD}pool: {{id: theirs, existing: true}}\n{SCHEDULE}", FILES).desired

    head, tasks = document(desired)
    assert (head["job"], list(tasks), desired.job, head["schedule"] != {}) == (None, [], None, True)
    body = of(desired.schedule)
    owner, mark = body.pop("metadata")
    assert owner == {"name": "batchspec:name", "value": "run"}
    assert mark == {"name": "batchspec:hash", "value": desired.schedule.hash if desired.schedule else ""}
    (file,) = body["jobSpecification"]["jobManagerTask"].pop("resourceFiles")
    assert file["filePath"] == "a.txt"
    assert body == {
        "id": "run",
        "schedule": {"recurrenceInterval": "PT2H", "doNotRunAfter": "2030-01-01T00:00:00Z"},
        "jobSpecification": {
            "onAllTasksComplete": "terminatejob",
            "commonEnvironmentSettings": [{"name": "IN", "value": "run"}],
            "jobManagerTask": {"id": "manager", "commandLine": "/bin/bash -c 'add'"},
            "poolInfo": {"poolId": "theirs"},
        },
    }
    assert desired.schedule is not None
    assert desired.schedule.uses == {"tools"}


@pytest.mark.parametrize(
    ("lifetime", "sent", "prepared"), [("job", "job", False), ("job_schedule", "jobschedule", True)]
)
def test_a_pool_with_a_lifetime_stands_in_the_jobs_of_the_schedule(
    render_spec: Render, lifetime: str, sent: str, prepared: bool
) -> None:
    pool = POOL.replace("LIFETIME", lifetime).replace("START", START)
    desired = render_spec(f"{VARS}{UPLOAD}{pool}{SCHEDULE}", FILES).desired

    body = of(desired.schedule)
    auto = body["jobSpecification"]["poolInfo"]["autoPoolSpecification"]
    assert (desired.pool, auto["poolLifetimeOption"]) == (None, sent)
    assert desired.auto_pool == auto["pool"]
    assert {"name": "batchspec:auto", "value": "true"} in auto["pool"]["metadata"]
    marks = {one["name"] for one in body["metadata"]}
    assert ("batchspec:start" in marks) == prepared  # each job has a new pool, or all of them have the same


def test_the_files_of_a_pool_that_lives_with_the_schedule_are_in_its_fingerprint(render_spec: Render) -> None:
    pool = POOL.replace("LIFETIME", "job_schedule").replace("START", START)

    def prepared(content: str) -> tuple[str, str]:
        found = render_spec(f"{VARS}{UPLOAD}{pool}{SCHEDULE}", {"a.txt": content}).desired.schedule
        assert found is not None
        return found.hash, found.prepared_hash

    (same, one), (again, other) = prepared("a"), prepared("b")
    assert same == again
    assert one != other


def test_a_lifetime_by_template_that_needs_a_schedule_is_told(render_spec: Render) -> None:
    pool = POOL.replace("LIFETIME", '"{{ vars.life }}"').replace("START", "{command: x}")
    (told,) = render_spec(f"vars: {{life: job_schedule}}\n{pool}tasks: [{{id: a, command: x}}]\n").told
    assert told == "spec.yaml:4:18: pool.lifetime: 'job_schedule' goes only with a `schedule`; write 'job'"


def test_an_existing_schedule_has_no_body(render_spec: Render) -> None:
    desired = render_spec("schedule: {id: theirs, existing: true}\n").desired

    head, _ = document(desired)
    assert head["schedule"] == {"id": "theirs", "existing": True}
    assert (desired.described_job, desired.auto_pool) == (None, None)


@pytest.mark.parametrize(
    ("job", "recurs", "found"),
    [
        ("{job_manager_task: {id: m, command: x}}", True, []),
        ("{job_manager_task: {id: m, command: x, kill_job_on_completion: false}}", True, ["nothing ends its jobs"]),
        ("{job_manager_task: {id: m, command: x, kill_job_on_completion: false}}", False, []),
        ("{constraints: {max_wall_clock_time: PT1H}}", True, ["the jobs start empty"]),
        ("{priority: 1}", True, ["nothing ends its jobs", "the jobs start empty"]),
    ],
)
def test_jobs_that_nothing_fills_or_ends_get_a_warning(
    tmp_path: Path, job: str, recurs: bool, found: list[str]
) -> None:
    when = "{recurrence_interval: P1D}" if recurs else "{}"
    schedule = f"schedule: {{schedule: {when}, job_specification: {job}}}"
    text = f"version: 1\nname: x\npool: {{id: p, existing: true}}\n{schedule}\n"
    (tmp_path / "s.yaml").write_text(text)
    spec, problems = read(tmp_path / "s.yaml", "s")
    assert spec is not None
    assert problems == []
    told = warnings(spec)
    assert [one.message.partition(":")[0].partition(",")[0].partition(" and")[0] for one in told] == found
    assert {one.path for one in told} <= {"schedule.job_specification"}
