"""Pools that the service makes with a job and deletes with it: applied, waited for, told of, and gone."""

import json
from collections.abc import Callable

import pytest

from tests.end_to_end.workspace import Services, Workspace

SPEC = """
containers: {{tools: {{}}, output: {{keep: false}}}}
uploads: {{word: {{container: tools, files: word.txt}}}}
pool:
  id: "{{{{ name }}}}"
  lifetime: job
  vm_size: standard_d2s_v3
  target_dedicated_nodes: 2
  image: {{publisher: canonical, offer: ubuntu-24_04-lts, sku: server}}
  start_task:
    command: {start}
    resource_files: [{{upload: word}}]
{more}
tasks:
  - for_each: {{range: 3}}
    id: "one-{{{{ value }}}}"
    command: cat $AZ_BATCH_NODE_SHARED_DIR/word.txt > said-{{{{ value }}}}.txt
    output_files: [{{file_pattern: "said-*.txt", container: output}}]
downloads: [{{container: output, to: ../results}}]
"""
COPY = "cp word.txt $AZ_BATCH_NODE_SHARED_DIR"


@pytest.fixture
def make_spec(write: Callable[[str], Workspace]) -> Callable[..., Workspace]:
    """A spec with an auto pool; `start` is its start task, `more` is written behind the pool."""

    def made(start: str = COPY, more: str = "") -> Workspace:
        work = write(SPEC.format(start=start, more=more))
        (work.folder / "specs/word.txt").write_text("hello")
        return work

    return made


def pools(raw: Services, work: Workspace) -> list[str]:
    return [one for one in raw.pools() if one.startswith(f"{work.name}_")]


def test_a_pool_comes_and_goes_with_its_job(make_spec: Callable[..., Workspace], raw: Services) -> None:
    work = make_spec()

    applied = work.run("apply")

    assert applied.code == 0, applied
    assert f"+ job        {work.name:18} 2 x standard_d2s_v3, ubuntu 24.04" in applied.stdout
    assert "+ pool" not in applied.stdout
    assert "2 of 2 nodes ready" in applied.stderr
    said = {path.name: path.read_text() for path in (work.folder / "results").iterdir()}
    assert said == {f"said-{number}.txt": "hello" for number in range(3)}
    (pool,) = pools(raw, work)
    found = json.loads(work.run("status", "--format", "json").stdout)
    assert (found["pool"]["id"], found["pool"]["nodes"]) == (pool, {"idle": 2})
    assert work.run("plan").stdout == "Nothing to do\n"

    deleted = work.run("delete", "--yes")

    assert deleted.code == 0, deleted
    assert f"- pool       {pool}" in deleted.stdout
    assert (pools(raw, work), raw.jobs().count(work.name)) == ([], 0)
    assert raw.of(work.name) == ([], [], [])


def test_a_start_task_that_fails_on_every_node_is_told(make_spec: Callable[..., Workspace], raw: Services) -> None:
    work = make_spec("echo no such disk >&2; exit 7")

    applied = work.run("apply")

    assert applied.code == 3, applied
    (pool,) = pools(raw, work)
    assert f"no node of pool {pool} can run tasks: the start task failed on every one of them" in applied.stderr
    assert "no such disk" in applied.stderr
    node = next(iter(raw.nodes(pool)))
    assert "no such disk" in work.run("logs", "--start-task", node, "--stderr").stdout
    assert work.run("delete", "--yes").code == 0


def test_what_its_nodes_are_prepared_with_is_theirs_for_the_life_of_the_job(
    make_spec: Callable[..., Workspace], raw: Services
) -> None:
    work = make_spec()
    assert work.run("apply").code == 0
    (work.folder / "specs/word.txt").write_text("good bye")

    planned = work.run("plan").stdout

    assert "-/+ job" in planned
    assert "files that its nodes are prepared with changed" in planned
    assert work.run("apply", "--yes", "--force").code == 0
    assert {path.read_text() for path in (work.folder / "results").iterdir()} == {"good bye"}
    assert work.run("delete", "--yes").code == 0


def test_a_pool_that_is_kept_alive_is_left_to_delete(make_spec: Callable[..., Workspace], raw: Services) -> None:
    work = make_spec(more="  keep_alive: true\njob: {all_tasks_complete_mode: terminatejob}")
    assert work.run("apply").code == 0
    (pool,) = pools(raw, work)
    raw.batch.begin_delete_job(work.name).result()

    planned = work.run("plan").stdout

    assert f"Note: pool {pool} came with a job of this spec that is over, and stays" in planned
    deleted = work.run("delete", "--yes")
    assert deleted.code == 0, deleted
    assert f"- pool       {pool}" in deleted.stdout
    assert pools(raw, work) == []
