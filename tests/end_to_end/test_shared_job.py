"""A job that several specs share: each sees, and deletes, only its own tasks in it."""

from collections.abc import Callable

from tests.end_to_end.workspace import Services, Workspace

OWNER = """\
pool:
  vm_size: standard_d2s_v3
  target_dedicated_nodes: 1
  image: {publisher: canonical, offer: ubuntu-24_04-lts, sku: server}
job: {}
"""
GUEST = """\
version: 1
name: guest-KEY-OWNER
pool: {id: OWNER, existing: true}
job: {id: OWNER, existing: true}
tasks: [{for_each: {range: 2}, id: "KEY-{{ value }}", command: echo KEY}]
"""


def test_specs_that_share_a_job_delete_their_own_tasks_in_it(write: Callable[[str], Workspace], raw: Services) -> None:
    work = write(OWNER)
    assert work.run("apply").code == 0
    owner = work.spec.read_text()
    for key in ("a", "b"):
        work.spec.write_text(GUEST.replace("KEY", key).replace("OWNER", work.name))
        assert work.run("apply").code == 0
        assert work.run("plan", "--detailed-exitcode").stdout == "Nothing to do\n"
    assert sorted(raw.tasks(work.name)) == ["a-0", "a-1", "b-0", "b-1"]

    gone = work.run("delete", "--yes")
    assert (gone.code, gone.stdout) == (0, f"  - tasks      2 of job {work.name}: b-0, b-1\nDeleted 2 resources\n")
    assert sorted(raw.tasks(work.name)) == ["a-0", "a-1"]
    assert work.run("delete", "--yes").stdout == "Nothing to delete\n"

    work.spec.write_text(owner)
    assert work.run("delete", "--yes").code == 0
    assert raw.of(work.name) == ([], [], [])
