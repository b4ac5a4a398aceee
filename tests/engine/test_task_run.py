"""Tasks as real processes: how each kind of end looks to a client."""

import os
import shlex
import sys
from pathlib import Path

import pytest

from tests.engine.served import Served, wait_for

FAILED_EXIT = {
    "category": "usererror",
    "code": "FailureExitCode",
    "message": "The task exited with an exit code representing a failure",
    "details": [
        {"name": "Message", "value": "The task process exited with an unexpected exit code"},
        {"name": "AdditionalErrorCode", "value": "FailureExitCode"},
    ],
}
ENDED = {"category": "usererror", "code": "TaskEnded", "message": "Task Was Ended by User Request"}


def shell(text: str) -> str:
    return f"/bin/sh -c {shlex.quote(text)}"


@pytest.fixture
def job(served: Served) -> Served:
    served.add_pool()
    served.add_job()
    return served


def info(task: dict[str, object]) -> dict[str, object]:
    """A task's executionInfo without its times."""
    execution = task["executionInfo"]
    assert isinstance(execution, dict)
    return {name: value for name, value in execution.items() if not name.endswith("Time")}


def test_a_command_that_exits_with_0_succeeds_and_its_output_is_there(job: Served) -> None:
    job.add_task("t", shell("echo out; echo err >&2"))
    task = job.completed("t")
    assert info(task) == {"retryCount": 0, "requeueCount": 0, "exitCode": 0, "result": "success"}
    assert (job.output("t"), job.output("t", "stderr.txt")) == ("out\n", "err\n")
    assert (task["previousState"], task["nodeInfo"]["taskRootDirectory"]) == ("running", "workitems/job/job-1/t")


def test_a_command_that_exits_with_another_code_fails_with_it(job: Served) -> None:
    job.add_task("t", shell("exit 7"))
    expected = {"retryCount": 0, "requeueCount": 0, "exitCode": 7, "result": "failure", "failureInfo": FAILED_EXIT}
    assert info(job.completed("t")) == expected


def test_a_program_that_is_not_there_has_no_exit_code_but_both_output_files(job: Served) -> None:
    job.add_task("t", "no-such-program --x")
    found = info(job.completed("t"))
    failure = found.pop("failureInfo")
    assert found == {"retryCount": 0, "requeueCount": 0, "result": "failure"}
    assert isinstance(failure, dict)
    assert failure["code"] == "CommandProgramNotFound"
    assert (job.output("t"), job.output("t", "stderr.txt")) == ("", "")


def test_a_signal_n_is_exit_code_128_plus_n(job: Served) -> None:
    job.add_task("t", shell("kill -15 $$"))
    assert info(job.completed("t"))["exitCode"] == 143


def test_a_task_past_its_wall_clock_is_ended_and_not_retried(job: Served) -> None:
    job.add_task("t", "sleep 100", constraints={"maxWallClockTime": "PT0.2S", "maxTaskRetryCount": 3})
    expected = {"retryCount": 0, "requeueCount": 0, "exitCode": 137, "result": "failure", "failureInfo": ENDED}
    assert info(job.completed("t")) == expected


def test_n_retries_are_n_plus_1_runs(job: Served) -> None:
    job.add_task("t", shell("echo x >> runs; exit 3"), constraints={"maxTaskRetryCount": 2})
    assert info(job.completed("t"))["retryCount"] == 2
    assert job.output("t", "wd/runs") == "x\nx\nx\n"


def test_a_retry_that_succeeds_makes_the_task_succeed(job: Served) -> None:
    job.add_task("t", shell("test -e again || { touch again; exit 1; }"), constraints={"maxTaskRetryCount": -1})
    expected = {"retryCount": 1, "requeueCount": 0, "exitCode": 0, "result": "success"}
    assert info(job.completed("t")) == expected


def test_the_jobs_retry_count_is_the_tasks_default(served: Served) -> None:
    served.add_pool()
    served.add_job(constraints={"maxTaskRetryCount": 1})
    served.add_task("t", "false")
    assert info(served.completed("t"))["retryCount"] == 1


def test_children_that_a_task_leaves_behind_are_ended(job: Served, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    job.add_task("t", shell(f"setsid sleep 1000 & echo $! > {shlex.quote(str(pid_file))}"))
    assert info(job.completed("t"))["exitCode"] == 0
    wait_for(lambda: is_running(int(pid_file.read_text())), lambda running: not running)


def is_running(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0]
    except FileNotFoundError:
        return False


def test_ten_megabytes_on_stdout_are_all_there(job: Served) -> None:
    job.add_task("t", f"{sys.executable} -c \"import sys; sys.stdout.write('x' * 10_000_000)\"")
    assert info(job.completed("t"))["exitCode"] == 0
    assert len(job.output("t")) == 10_000_000


def test_a_running_task_that_is_terminated_is_completed_as_ended_by_its_user(job: Served) -> None:
    job.add_task("t", "sleep 1000")
    wait_for(lambda: job.task("t")["state"], lambda state: state == "running")
    assert job.request("POST", "/jobs/job/tasks/t/terminate").status == 204
    expected = {"retryCount": 0, "requeueCount": 0, "exitCode": 137, "result": "failure", "failureInfo": ENDED}
    assert info(job.task("t")) == expected


def test_a_task_is_given_the_services_variables_and_the_jobs_and_its_own(served: Served) -> None:
    common = [{"name": "A", "value": "job"}, {"name": "B", "value": "job"}]
    served.add_pool()
    served.add_job(commonEnvironmentSettings=common)
    served.add_task("t", "env", environmentSettings=[{"name": "B", "value": "task"}, {"name": "AZ_BATCH_POOL_ID"}])
    task = served.completed("t")
    found = dict(line.split("=", 1) for line in served.output("t").splitlines())
    root = served.settings.state_dir / "nodes" / "pool" / task["nodeInfo"]["nodeId"]
    folder = root / "workitems" / "job" / "job-1" / "t"
    expected = {
        "A": "job",
        "B": "task",
        "AZ_BATCH_ACCOUNT_NAME": "batchspec",
        "AZ_BATCH_ACCOUNT_URL": f"{served.endpoint}/",
        "AZ_BATCH_POOL_ID": "pool",
        "AZ_BATCH_NODE_ID": task["nodeInfo"]["nodeId"],
        "AZ_BATCH_NODE_IS_DEDICATED": "true",
        "AZ_BATCH_NODE_ROOT_DIR": str(root),
        "AZ_BATCH_NODE_SHARED_DIR": str(root / "shared"),
        "AZ_BATCH_NODE_STARTUP_DIR": str(root / "startup"),
        "AZ_BATCH_NODE_MOUNTS_DIR": str(root / "fsmounts"),
        "AZ_BATCH_TASK_DIR": str(folder),
        "AZ_BATCH_TASK_WORKING_DIR": str(folder / "wd"),
        "AZ_BATCH_CERTIFICATES_DIR": str(folder / "certs"),
        "AZ_BATCH_TASK_RESERVED_EPHEMERAL_DISK_SPACE_BYTES": "1000000",
        "AZ_BATCH_JOB_ID": "job",
        "AZ_BATCH_TASK_ID": "t",
    }
    assert {name: value for name, value in found.items() if name in expected or name.startswith("AZ_")} == expected
    assert (found["HOME"], found["PATH"]) == (str(folder / "wd"), os.environ["PATH"])


def test_a_task_in_a_container_fails_where_the_service_would_say_so(job: Served) -> None:
    job.add_task("t", "true", containerSettings={"imageName": "ubuntu"})
    failure = job.completed("t")["executionInfo"]["failureInfo"]
    assert (failure["code"], "local engine" in failure["message"]) == ("ContainerMiscError", True)


def test_a_resource_file_that_cannot_be_read_fails_the_task_before_it_runs(job: Served) -> None:
    files = [{"httpUrl": f"{job.endpoint}/nothing", "filePath": "x"}]
    job.add_task("t", "true", resourceFiles=files, constraints={"maxTaskRetryCount": 5})
    execution = job.completed("t")["executionInfo"]
    assert (execution["failureInfo"]["code"], execution["retryCount"]) == ("BlobAccessDenied", 0)
    assert "exitCode" not in execution


def test_a_deleted_task_leaves_no_process_and_no_folder(job: Served, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    job.add_task("t", shell(f"echo $$ > {shlex.quote(str(pid_file))}; sleep 1000"))
    wait_for(lambda: pid_file.exists() and pid_file.read_text(), bool)
    folder = next(job.settings.state_dir.glob("nodes/pool/*/workitems/job/job-1/t"))
    assert job.request("DELETE", "/jobs/job/tasks/t").status == 200
    assert (job.request("GET", "/jobs/job/tasks/t").code, folder.exists()) == ("TaskNotFound", False)
    wait_for(lambda: is_running(int(pid_file.read_text())), lambda running: not running)


def test_a_task_that_deletes_its_own_folder_still_has_its_exit_code(job: Served) -> None:
    job.add_task("task", "/bin/sh -c 'rm -r \"$AZ_BATCH_TASK_DIR\"; exit 4'")
    info = job.completed("task")["executionInfo"]
    assert (info["exitCode"], info["failureInfo"]["code"]) == (4, "FailureExitCode")
