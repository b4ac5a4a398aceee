"""What goes wrong in a run: each fault is told with its place, its code, the last lines of stderr and the next step."""

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from azure.storage.blob import ContainerClient

from tests.end_to_end.workspace import POOL, Ran, Services, Workspace, batchspec, end, environment, until, written

Write = Callable[[str], Workspace]
OUTPUT = "output_files: [{file_pattern: result.txt, container: output}]"

# What a task does wrong -> the task, and what must be said.
FAULTS = {
    "exits non-zero": ("commands: [echo sorry >&2, exit 7]", ["FailureExitCode", "exit code 7", "sorry"]),
    "is not found": ("command_line: no-such-program --at all", ["CommandProgramNotFound", "no-such-program"]),
    "is killed by a signal": ("command: echo dying >&2; kill -9 $$", ["FailureExitCode", "exit code 137", "dying"]),
    "runs past its wall clock": (
        "{command: echo slow >&2; sleep 100, constraints: {max_wall_clock_time: PT1S}}",
        ["TaskEnded", "slow"],
    ),
    "does not write its output": (f"{{command: echo late >&2, {OUTPUT}}}", ["FileUploadMiscError", "result.txt"]),
    "fails inside a pipe": ("commands: [false | cat, echo never]", ["FailureExitCode", "exit code 1"]),
    "fills the disk": ("command: echo data > /dev/full", ["FailureExitCode", "No space left on device"]),
}


def task_of(task: str) -> str:
    """A spec with one task, `broken`."""
    flow = task if task.startswith("{") else "{" + task + "}"
    return f"containers: {{output: {{}}}}\ntasks:\n  - {{id: broken, {flow[1:]}\n"


def runs(raw: Services, job: str) -> bool:
    """Whether a task of the job is running; no when there is no job."""
    return job in raw.jobs() and "running" in {state for state, *_ in raw.tasks(job).values()}


def told(ran: Ran) -> str:
    return ran.stdout + ran.stderr


@pytest.mark.parametrize("fault", FAULTS)
def test_a_task_that(fault: str, write: Write) -> None:
    task, said = FAULTS[fault]
    work = write(task_of(task))

    ran = work.run("apply")
    again = work.run("apply")

    assert ran.code == 3, ran
    assert [
        word for word in [*said, "broken", "batchspec logs specs/spec.yaml broken"] if word not in told(ran)
    ] == [], ran
    assert (again.code, "--retry-failed" in told(again)) == (3, True), again
    status = work.run("status")
    assert [word for word in said if word not in status.stdout] == [], status


def test_a_failed_task_runs_again_when_asked(write: Write, tmp_path: Path) -> None:
    work = write("tasks: [{id: moody, command: test -e {gate}}]")

    failed = work.run("apply")
    (tmp_path / "gate").touch()
    unasked = work.run("apply")
    retried = work.run("apply", "--retry-failed", "--yes")
    after = work.run("apply")

    assert [failed.code, unasked.code, retried.code, after.code] == [3, 3, 0, 0], retried
    assert "Nothing to do" in after.stdout, after


@pytest.fixture
def nothing_there() -> Iterator[str]:
    """The address of a server that has nothing."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(60)


def test_a_task_whose_resource_file_is_not_there(write: Write, nothing_there: str) -> None:
    files = f'resource_files: [{{http_url: "{nothing_there}/none.txt", file_path: none.txt}}]'
    work = write(task_of(f"{{command: cat none.txt, {files}}}"))

    ran = work.run("apply")

    assert ran.code == 3, ran
    assert [word for word in ("BlobNotFound", "broken") if word not in told(ran)] == [], ran


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        # Without its container a SAS has no policy either; which of the two is told is up to the service.
        (ContainerClient.delete_container, "FileUpload(ContainerNotFound|AccessDenied)"),
        (lambda container: container.set_container_access_policy({}), "FileUploadAccessDenied"),
    ],
    ids=["container-gone", "sas-revoked"],
)
def test_a_task_whose_output_is_refused(
    spoil: Callable[[ContainerClient], object], code: str, write: Write, raw: Services, tmp_path: Path
) -> None:
    command = "while [ ! -e {gate} ]; do sleep 0.1; done; echo text > result.txt"
    work = write(task_of(f"{{command: '{command}', {OUTPUT}}}"))
    job = work.name

    with work.begun("apply") as applying:
        until(lambda: runs(raw, job), "the task to run")
        with raw.blobs.get_container_client(f"{work.name}-output") as container:
            spoil(container)
        (tmp_path / "gate").touch()
        ran = end(applying)

    assert ran.code == 3, ran
    assert raw.tasks(job) == {"broken": ("completed", "failure", 0)}
    assert re.search(code, told(ran)), ran
    assert "batchspec logs specs/spec.yaml broken" in told(ran), ran


def test_a_start_task_that_fails_everywhere_ends_the_wait(write: Write) -> None:
    start = "  start_task: {commands: [echo unprepared >&2, exit 9], wait_for_success: true}\n"
    work = write(POOL.format(nodes=2) + start + "tasks: [{id: waiting, command: 'true'}]")

    ran = work.run("apply")

    assert ran.code == 3, ran
    assert [word for word in ("unprepared", "exit code 9", "--start-task") if word not in told(ran)] == [], ran


def test_a_start_task_that_fails_on_one_node_leaves_the_others_to_work(
    write: Write, raw: Services, tmp_path: Path
) -> None:
    start = "  start_task: {command: mkdir {gate}, wait_for_success: true}\n"
    task = "tasks: [{id: patient, command: 'while [ ! -e {gate}/open ]; do sleep 0.1; done'}]"
    work = write(POOL.format(nodes=2) + start + task)
    pool = f"{work.name}-pool"

    with work.begun("apply") as applying:
        until(lambda: pool in raw.pools() and "starttaskfailed" in raw.nodes(pool).values(), "a node to fail")
        (tmp_path / "gate" / "open").touch()
        ran = end(applying)
    status = work.run("status")

    states = raw.nodes(pool)
    assert ran.code == 0, ran
    assert sorted(states.values()) == ["idle", "starttaskfailed"]
    (failed,) = [node for node, state in states.items() if state == "starttaskfailed"]
    assert failed in told(ran), ran
    assert failed in status.stdout, status


def test_a_pool_without_nodes_times_out(write: Write) -> None:
    work = write(POOL.format(nodes=0) + "tasks: [{id: waiting, command: 'true'}]\nwait: {timeout: PT3S}\n")

    ran = work.run("apply")

    assert ran.code == 4, ran
    assert "batchspec apply specs/spec.yaml" in told(ran), ran


def test_ten_megabytes_on_stdout_are_all_there(write: Write) -> None:
    work = write("tasks: [{id: loud, command: yes 0123456789abcde | head -c 10485760}]")

    ran = work.run("apply")
    logs = work.run("logs", "loud")

    assert (ran.code, logs.code) == (0, 0), ran
    assert logs.stdout == "0123456789abcde\n" * 655360


def test_children_that_a_task_leaves_behind_are_ended(write: Write, tmp_path: Path) -> None:
    child = f"sleep 86{os.getpid()}"
    work = write(f"tasks: [{{id: parent, command: '{child} & setsid {child} & echo begun'}}]")

    ran = work.run("apply")

    assert ran.code == 0, ran
    lines = [path.read_bytes().replace(b"\0", b" ").strip() for path in cmdlines()]
    assert child.encode() not in lines


def cmdlines() -> Iterator[Path]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            path.read_bytes()
        except OSError:
            continue
        yield path


def test_an_interrupted_wait_goes_on_in_the_service_and_can_be_come_back_to(
    write: Write, raw: Services, tmp_path: Path
) -> None:
    work = write("tasks: [{id: patient, command: 'while [ ! -e {gate} ]; do sleep 0.1; done'}]")

    with work.begun("apply") as applying:
        until(lambda: runs(raw, work.name), "the task to run")
        applying.send_signal(signal.SIGINT)
        interrupted = end(applying)
    added = raw.added(work.name)
    (tmp_path / "gate").touch()
    back = work.run("apply")

    assert interrupted.code == 130, interrupted
    assert "batchspec apply specs/spec.yaml" in told(interrupted), interrupted
    assert back.code == 0, back
    assert raw.added(work.name) == added


def test_a_killed_client_can_be_run_again(topwords: Workspace, raw: Services) -> None:
    with topwords.begun("apply") as applying:
        until(lambda: any(one.startswith(topwords.name) for one in raw.containers()), "the first container")
        applying.kill()
        end(applying)

    tries: list[Ran] = []

    def lock_is_given_back() -> bool:
        """A client killed before it could leave its name with its lock is waited for: the lock ends after 60 s."""
        tries.append(topwords.run("apply", "--yes"))
        return tries[-1].code != 6

    until(lock_is_given_back, "the lock of the killed client to expire", seconds=90)
    after = topwords.run("apply")

    assert tries[-1].code == 0, tries[-1]
    assert (after.code, "Nothing to do" in after.stdout) == (0, True), after
    assert set(raw.tasks(f"{topwords.name}-job")) == {"harbour", "orchard", "railway"}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A state folder on a disk of 24 MB."""
    disk = tmp_path / "small"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_task_that_fills_the_disk_of_the_engine_is_told_and_can_be_deleted(tmp_path: Path, small_disk: Path) -> None:
    env = environment(small_disk)
    work = written(tmp_path / "work", "full", "tasks: [{id: greedy, command: head -c 99000000 /dev/zero > big}]\n", env)
    try:
        ran = work.run("apply")
        deleted = work.run("delete", "--yes")
    finally:
        batchspec("engine", "stop", cwd=tmp_path, env=env)

    assert (ran.code, "No space left" in told(ran), "greedy" in told(ran)) == (3, True, True), ran
    assert deleted.code == 0, deleted


def test_a_killed_engine_is_told_or_survived(write: Write, raw: Services, tmp_path: Path) -> None:
    work = write("tasks: [{id: patient, command: 'while [ ! -e {gate} ]; do sleep 0.1; done'}]")

    with work.begun("apply") as applying:
        until(lambda: runs(raw, work.name), "the task to run")
        status = batchspec("engine", "status", "--format", "json", cwd=work.folder, env=work.env)
        os.kill(json.loads(status.stdout)["engine"]["pid"], signal.SIGKILL)
        ran = end(applying)
    (tmp_path / "gate").touch()
    back = work.run("apply")

    assert (ran.code, "Traceback" in told(ran)) == (1, False), ran
    assert "engine" in told(ran), ran
    assert back.code == 0, back


def test_a_results_folder_that_cannot_be_written_is_told(write: Write) -> None:
    made = "command: echo text > result.txt, output_files: [{file_pattern: result.txt, container: output}]"
    work = write(f"{task_of('{' + made + '}')}downloads: [{{container: output, to: ../results}}]\n")
    (work.folder / "results").write_text("a file")

    ran = work.run("apply")

    assert ran.code == 1, ran
    assert [word for word in ("results", "Traceback") if word in told(ran)] == ["results"], ran


@pytest.mark.parametrize("blob", ["\\..\\x", "/etc/x", "a/" * 480 + "long"], ids=["backslash", "absolute", "long"])
def test_a_blob_whose_name_would_leave_the_folder_does_not(blob: str, write: Write, raw: Services) -> None:
    work = write(
        "containers: {output: {}}\ndownloads: [{container: output, to: ../results}]\n"
        "tasks: [{id: a, command: 'true'}]\n"
    )
    assert work.run("apply").code == 0
    raw.blobs.get_blob_client(f"{work.name}-output", "good.txt").upload_blob(b"good")
    raw.blobs.get_blob_client(f"{work.name}-output", blob).upload_blob(b"bad")
    before = sorted(work.folder.rglob("*"))

    ran = work.run("download")

    assert "Traceback" not in told(ran), ran
    results = work.folder / "results"
    new = [path for path in work.folder.rglob("*") if path not in before and path != results]
    assert [path for path in new if not path.is_relative_to(results)] == []
    assert (results / "good.txt").read_text() == "good"
    assert not Path("/etc/x").exists()
    bad = [path for path in new if path.is_file() and path.read_text() == "bad"]
    assert (ran.code, len(bad)) in ((0, 1), (1, 0)), ran


def test_of_two_applies_at_once_none_spoils_the_other(topwords: Workspace, raw: Services) -> None:
    with topwords.begun("apply") as first, topwords.begun("apply") as second:
        ended = [end(first), end(second)]
    after = topwords.run("apply")

    assert sorted(ran.code for ran in ended) in ([0, 0], [0, 6]), [str(ran) for ran in ended]
    assert (after.code, "Nothing to do" in after.stdout) == (0, True), after
    assert set(raw.tasks(f"{topwords.name}-job").values()) == {("completed", "success", 0)}
