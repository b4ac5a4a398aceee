"""A launched program ends as it should, and nothing of it is left."""

import asyncio
import json
import os
import shlex
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from batchspec.engine.process import Ended, LaunchFailed, Running, end_leftovers, launch

PATH = {"PATH": os.environ["PATH"]}
DEADLINE_S = 30.0


class Place:
    """A working directory with output files, and a mark nobody else has."""

    def __init__(self, folder: Path) -> None:
        self.wd = folder / "wd"
        self.wd.mkdir()
        self.stdout = folder / "stdout.txt"
        self.stderr = folder / "stderr.txt"
        self.mark = f"{os.getpid()}{folder}"

    async def start(self, command_line: str, *, wall_clock_s: float | None = None) -> Running:
        return await launch(
            command_line,
            cwd=self.wd,
            env=PATH,
            stdout=self.stdout,
            stderr=self.stderr,
            mark=self.mark,
            wall_clock_s=wall_clock_s,
        )

    async def run(self, command_line: str, *, wall_clock_s: float | None = None) -> Ended:
        running = await self.start(command_line, wall_clock_s=wall_clock_s)
        return await asyncio.wait_for(running.wait(), DEADLINE_S)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def sh(script: str) -> str:
    return f"/bin/sh -c {shlex.quote(script)}"


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in ("Z", "X")


async def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.01)


async def test_an_exit_status_is_the_exit_code(place: Place) -> None:
    assert await place.run(sh("exit 7")) == Ended(exit_code=7, signal=None, timed_out=False)


async def test_a_signal_gives_128_and_its_number(place: Place) -> None:
    assert await place.run(sh("kill -TERM $$")) == Ended(exit_code=143, signal=15, timed_out=False)


async def test_output_goes_to_the_files_and_input_is_empty(place: Place) -> None:
    await place.run(sh("cat; echo out; echo err >&2"))
    assert (place.stdout.read_text(), place.stderr.read_text()) == ("out\n", "err\n")


async def test_output_of_an_earlier_run_is_dropped(place: Place) -> None:
    await place.run(sh("echo first and long"))
    await place.run(sh("echo 2"))
    assert place.stdout.read_text() == "2\n"


async def test_ten_megabytes_of_output_arrive_whole(place: Place) -> None:
    await place.run("head -c 10000000 /dev/zero")
    assert place.stdout.stat().st_size == 10_000_000


async def test_the_environment_is_what_was_given_and_the_mark(place: Place) -> None:
    program = "import os, json; print(json.dumps(dict(os.environ)))"
    await place.run(f"{sys.executable} -I -c {shlex.quote(program)}")
    seen = json.loads(place.stdout.read_text())
    seen.pop("LC_CTYPE", None)  # Python itself sets it in the C locale
    assert seen == {**PATH, "BATCHSPEC_ENGINE_TASK": place.mark}


async def test_the_command_line_is_not_a_shell(place: Place) -> None:
    await place.run("""printf '%s|' "a b" 'c"d' $HOME '*' > x; true""")
    assert place.stdout.read_text() == 'a b|c"d|$HOME|*|>|x;|true|'


async def test_a_program_in_the_working_directory_is_found_by_its_path(place: Place) -> None:
    script = place.wd / "run me"
    script.write_text("#!/bin/sh\npwd\n")
    script.chmod(0o700)
    await place.run("'./run me'")
    assert place.stdout.read_text() == f"{place.wd}\n"


@pytest.mark.parametrize(
    ("command_line", "code", "message"),
    [
        (
            "no-such-program --x",
            "CommandProgramNotFound",
            "the program 'no-such-program' cannot be run: No such file or directory",
        ),
        ("./plain", "CommandProgramNotFound", "the program './plain' cannot be run: Permission denied"),
        ("echo 'open", "CommandLaunchFailed", "the command line cannot be split: No closing quotation"),
        ("   ", "CommandLaunchFailed", "the command line names no program"),
        ("echo a\0b", "CommandLaunchFailed", "the program 'echo' cannot be run: embedded null byte"),
        ("./garbage", "CommandLaunchFailed", "the program './garbage' cannot be run: Exec format error"),
    ],
)
async def test_what_cannot_be_launched_says_why_and_leaves_output_files(
    place: Place, command_line: str, code: str, message: str
) -> None:
    (place.wd / "plain").write_text("text")
    (place.wd / "garbage").write_bytes(b"\0\1\2")
    (place.wd / "garbage").chmod(0o700)
    with pytest.raises(LaunchFailed) as caught:
        await place.start(command_line)
    assert (caught.value.code, str(caught.value)) == (code, message)
    assert (place.stdout.read_bytes(), place.stderr.read_bytes()) == (b"", b"")


async def test_a_missing_working_directory_is_a_failed_launch(place: Place) -> None:
    place.wd.rmdir()
    with pytest.raises(LaunchFailed) as caught:
        await place.start("true")
    assert caught.value.code == "CommandLaunchFailed"


async def test_the_wall_clock_ends_the_whole_group(place: Place) -> None:
    ended = await place.run(sh("sleep 600 & echo $!; wait"), wall_clock_s=0.3)
    assert ended == Ended(exit_code=137, signal=9, timed_out=True)
    assert not is_alive(int(place.stdout.read_text()))


async def test_kill_ends_the_whole_group_and_may_be_repeated(place: Place) -> None:
    running = await place.start(sh("sleep 600 & echo $!; wait"))
    await until(lambda: place.stdout.read_text().endswith("\n"))
    running.kill()
    running.kill()
    assert await asyncio.wait_for(running.wait(), DEADLINE_S) == Ended(137, 9, timed_out=False)
    running.kill()
    assert not is_alive(int(place.stdout.read_text()))


async def test_giving_up_a_wait_does_not_spoil_the_next(place: Place) -> None:
    running = await place.start("sleep 0.5")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(running.wait(), 0.01)
    assert await asyncio.wait_for(running.wait(), DEADLINE_S) == Ended(0, None, timed_out=False)


async def test_children_left_behind_are_ended_after_the_program(place: Place) -> None:
    await place.run(sh("sleep 600 & echo $!"))
    assert not is_alive(int(place.stdout.read_text()))


async def test_a_daemon_in_a_session_of_its_own_is_ended_too(place: Place) -> None:
    await place.run(sh("setsid sh -c 'echo $$; exec sleep 600' & sleep 0.5"))
    assert not is_alive(int(place.stdout.read_text()))


async def test_leftovers_of_a_killed_engine_are_ended_and_others_are_not(place: Place) -> None:
    env = {**PATH, "BATCHSPEC_ENGINE_TASK": f"{place.mark}/job/task/0"}
    script = sh("env -u BATCHSPEC_ENGINE_TASK sleep 600 & wait")
    left = await asyncio.create_subprocess_exec(*shlex.split(script), env=env, start_new_session=True)
    env["BATCHSPEC_ENGINE_TASK"] = f"x{place.mark}"
    other = await asyncio.create_subprocess_exec("sleep", "600", env=env, start_new_session=True)
    try:
        await until(lambda: len(_session(left.pid)) == 2)
        ended = await asyncio.to_thread(end_leftovers, place.mark)
        assert (ended, await left.wait(), other.returncode, _session(left.pid)) == (2, -9, None, [])
    finally:
        other.kill()
        await other.wait()


def _session(leader: int) -> list[int]:
    stats = {int(path.name): path / "stat" for path in Path("/proc").iterdir() if path.name.isdigit()}
    found = []
    for pid, stat in stats.items():
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == leader and fields[0] != "Z":
            found.append(pid)
    return found


ADOPTING = """
    import asyncio, os, sys
    from pathlib import Path
    from batchspec.engine.process import adopt_orphans, launch

    async def run(name, script, folder, env):
        running = await launch(
            f"/bin/sh -c '{script}'", cwd=folder, env=env, stdout=folder / f"{name}.out", stderr=folder / "err",
            mark=f"test/{os.getpid()}/{name}")
        return await asyncio.wait_for(running.wait(), 30)

    async def main():
        adopt_orphans()
        folder, env = Path(sys.argv[1]), {"PATH": os.environ["PATH"]}
        helper = await asyncio.create_subprocess_exec("sleep", "600")
        long = asyncio.create_task(run("long", "setsid sleep 600 & sleep 2; pgrep -g $! || kill -0 $!", folder, env))
        wiped = 'env -i PATH="$PATH" setsid sh -c "echo \\\\$\\\\$; exec sleep 600" & sleep 0.5'
        await run("marked", 'setsid sh -c "echo \\\\$\\\\$; setsid sleep 600 & exec sleep 600" & sleep 0.5',
                  folder, env)
        marked = int((folder / "marked.out").read_text())
        print("marked lives:", Path(f"/proc/{marked}").exists())
        print("long:", (await long).exit_code)
        await run("wiped", wiped, folder, env)
        print("wiped lives:", Path(f"/proc/{int((folder / 'wiped.out').read_text())}").exists())
        print("helper lives:", helper.returncode is None and Path(f"/proc/{helper.pid}").exists())
        helper.kill()
        await helper.wait()
        print("children:", Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split())

    asyncio.run(main())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="orphans can only be adopted on Linux")
async def test_an_adopting_process_ends_orphans_of_ended_tasks_only(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        textwrap.dedent(ADOPTING),
        str(tmp_path),
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), DEADLINE_S)
    finally:
        if process.returncode is None:
            process.kill()
    assert output.decode() == ("marked lives: False\nlong: 0\nwiped lives: False\nhelper lives: True\nchildren: []\n")
