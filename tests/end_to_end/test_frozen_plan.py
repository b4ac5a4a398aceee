"""A plan in a file: what makes it stale, what does not, and how it is applied again after it was cut off."""

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from azure.batch.models import BatchPoolResizeOptions

from tests.end_to_end.test_reviewed import SPEC, apply_plan, frozen, refused, texts
from tests.end_to_end.workspace import Ran, Services, Workspace, batchspec, begun, end, until

Write = Callable[[str], Workspace]

# More than fit into one request, so that a client can be cut off between two.
MANY = """
vars: {word: done}
containers: {output: {}}
tasks:
  - for_each: {range: 120}
    id: "{{ value }}"
    command: "echo {{ vars.word }}"
"""


def test_what_somebody_did_in_the_service_is_told(write: Write, raw: Services) -> None:
    work = write(SPEC)
    texts(work, a="one", b="two")
    assert work.run("apply").code == 0
    texts(work, c="three")
    frozen(work)
    pool = f"{work.name}-pool"

    raw.batch.begin_resize_pool(pool, BatchPoolResizeOptions(target_dedicated_nodes=2)).result()
    raw.batch.delete_task(work.name, "a")
    raw.blobs.get_blob_client(f"{work.name}-input", "b.txt").delete_blob()
    found = refused(apply_plan(work))

    assert found == [
        f"upload {work.name}-input/b.txt: was to stay as it is, is to be created",
        f"pool {pool}, target_dedicated_nodes: was 1, is 2",
        "task a: was to stay as it is, is to be created",
    ]
    assert set(raw.tasks(work.name)) == {"b"}


def test_rows_and_blobs_that_tasks_are_made_of_are_inputs(write: Write, raw: Services) -> None:
    work = write(
        """
        containers: {raw: {existing: true}, output: {}}
        tasks:
          - for_each: {rows: rows.csv}
            id: "row-{{ row.name }}"
            command: "echo {{ row.name }}"
          - for_each: {container: raw, pattern: "*.txt"}
            id: "{{ file.stem | task_id }}"
            command: "cat {{ file.name | sh }}"
            resource_files: [{container: raw, file: "{{ file.name }}"}]
        """
    )
    rows, container = work.folder / "specs/rows.csv", raw.blobs.create_container(f"{work.name}-raw")
    rows.write_text("name,unused\nx,1\n")
    container.upload_blob("one.txt", b"1")
    frozen(work)

    rows.write_text("name,unused\nx,2\n")
    container.upload_blob("one.txt", b"11", overwrite=True)
    container.upload_blob("two.txt", b"2")
    found = refused(apply_plan(work))

    assert [line.partition(":")[0] for line in found] == [
        "rows of rows.csv",
        f"blob {work.name}-raw/one.txt",
        f"blob {work.name}-raw/two.txt",
        "task one",
        "task two",
    ]
    assert found[2].endswith("was not there, is 1 bytes (MD5 c81e728d9d4c)")
    assert raw.of(work.name) == ([], [], [f"{work.name}-raw"])


def test_variables_and_flags_are_those_of_the_plan(write: Write, raw: Services) -> None:
    work = write(MANY.replace("120", "2"))
    frozen(work, "--var", "word=reviewed", "--retry-failed")

    assert refused(apply_plan(work, "--var", "word=other")) == [
        "variable word: was reviewed, is other",
        "task 0: was as reviewed, is with another command, setting or input",
        "task 1: was as reviewed, is with another command, setting or input",
    ]
    assert raw.of(work.name) == ([], [], [])
    applied = apply_plan(work, "--var", "word=reviewed", "--retry-failed")
    assert applied.code == 0, applied
    assert "delete specs/spec.yaml --var word=reviewed" in applied.stdout
    shown = work.run("logs", "0", "--var", "word=reviewed")
    assert shown.stdout == "reviewed\n", shown


def test_secrets_are_not_in_it_and_may_be_new(write: Write) -> None:
    work = write(
        """
        vars: {token: {secret: true, from_env: TOKEN}}
        tasks: [{id: one, command: "test $TOKEN = new-value", environment_settings: {TOKEN: "{{ vars.token }}"}}]
        """
    )
    planned = batchspec(
        "plan", "specs/spec.yaml", "--out", "p.json", cwd=work.folder, env={**work.env, "TOKEN": "old-value"}
    )
    assert planned.code == 0, planned
    assert "old-value" not in (work.folder / "p.json").read_text()

    unset = apply_plan(work)
    assert (unset.code, "TOKEN is not set" in unset.stderr) == (2, True), unset
    applied = batchspec("apply", "--plan", "p.json", cwd=work.folder, env={**work.env, "TOKEN": "new-value"})
    assert applied.code == 0, applied


def test_another_checkout_at_another_path_takes_the_same_plan(write: Write, tmp_path: Path) -> None:
    work = write(SPEC)
    texts(work, a="one")
    subprocess.run(["git", "init", "-q"], cwd=work.folder, check=True, timeout=60)
    planned = batchspec("plan", "spec.yaml", "--out", "../p.json", cwd=work.folder / "specs", env=work.env)
    assert planned.code == 0, planned
    other = tmp_path / "other/checkout"
    shutil.copytree(work.folder, other)
    shutil.rmtree(work.folder)

    nowhere = batchspec("apply", "--plan", f"{other}/p.json", cwd=tmp_path, env=work.env)
    assert nowhere.code == 2, nowhere
    assert f"--plan {other}/p.json is of the spec specs/spec.yaml, which is not here" in nowhere.stderr
    applied = batchspec("apply", "--plan", "../../p.json", cwd=other / "specs/texts", env=work.env)
    assert applied.code == 0, applied
    assert (other / "results/a.count").read_text() == "3\n"
    named = batchspec(
        "apply", "other/checkout/specs/spec.yaml", "--plan", f"{other}/p.json", cwd=tmp_path, env=work.env
    )
    assert (named.code, named.stdout) == (0, "Nothing to do\n"), named


def test_a_plan_is_of_one_spec_and_one_digest(write: Write, raw: Services) -> None:
    work = write(MANY.replace("120", "2"))
    digest = frozen(work)["digest"]
    other = work.folder / "specs/other.yaml"
    other.write_text(work.spec.read_text().replace(f"name: {work.name}", "name: other"))

    of_another = batchspec("apply", "specs/other.yaml", "--plan", "p.json", cwd=work.folder, env=work.env)
    assert of_another.code == 6, of_another
    assert "error: the plan in p.json is of another spec\n" in of_another.stderr
    other.unlink()
    unreviewed = apply_plan(work, "--digest", "0" * 12)
    assert unreviewed.code == 6, unreviewed
    assert f"error: the plan in p.json has the digest {digest[:12]}, not 000000000000\n" in unreviewed.stderr
    assert raw.of(work.name) == ([], [], [])
    assert apply_plan(work, "--digest", digest[:12]).code == 0


def test_nothing_is_asked_and_much_at_once_still_needs_force(write: Write, raw: Services) -> None:
    work = write(MANY.replace("120", "4"))
    assert work.run("apply").code == 0
    frozen(work, "--var", "word=again")
    added = raw.added(work.name)

    refused_ = apply_plan(work, "--yes")
    assert refused_.code == 6, refused_
    assert "would replace 4 of 4 existing tasks" in refused_.stderr
    assert raw.added(work.name) == added
    forced = apply_plan(work, "--force")
    assert forced.code == 0, forced
    assert not set(added.items()) & set(raw.added(work.name).items())


@pytest.mark.parametrize("format", ["text", "json", "markdown"])
def test_every_format_goes_with_a_file(format: str, write: Write) -> None:
    work = write(MANY.replace("120", "2"))
    plain = work.run("plan", "--format", format)
    planned = work.run("plan", "--format", format, "--out", "p.json")

    told = re.sub(r"batchspec apply .*--digest \w+", "batchspec apply --plan p.json", plain.stdout)
    assert (planned.code, planned.stdout) == (0, told), planned
    assert oct((work.folder / "p.json").stat().st_mode & 0o777) == oct(0o666 & ~_umask())
    again = work.run("plan", "--format", format, "--out", "p.json")
    assert again.code == 0, "a plan takes the place of a plan"


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_plan_overwrites_nothing_but_plans(write: Write) -> None:
    work = write(MANY.replace("120", "2"))
    before = work.spec.read_text()

    ran = work.run("plan", "--out", "specs/spec.yaml")

    assert (ran.code, work.spec.read_text()) == (2, before), ran
    assert ran.stderr == (
        "error: --out specs/spec.yaml is there and is no plan, so it is not overwritten\n  give another name\n"
    )


def test_what_is_refused_or_cannot_be_looked_at_is_not_frozen(write: Write) -> None:
    work = write("tasks: [{id: a, command: 'true', required_slots: 4}]")
    ran = work.run("plan", "--out", "p.json")
    assert (ran.code, (work.folder / "p.json").exists()) == (6, False), ran

    work.spec.write_text(
        f"version: 1\nname: {work.name}\n"
        "containers: {raw: {existing: true, url: 'https://a.example.com/raw', sas: {from_env: RAW_SAS}}}\n"
        "downloads: [{container: raw, to: results}]\n"
    )
    ran = work.run("plan", "--out", "p.json")
    assert (ran.code, (work.folder / "p.json").exists()) == (6, False), ran
    assert "error: --out p.json was not written: the plan could not look at everything" in ran.stderr


@pytest.mark.parametrize("moment", ["the pool", "the first tasks"])
def test_a_killed_run_of_a_plan_is_repeated_with_the_same_file(moment: str, write: Write, raw: Services) -> None:
    work = write(MANY)
    frozen(work, "--var", "word=reviewed")
    there: dict[str, Callable[[], bool]] = {
        "the pool": lambda: bool(raw.of(work.name)[0]),
        "the first tasks": lambda: work.name in raw.jobs() and bool(raw.tasks(work.name)),
    }
    with begun("apply", "--plan", "p.json", cwd=work.folder, env=work.env) as applying:
        until(there[moment], moment)
        applying.send_signal(signal.SIGKILL)
        end(applying)
    before = raw.added(work.name) if work.name in raw.jobs() else {}

    tries: list[Ran] = []

    def lock_is_given_back() -> bool:
        """A client killed before it could leave its name with its lock is waited for: the lock ends after 60 s."""
        tries.append(apply_plan(work))
        return tries[-1].code != 6 or "is stale" in tries[-1].stderr

    until(lock_is_given_back, "the lock of the killed client to expire", seconds=120)
    assert tries[-1].code == 0, tries[-1]
    added = raw.added(work.name)
    assert len(added) == 120
    assert before.items() <= added.items(), "a task was added twice"
    again = apply_plan(work)
    assert (again.code, again.stdout) == (0, "Nothing to do\n"), again


def test_two_who_apply_one_plan_at_once_add_every_task_once(write: Write, raw: Services) -> None:
    work = write(MANY)
    frozen(work)

    with (
        begun("apply", "--plan", "p.json", cwd=work.folder, env=work.env) as one,
        begun("apply", "--plan", "p.json", cwd=work.folder, env=work.env) as other,
    ):
        both = end(one), end(other)

    assert {ran.code for ran in both} <= {0, 6}, both
    assert any(ran.code == 0 for ran in both), both
    assert all("is applying" in ran.stderr or "lock" in ran.stderr for ran in both if ran.code == 6), both
    assert len(raw.tasks(work.name)) == 120


@pytest.fixture
def hostile(write: Write) -> Callable[[bytes], Ran]:
    """A function that applies the bytes of a file as a plan, in a folder with a spec; nothing may come of it."""
    work = write(MANY.replace("120", "2"))

    def applied(content: bytes) -> Ran:
        (work.folder / "p.json").write_bytes(content)
        ran = apply_plan(work)
        assert "Traceback" not in ran.stderr
        assert "on the local engine" not in ran.stderr, "no service is asked"
        return ran

    frozen(work)
    return applied


def test_files_that_are_no_plans_are_told_so_and_nothing_is_touched(hostile: Callable[[bytes], Ran]) -> None:
    files = {
        b"": "is no plan: it is not JSON, or a part of it is missing",
        b"version: 1\n": "is no plan: it is not JSON, or a part of it is missing",
        b"{}": "is no plan: it has no `batchspec_plan`",
        b'{"batchspec_plan":2}': "is of another version; this batchspec reads version 1",
        b'{"batchspec_plan":1,"a":"\xff\xfe"}': "is no plan: it is not UTF-8 text",
        b"[" * 1_000_000: "is no plan that batchspec has made: it is nested too deeply",
        b"[" + b"{}," * 6_000_000: "is no plan that batchspec has made: it has more than 10,000,000 values",
    }
    for content, message in files.items():
        ran = hostile(content)
        assert (ran.code, ran.stdout) == (2, ""), ran
        assert ran.stderr == f"error: --plan p.json: {message}\n  make one with: batchspec plan SPEC --out FILE\n"


def test_a_plan_that_was_edited_says_so(write: Write, raw: Services) -> None:
    work = write(MANY)
    frozen(work)
    plan = work.folder / "p.json"
    whole = plan.read_text()
    for old, new in (('"done"', '"; rm -rf"'), ('["0"', '["\\u001b[2J"'), ("spec.yaml", "../../x.yaml")):
        plan.write_text(whole.replace(old, new))
        ran = apply_plan(work)
        assert (ran.code, ran.stdout) == (2, ""), ran
        assert "\x1b" not in ran.stderr
    assert raw.of(work.name) == ([], [], [])


def test_what_is_no_file_is_no_plan(write: Write) -> None:
    work = write(MANY)
    os.mkfifo(work.folder / "pipe")
    with (work.folder / "sparse").open("wb") as file:
        file.truncate(50_000_000_000)
    told = {
        "specs": "cannot be read: Is a directory",
        "pipe": "cannot be read: is no file but a pipe, a socket or a device",
        "nothing": "cannot be read: No such file or directory",
        "sparse": "is larger than 268,435,456 bytes",
        "a\x1b[2J": "cannot be read: No such file or directory",
    }
    for name, message in told.items():
        ran = batchspec("apply", "--plan", name, cwd=work.folder, env=work.env)
        shown = name.replace("\x1b", "\\x1b")
        assert (ran.code, ran.stderr.splitlines()[0]) == (2, f"error: --plan {shown}: {message}"), ran
