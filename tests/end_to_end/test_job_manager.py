"""Tasks that are more than one process on one node: a job manager that adds others, and a multi-instance task."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.end_to_end.workspace import REPOSITORY, Services, Workspace, exported

POOL = """
pool:
  id: "{{ name }}-pool"
  vm_size: standard_d2s_v3
  target_dedicated_nodes: 2
  enable_inter_node_communication: true
  image: {publisher: canonical, offer: ubuntu-24_04-lts, sku: server}
"""
MANAGED = (
    POOL
    + """\
  start_task: {command: cp *.py $AZ_BATCH_NODE_SHARED_DIR, resource_files: [{upload: programs}]}
vars: {batch_key: {secret: true, from_env: AZURE_BATCH_ACCESS_KEY}}
containers: {programs: {}, input: {}, output: {}}
uploads:
  programs: {container: programs, files: schedule/*.py}
  texts: {container: input, files: schedule/texts/*.txt}
job:
  all_tasks_complete_mode: terminatejob
  job_manager_task:
    id: manager
    kill_job_on_completion: false
    command: test ! -e {gate} && python3 $AZ_BATCH_NODE_SHARED_DIR/add_tasks.py
    environment_settings:
      BATCH_KEY: "{{ vars.batch_key }}"
      INPUT: "{{ containers.input.sas_url('rl') }}"
      OUTPUT: "{{ containers.output.sas_url('rcwl') }}"
downloads: [{container: output, to: ../results}]
"""
)
TWO_NODES = (
    POOL
    + """
containers: {output: {}}
tasks:
  - id: both
    multi_instance_settings:
      number_of_instances: 2
      coordination_command_line: "/bin/sh -c 'echo $AZ_BATCH_NODE_ID > $AZ_BATCH_TASK_SHARED_DIR/here.txt'"
    commands:
      - test $AZ_BATCH_IS_CURRENT_NODE_MASTER = true
      - echo $AZ_BATCH_HOST_LIST | tr ',' '\\n' | wc -l > nodes.txt
      - cat $AZ_BATCH_TASK_SHARED_DIR/here.txt >> nodes.txt
    output_files: [{file_pattern: nodes.txt, container: output, upload_condition: tasksuccess}]
downloads: [{container: output, to: ../results}]
"""
)


@pytest.fixture
def managed(write: Callable[[str], Workspace]) -> Workspace:
    """A job whose tasks its manager adds, with the programs and the texts of the schedule's example."""
    work = write(MANAGED)
    shutil.copytree(REPOSITORY / "specs/schedule", work.folder / "specs/schedule")
    key = exported(work.env, work.folder)["AZURE_BATCH_ACCESS_KEY"]
    return replace(work, env={**work.env, "AZURE_BATCH_ACCESS_KEY": key})


def test_the_tasks_that_a_job_manager_adds_are_waited_for(managed: Workspace, raw: Services) -> None:
    work = managed

    applied = work.run("apply")

    assert applied.code == 0, applied
    assert "4 of 4 completed: 4 succeeded" in applied.stderr
    assert {state for state, _, _ in raw.tasks(work.name).values()} == {"completed"}
    found = {path.name: json.loads(path.read_text())["words"] for path in (work.folder / "results").iterdir()}
    assert found == {"harbour.txt.json": 22, "the sea.txt.json": 28, "Über den Fluß.txt.json": 13}
    assert work.run("plan").stdout.startswith("Nothing to do\n")
    assert work.run("logs", "manager").stdout.startswith("3 new of 3 texts")
    assert work.run("delete", "--yes").code == 0


def test_a_job_manager_that_fails_is_told_as_a_task(managed: Workspace) -> None:
    (managed.folder.parent / "gate").touch()

    applied = managed.run("apply")

    assert applied.code == 3, applied
    assert "1 of 1 task failed" in applied.stderr
    assert "FailureExitCode (exit code 1)" in applied.stderr
    assert managed.run("delete", "--yes").code == 0


def test_a_multi_instance_task_runs_on_all_of_its_nodes(write: Callable[[str], Workspace], raw: Services) -> None:
    work = write(TWO_NODES)

    applied = work.run("apply")

    assert applied.code == 0, applied
    task = raw.batch.get_task(work.name, "both")
    (other,) = raw.batch.list_subtasks(work.name, "both")
    assert (other.id, other.exit_code) == (1, 0)
    assert task.node_info is not None
    assert other.node_info is not None
    first, second = task.node_info.node_id, other.node_info.node_id
    assert {first, second} == raw.nodes(f"{work.name}-pool").keys()
    # How many nodes it has, and what was written on the first one before it began.
    assert (work.folder / "results/nodes.txt").read_text().split() == ["2", first]
    assert work.run("plan").stdout.startswith("Nothing to do\n")
    assert work.run("delete", "--yes").code == 0
