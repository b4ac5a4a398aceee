"""Job schedules: the example whose manager adds tasks for new texts, and a single job that is waited for."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.end_to_end.workspace import Ran, Services, Workspace, exported

ONCE = """
schedule:
  schedule: {do_not_run_after: 2100-01-01T00:00:00+01:00}
  job_specification:
    priority: 1
    job_manager_task:
      id: manager
      command: echo looking; echo no door >&2; test -e {gate}
"""
MINUTELY = """
schedule:
  schedule: {recurrence_interval: PT1M, do_not_run_after: END}
  job_specification:
    job_manager_task: {id: manager, command: echo looking}
"""


@pytest.fixture
def hourly(make: Callable[[str], Workspace]) -> Workspace:
    """The example, with the account's key in the environment as a person has it."""
    work = make("schedule")
    key = exported(work.env, work.folder)["AZURE_BATCH_ACCESS_KEY"]
    return replace(work, env={**work.env, "AZURE_BATCH_ACCESS_KEY": key})


def counted(work: Workspace) -> dict[str, int]:
    """How many words each text has, by what came back."""
    files = (work.folder / "results/schedule").iterdir()
    return {path.name.removesuffix(".txt.json"): json.loads(path.read_text())["words"] for path in files}


def well(ran: Ran) -> Ran:
    assert ran.code == 0, ran
    return ran


def test_a_manager_adds_a_task_for_every_text_that_is_new(hourly: Workspace, raw: Services) -> None:
    work, schedule = hourly, f"{hourly.name}-hourly"

    applied = well(work.run("apply"))

    assert f"+ schedule   {schedule:18} a job every 1 h, 2 x standard_d2s_v3, ubuntu 24.04" in applied.stdout
    assert f"\nSchedule {schedule}: active, the next job is due on 2" in applied.stdout
    assert json.loads(well(work.run("status", "--watch", "--format", "json")).stdout.splitlines()[-1])["tasks"] == {
        "total": 4,
        "active": 0,
        "running": 0,
        "completed": 4,
        "succeeded": 4,
        "failed": 0,
    }
    assert well(work.run("logs", "manager")).stdout.startswith("3 new of 3 texts: harbour.txt, the sea.txt, ")
    well(work.run("download"))
    assert counted(work) == {"harbour": 22, "the sea": 28, "Über den Fluß": 13}
    # The key is there for the manager, and for nobody who reads what the program says.
    assert work.env["AZURE_BATCH_ACCESS_KEY"] not in applied.stdout + applied.stderr
    without = replace(work, env={k: v for k, v in work.env.items() if k != "AZURE_BATCH_ACCESS_KEY"})
    assert well(without.run("plan")).stdout.startswith("Nothing to do\n")

    planned = well(work.run("plan", "--var", "every=PT2H")).stdout
    assert f"~ schedule   {schedule:18} in place\n" in planned
    assert "schedule.recurrence_interval: PT1H -> PT2H" in planned
    well(work.run("apply", "--var", "every=PT2H"))
    (there,) = (one for one in raw.batch.list_job_schedules() if one.id == schedule)
    assert there.schedule is not None
    assert str(there.schedule.recurrence_interval) == "2:00:00"
    pools = [one for one in raw.pools() if one.startswith(f"{work.name}_")]
    assert len(pools) == 1

    gone = well(work.run("delete", "--yes", "--keep", "container.application,container.input,container.output"))
    assert f"- schedule   {schedule}" in gone.stdout
    assert [one for one in raw.jobs() + raw.pools() if one.startswith(work.name)] == []
    (work.folder / "specs/schedule/texts/new.txt").write_text("one more\n")
    well(work.run("apply"))
    well(work.run("status", "--watch"))
    assert well(work.run("logs", "manager")).stdout == "1 new of 4 texts: new.txt\n"
    well(work.run("download"))
    assert counted(work)["new"] == 2
    well(work.run("delete", "--yes"))


def test_a_pool_that_lives_with_the_schedule_changes_only_with_a_new_schedule(hourly: Workspace) -> None:
    work = hourly
    well(work.run("apply"))
    well(work.run("status", "--watch"))
    program = work.folder / "specs/schedule/count_words.py"
    program.write_text(program.read_text() + "# edited\n")

    planned = well(work.run("plan")).stdout

    assert f"-/+ schedule   {work.name}-hourly" in planned
    assert "files that the nodes of its pool are prepared with changed" in planned
    refused = work.run("apply")
    assert (refused.code, "--yes" in refused.stderr) == (6, True)
    well(work.run("apply", "--yes"))
    well(work.run("delete", "--yes"))


def test_a_single_job_is_waited_for_and_fails_as_a_job_does(write: Callable[[str], Workspace], raw: Services) -> None:
    work = write(ONCE)

    failed = work.run("apply")

    assert failed.code == 3, failed
    assert "1 of 1 task failed" in failed.stderr
    assert "stderr | no door" in failed.stderr
    assert f"Schedule {work.name}: completed, ended on 2" in failed.stdout
    again = work.run("apply")
    assert (again.code, f"schedule {work.name} has ended and makes no more jobs" in again.stdout) == (3, True)
    assert work.run("logs", "manager", "--stderr").stdout == "no door\n"

    (work.folder.parent / "gate").touch()
    work.edit("priority: 1", "priority: 2")
    planned = well(work.run("plan")).stdout
    assert f"-/+ schedule   {work.name:18} replaced by one job\n" in planned
    assert "the schedule has ended, so that nothing of it can be changed" in planned
    done = json.loads(well(work.run("apply", "--yes", "--format", "json")).stdout)
    assert (done["outcome"]["tasks"]["succeeded"], done["schedule"]["newest_job"]) == (
        1,
        {"id": f"{work.name}:job-1", "state": "completed"},
    )
    assert well(work.run("plan")).stdout.startswith("Nothing to do\n")

    well(work.run("delete", "--yes"))
    assert [one.id for one in raw.batch.list_job_schedules() if one.id == work.name] == []
    assert [one for one in raw.jobs() if one.startswith(work.name)] == []


def test_jobs_that_recur_are_waited_for_until_the_last_has_ended(
    write: Callable[[str], Workspace], raw: Services
) -> None:
    end = datetime.now(UTC) + timedelta(seconds=90)  # room for a second job, a minute later, and for no third
    work = write(MINUTELY.replace("END", f"{end:%Y-%m-%dT%H:%M:%SZ}"))

    done = json.loads(well(work.run("apply", "--format", "json")).stdout)

    assert (done["outcome"]["tasks"]["succeeded"], done["schedule"]["state"]) == (2, "completed")
    jobs = raw.batch.list_jobs_from_schedule(work.name)
    assert [(one.id, one.state) for one in jobs] == [(f"{work.name}:job-{number}", "completed") for number in (1, 2)]
    well(work.run("delete", "--yes"))


def test_a_schedule_of_others_is_looked_at_and_left_alone(write: Callable[[str], Workspace], raw: Services) -> None:
    work = write(ONCE)
    (work.folder.parent / "gate").touch()
    well(work.run("apply"))
    other = work.folder / "specs" / "other.yaml"
    other.write_text(f"version: 1\nname: other-{work.name}\nschedule: {{id: {work.name}, existing: true}}\n")
    theirs = replace(work, folder=work.folder)
    work.spec.rename(work.folder / "mine.yaml")

    assert f"schedule    {work.name}: completed" in well(theirs.run("status")).stdout
    assert well(theirs.run("logs", "manager")).stdout == "looking\n"
    assert well(theirs.run("apply")).stdout.startswith("Nothing to do\n")
    assert well(theirs.run("delete", "--yes")).stdout == "Nothing to delete\n"
    assert [one.id for one in raw.batch.list_job_schedules() if one.id == work.name] == [work.name]

    other.unlink()
    (work.folder / "mine.yaml").rename(work.folder / "specs" / "spec.yaml")
    well(work.run("delete", "--yes"))
