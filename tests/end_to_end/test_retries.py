"""The retries spec: what exit codes do to the attempts of a task, to the tasks that wait for it, and to the job."""

from collections.abc import Callable

from tests.end_to_end.workspace import Services, Workspace

SUCCESS, NEVER_RAN = ("completed", "success", 0), ("active", "", None)


def test_each_exit_code_has_the_outcome_that_the_spec_gives_it(make: Callable[[str], Workspace], raw: Services) -> None:
    work = make("retries")

    ran = work.run("apply")

    assert ran.code == 3, ran
    assert "7 of 8 completed: 5 succeeded, 2 failed; 1 blocked" in ran.stdout
    assert raw.tasks(f"{work.name}-job") == {
        "read-north": SUCCESS,
        "read-south": SUCCESS,
        "read-west": ("completed", "failure", 3),
        "read-east": ("completed", "failure", 4),
        "report-north": SUCCESS,
        "report-south": SUCCESS,
        "report-west": SUCCESS,
        "report-east": NEVER_RAN,
    }
    attempts = {
        str(task.id): task.execution_info.retry_count
        for task in raw.batch.list_tasks(f"{work.name}-job")
        if task.execution_info and str(task.id).startswith("read-")
    }
    assert attempts == {"read-north": 0, "read-south": 1, "read-west": 2, "read-east": 2}
    assert {path.name: path.read_text() for path in (work.folder / "results/retries").iterdir()} == {
        "report-north.txt": "north: 7.0 degrees\n",
        "report-south.txt": "south: 9.0 degrees\n",
        "report-west.txt": "west: nothing measured\n",
    }

    (work.folder / "specs/retries/east.csv").write_text("time,degrees\n06:00,5.5\n12:00,11.5\n")
    mended = work.run("apply", "--yes", "--force")

    assert mended.code == 3, mended
    failed = {task for task, ended in raw.tasks(f"{work.name}-job").items() if ended != SUCCESS}
    assert failed == {"read-west"}
    assert (work.folder / "results/retries/report-east.txt").read_text() == "east: 8.5 degrees\n"

    deleted = work.run("delete", "--yes")
    assert deleted.code == 0, deleted
    assert raw.of(work.name) == ([], [], [])


def test_one_exit_code_ends_the_job(make: Callable[[str], Workspace], raw: Services) -> None:
    work = make("retries")

    ran = work.run("apply", "--var", "licence=expired")

    assert ran.code == 3, ran
    assert f"job {work.name}-job is completed (TaskFailed)" in ran.stderr
    ended = raw.batch.get_job(f"{work.name}-job").execution_info
    assert ended is not None
    assert ended.termination_reason == "TaskFailed"
    tasks = raw.tasks(f"{work.name}-job")
    assert ("completed", "failure", 9) in tasks.values()
    assert SUCCESS not in tasks.values()
