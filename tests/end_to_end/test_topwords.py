"""The topwords workload, from a spec in a folder to the result files and back to nothing."""

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.end_to_end.counting import counted
from tests.end_to_end.workspace import Services, Workspace, exported, workspace

FORMATS = ("text", "json", "markdown")
TEXTS = ("harbour", "orchard", "railway")


def top_words(text: Path, number: int = 3) -> str:
    """What the task should have found, by a regular expression instead of the task's way."""
    letters = r"[^\W\d_]+"
    words = Counter(re.findall(f"{letters}(?:['’]{letters})*", text.read_text().lower()))
    ranked = sorted((-count, word) for word, count in words.items())
    return "".join(f"{word},{-count}\n" for count, word in ranked[:number])


def expected(work: Workspace) -> dict[str, str]:
    """The result files of the texts that are in the workspace now."""
    texts = work.folder.glob("specs/topwords/*.txt")
    return {f"{text.stem}_OUTPUT.txt": top_words(text) for text in texts}


def results(work: Workspace) -> dict[str, str]:
    """The result files that are there."""
    return {file.name: file.read_text() for file in (work.folder / "results" / "topwords").iterdir()}


def names(work: Workspace) -> tuple[str, str, tuple[str, str, str]]:
    """The ids of the pool and of the job, and the names of the containers."""
    one = work.name
    return f"{one}-pool", f"{one}-job", (f"{one}-application", f"{one}-input", f"{one}-output")


def test_the_spec_as_shipped_runs_does_nothing_again_and_is_deleted_without_a_trace(
    env: Mapping[str, str], raw: Services, tmp_path: Path
) -> None:
    work = workspace(tmp_path / "work", "topwords", env)
    pool, job, (application, inputs, outputs) = names(work)
    raw.blobs.create_container("foreign")

    first = work.run("apply")

    assert first.code == 0, first
    assert results(work) == expected(work)
    assert len(results(work)) == 3
    assert raw.tasks(job) == dict.fromkeys(TEXTS, ("completed", "success", 0))
    assert raw.of("topwords") == ([pool], [job], [application, inputs, outputs])
    assert set(raw.content(inputs)) == {f"{text}.txt" for text in TEXTS}
    assert set(raw.content(application)) == {"topwords_task.py"}
    assert "sig=" not in first.stdout + first.stderr

    again = work.run("apply")
    assert (again.code, "Nothing to do" in again.stdout) == (0, True), again

    deleted = work.run("delete", "--yes")
    assert deleted.code == 0, deleted
    assert raw.of("topwords") == ([], [], [])
    assert "foreign" in raw.containers()
    raw.blobs.delete_container("foreign")


def test_a_second_apply_writes_to_neither_service(topwords: Workspace, env: Mapping[str, str]) -> None:
    first = topwords.run("apply")
    assert first.code == 0, first
    account = exported(env, topwords.folder)
    storage = dict(part.split("=", 1) for part in account["AZURE_STORAGE_CONNECTION_STRING"].split(";") if part)

    with counted(account["AZURE_BATCH_ENDPOINT"]) as batch, counted(storage["BlobEndpoint"]) as blobs:
        through = storage | {"BlobEndpoint": blobs.url}
        connection = ";".join(f"{name}={value}" for name, value in through.items())
        named = account | {"AZURE_BATCH_ENDPOINT": batch.url, "AZURE_STORAGE_CONNECTION_STRING": connection}
        again = Workspace(topwords.folder, {**env, **named}, topwords.name).run("apply", "--target", "azure")

    assert (again.code, "Nothing to do" in again.stdout) == (0, True), again
    assert (batch.writes, blobs.writes) == (0, 0)
    assert (batch.counts["GET"] > 0, blobs.counts["GET"] > 0) == (True, True)


def test_a_fourth_text_costs_one_upload_and_one_task(topwords: Workspace, raw: Services) -> None:
    first = topwords.run("apply")
    assert first.code == 0, first
    _, job, (application, inputs, _) = names(topwords)
    scripts, blobs, tasks = raw.written(application), raw.written(inputs), raw.added(job)

    name = "lantern & key's №4 – ü"
    (topwords.folder / f"specs/topwords/{name}.txt").write_text("Lamp lamp, LAMP; key Key. Straße lantern's.\n")
    second = topwords.run("apply")

    assert second.code == 0, second
    assert results(topwords) == expected(topwords)
    assert results(topwords)[f"{name}_OUTPUT.txt"] == "lamp,3\nkey,2\nlantern's,1\n"
    written, added = raw.written(inputs), raw.added(job)
    assert {blob for blob in written if written[blob] != blobs.get(blob)} == {f"{name}.txt"}
    assert raw.written(application) == scripts
    assert len(added) == 4
    assert {task: added[task] for task in tasks} == tasks


def test_an_edited_text_costs_one_upload_and_one_replaced_task(topwords: Workspace, raw: Services) -> None:
    first = topwords.run("apply")
    assert first.code == 0, first
    _, job, (application, inputs, _) = names(topwords)
    scripts, blobs, tasks = raw.written(application), raw.written(inputs), raw.added(job)

    (topwords.folder / "specs/topwords/orchard.txt").write_text("pear pear pear plum plum fig\n")
    unasked = topwords.run("apply")
    assert unasked.code == 6, unasked
    agreed = topwords.run("apply", "--yes")
    assert agreed.code == 6, agreed
    assert "would replace 1 of 3 existing tasks (33.3%; more than 30% needs --force)" in agreed.stderr, agreed
    assert (raw.written(inputs), raw.added(job)) == (blobs, tasks)
    second = topwords.run("apply", "--yes", "--force")

    assert second.code == 0, second
    assert results(topwords) == expected(topwords)
    assert results(topwords)["orchard_OUTPUT.txt"] == "pear,3\nplum,2\nfig,1\n"
    written, added = raw.written(inputs), raw.added(job)
    assert {blob for blob in written if written[blob] != blobs[blob]} == {"orchard.txt"}
    assert {task for task in added if added[task] != tasks[task]} == {"orchard"}
    assert raw.written(application) == scripts


def test_plan_says_that_the_text_of_a_finished_task_is_gone(topwords: Workspace, raw: Services) -> None:
    first = topwords.run("apply")
    assert first.code == 0, first
    _, job, _ = names(topwords)

    (topwords.folder / "specs/topwords/harbour.txt").unlink()
    planned = topwords.run("plan")
    applied = topwords.run("apply")

    assert planned.code == 0, planned
    assert "harbour" in planned.stdout, planned
    assert applied.code == 0, applied
    assert set(raw.added(job)) == set(TEXTS)


def test_an_edited_task_script_reboots_the_nodes_and_runs_every_task_again(topwords: Workspace, raw: Services) -> None:
    first = topwords.run("apply")
    assert first.code == 0, first
    pool, job, (application, inputs, _) = names(topwords)
    scripts, blobs, tasks, boots = raw.written(application), raw.written(inputs), raw.added(job), raw.boots(pool)

    script = topwords.folder / "specs/topwords/topwords_task.py"
    text = script.read_text()
    assert text.count('f"{word},{count}\\n"') == 1
    script.write_text(text.replace('f"{word},{count}\\n"', 'f"{word}={count}\\n"'))
    second = topwords.run("apply", "--yes", "--force")

    assert second.code == 0, second
    assert results(topwords) == {name: text.replace(",", "=") for name, text in expected(topwords).items()}
    assert raw.written(application) != scripts
    assert raw.written(inputs) == blobs
    added, booted = raw.added(job), raw.boots(pool)
    assert {task for task in added if added[task] != tasks[task]} == set(TEXTS)
    assert {node for node in booted if booted[node] != boots.get(node)} == set(booted)


def test_plan_says_that_another_vm_size_replaces_the_pool(topwords: Workspace, raw: Services) -> None:
    first = topwords.run("apply")
    assert first.code == 0, first

    topwords.edit("vm_size: standard_d2s_v3", "vm_size: standard_d4s_v3")
    planned = topwords.run("plan", "--detailed-exitcode")
    formats = {format: topwords.run("plan", "--detailed-exitcode", "--format", format) for format in FORMATS}
    unasked = topwords.run("apply")

    assert planned.code == 5, planned
    assert [ran.code for ran in formats.values()] == [5] * len(FORMATS), formats
    assert "\n  - `vm_size`: `standard_d2s_v3` → `standard_d4s_v3` (forces replacement)\n" in formats["markdown"].stdout
    assert re.search(r"(?m)^ *-/\+ +pool", planned.stdout), planned
    assert re.search(r"vm_?size", planned.stdout, re.IGNORECASE), planned
    assert "standard_d2s_v3" in planned.stdout, planned
    assert "standard_d4s_v3" in planned.stdout, planned
    assert unasked.code == 6, unasked
    pool = raw.batch.get_pool(names(topwords)[0])
    assert (str(pool.vm_size), pool.current_dedicated_nodes) == ("standard_d2s_v3", 2)


def test_more_words_run_every_task_again_and_send_nothing(topwords: Workspace, raw: Services) -> None:
    first = topwords.run("apply")
    assert first.code == 0, first
    pool, _, (application, inputs, _) = names(topwords)
    before = raw.written(application), raw.written(inputs), raw.boots(pool)

    second = topwords.run("apply", "--yes", "--force", "--var", "numwords=7")

    assert second.code == 0, second
    texts = topwords.folder.glob("specs/topwords/*.txt")
    assert results(topwords) == {f"{text.stem}_OUTPUT.txt": top_words(text, 7) for text in texts}
    assert (raw.written(application), raw.written(inputs), raw.boots(pool)) == before


def test_deleted_results_are_fetched_again(topwords: Workspace) -> None:
    first = topwords.run("apply")
    assert first.code == 0, first
    (topwords.folder / "results/topwords/orchard_OUTPUT.txt").unlink()
    (topwords.folder / "results/topwords/railway_OUTPUT.txt").write_text("half")

    second = topwords.run("apply")

    assert second.code == 0, second
    assert results(topwords) == expected(topwords)


def test_delete_without_a_terminal_and_without_yes_deletes_nothing(topwords: Workspace, raw: Services) -> None:
    first = topwords.run("apply")
    assert first.code == 0, first
    before = raw.of(topwords.name)

    asked = topwords.run("delete")

    assert asked.code == 6, asked
    assert raw.of(topwords.name) == before


@pytest.mark.parametrize("spec", ["topwords", "ffmpeg"])
def test_the_specs_as_shipped_are_valid(spec: str, env: Mapping[str, str], tmp_path: Path) -> None:
    work = workspace(tmp_path, spec, env)

    assert work.run("validate").code == 0
    assert work.run("render").code == 0
