"""The job-preparation spec: what a job makes on each node before its tasks, and takes away after them."""

import json
from collections.abc import Callable

from tests.end_to_end.workspace import Services, Workspace

STARS = {
    "july-14.stars.csv": "seen at,star\n23:10,Vega\n23:12,Altair\n23:30,Deneb\n23:55,\n",
    "march-1.stars.csv": "seen at,star\n20:14,Sirius\n20:31,Betelgeuse\n21:02,Pollux\n",
    "march-2.stars.csv": "seen at,star\n22:40,Regulus\n23:05,Polaris\n",
}
PREPARES = "command: python3 prepare.py"
RELEASES = "command: python3 $AZ_BATCH_JOB_PREP_WORKING_DIR/release.py"


def nodes(raw: Services, work: Workspace) -> dict[str, tuple[str, str]]:
    """Of each node that ran a task of the job: how preparation and release ended."""
    found = {}
    for status in raw.batch.list_job_preparation_and_release_task_status(f"{work.name}-job"):
        infos = (status.job_preparation_task_execution_info, status.job_release_task_execution_info)
        results = [str(getattr(info.result, "value", info.result)) if info else "" for info in infos]
        found[str(status.node_id)] = (results[0], results[1])
    return found


def shared_files(raw: Services, work: Workspace, node: str) -> list[str]:
    """What is in a node's shared folder."""
    files = raw.batch.list_node_files(f"{work.name}-pool", node, recursive=True)
    return [str(one.name) for one in files if str(one.name).startswith("shared/")]


def test_nodes_are_prepared_once_and_tell_at_the_end_what_they_did(
    make: Callable[[str], Workspace], raw: Services
) -> None:
    work = make("job-preparation")

    ran = work.run("apply")

    assert ran.code == 0, ran
    results = work.folder / "results/job-preparation"
    assert {path.name: path.read_text() for path in results.glob("*.csv")} == STARS
    used = nodes(raw, work)
    assert set(used.values()) == {("success", "success")}
    statistics = [json.loads(path.read_text()) for path in (results / "statistics").iterdir()]
    assert sorted(one["node"] for one in statistics) == sorted(used)
    assert [sum(one[name] for one in statistics) for name in ("tasks", "looked up")] == [3, 9]
    assert [shared_files(raw, work, node) for node in used] == [[]] * len(used)
    again = work.run("apply")
    assert (again.code, "Nothing to do" in again.stdout) == (0, True), again

    (work.folder / "specs/job-preparation/stars.csv").write_text(
        "star,right ascension,declination,magnitude\nWega,279.235,38.784,0.03\n"
    )
    changed = work.run("plan")
    assert f"{work.name}-job replaced" in changed.stdout
    assert "files that its nodes are prepared with changed" in changed.stdout
    assert work.run("delete", "--yes").code == 0
    assert raw.of(work.name) == ([], [], [])


def test_a_preparation_that_fails_everywhere_ends_the_run_is_told_and_can_be_had_again(
    make: Callable[[str], Workspace], raw: Services
) -> None:
    work = make("job-preparation")
    ready = work.folder / "ready"
    work.edit(PREPARES, f"command: test -e {ready} || (echo catalogue is empty >&2; exit 7) && python3 prepare.py")

    ran = work.run("apply")

    assert ran.code == 3, ran
    assert (
        f"no node of pool {work.name}-pool can run tasks of job {work.name}-job: its preparation task failed on every "
        "one of them\n"
    ) in ran.stderr
    assert "FailureExitCode, exit code 7: " in ran.stderr
    assert "\n  | catalogue is empty\n" in ran.stderr
    status = work.run("status")
    told = json.loads(work.run("status", "--format", "json").stdout)["job"]["failures"]
    assert (status.code, "job preparation task failed on 2 nodes:\n" in status.stdout) == (0, True), status
    assert [(one["kind"], one["exit_code"], one["stderr"]) for one in told] == [
        ("job preparation task", 7, ["catalogue is empty"])
    ] * 2
    assert f"logs specs/job-preparation.yaml --preparation {told[0]['node']}" in status.stdout
    logs = work.run("logs", "--preparation", told[0]["node"])
    assert (logs.code, logs.stdout, logs.stderr.splitlines()[-1]) == (0, "", "catalogue is empty"), logs
    assert "on 2 nodes, which run no task of the job; --retry-failed makes the job anew" in work.run("plan").stdout
    ready.touch()
    again = work.run("apply", "--retry-failed", "--yes")
    assert again.code == 0, again
    assert set(nodes(raw, work).values()) == {("success", "success")}
    assert work.run("delete", "--yes").code == 0


def test_a_release_that_fails_is_told_and_the_results_of_the_tasks_are_here(
    make: Callable[[str], Workspace], raw: Services
) -> None:
    work = make("job-preparation")
    work.edit(RELEASES, "command: echo no room >&2; exit 5; python3 $AZ_BATCH_JOB_PREP_WORKING_DIR/release.py")

    runs = [work.run("apply"), work.run("apply")]

    used = nodes(raw, work)
    for ran in runs:
        assert ran.code == 3, ran
        assert f"error: the job release task failed on {len(used)} node" in ran.stderr
        assert "stderr | no room\n" in ran.stderr
        assert "apply specs/job-preparation.yaml --retry-failed" in ran.stderr
    assert {path.name for path in (work.folder / "results/job-preparation").glob("*.csv")} == set(STARS)
    logs = work.run("logs", "--release", next(iter(used)), "--stderr")
    assert (logs.code, logs.stdout) == (0, "no room\n"), logs
    again = work.run("plan", "--retry-failed")
    assert "the job release task failed on" in again.stdout
    assert f"{work.name}-job replaced" in again.stdout
    assert work.run("delete", "--yes").code == 0
