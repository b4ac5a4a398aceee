"""Plans after an apply: nothing to do for every spec there is, and what somebody changed by hand is told as that."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from azure.batch import models

from tests.end_to_end.workspace import REPOSITORY, Services, Workspace, batchspec

VALID = REPOSITORY / "tests" / "examples" / "valid"
# These name things that are not there: another account's container.
NOT_HERE = {"other_accounts"}
SPECS = [path for path in sorted(VALID.glob("*.yaml")) if path.stem not in NOT_HERE]


def reasons(answer: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Kind, path and cause of every reason of a plan."""
    return [(one["kind"], why["path"], why["cause"]) for one in answer["changes"] for why in one["reasons"]]


@pytest.mark.parametrize("spec", SPECS, ids=lambda path: path.stem)
def test_what_was_just_applied_differs_in_nothing(spec: Path, env: Mapping[str, str]) -> None:
    secrets = {"SHARE_KEY": "c2VjcmV0"}
    applied = batchspec("apply", spec.name, "--no-wait", "--yes", cwd=VALID, env={**env, **secrets})
    if applied.code in (2, 6):
        pytest.skip(f"cannot be applied here: {applied.stderr}")
    assert applied.code == 0, applied
    again = batchspec("plan", spec.name, "--format", "json", cwd=VALID, env=env)
    batchspec("delete", spec.name, "--yes", cwd=VALID, env=env)
    plan = json.loads(again.stdout)
    assert (plan["totals"], plan["changes"]) == ({"create": 0, "change": 0, "replace": 0, "delete": 0}, [])


def test_what_somebody_changed_by_hand_is_told_as_drift(topwords: Workspace, raw: Services) -> None:
    assert topwords.run("apply").code == 0
    raw.batch.update_job(f"{topwords.name}-job", models.BatchJobUpdateOptions(priority=77))
    raw.batch.begin_resize_pool(
        f"{topwords.name}-pool", models.BatchPoolResizeOptions(target_dedicated_nodes=1)
    ).result()

    found = json.loads(topwords.run("plan", "--format", "json").stdout)
    assert reasons(found) == [("pool", "targetDedicatedNodes", "drift"), ("job", "priority", "drift")]
    text = topwords.run("plan").stdout
    assert "priority: 77 -> 0 (changed in the service, not in the spec)" in text
    assert (
        "\n2 properties differ since they were changed in the service, not in the spec: apply puts the spec's back.\n"
        in text
    )
    markdown = topwords.run("plan", "--format", "markdown").stdout
    assert "\n  - changed in the service, not in the spec:\n    - `priority`: `77` → `0`\n" in markdown

    assert topwords.run("apply").code == 0
    assert topwords.run("plan").stdout == "Nothing to do\n"


def test_a_blob_that_somebody_wrote_is_told_apart_from_a_file_that_is_new(topwords: Workspace, raw: Services) -> None:
    assert topwords.run("apply").code == 0
    blob = raw.blobs.get_blob_client(f"{topwords.name}-input", "harbour.txt")
    blob.upload_blob(b"another", overwrite=True, metadata=blob.get_blob_properties().metadata)
    for name in ("orchard", "railway"):
        (topwords.folder / f"specs/topwords/{name}.txt").write_text("new words")

    planned = topwords.run("plan")
    told = json.loads(topwords.run("plan", "--format", "json").stdout)

    assert planned.stdout.splitlines()[:4] == [
        "  ~ upload     1 file to input: harbour.txt (2.4 kB)",
        "                 content differs; changed in the service, not in the spec",
        "  ~ upload     2 files to input: orchard.txt, railway.txt (18 B)",
        "                 content differs",
    ]
    assert "\n1 blob differs since it was changed in the service, not in the spec: apply puts" in planned.stdout
    causes = {one["id"].rpartition("/")[2]: one["reasons"][0]["cause"] for one in told["changes"]}
    assert causes == {"harbour.txt": "drift", "orchard.txt": "spec", "railway.txt": "spec"}
    assert topwords.run("apply", "--yes", "--force").code == 0
    assert blob.download_blob().readall() == (topwords.folder / "specs/topwords/harbour.txt").read_bytes()


def test_a_plan_tells_what_differs_in_tasks_that_run_again(topwords: Workspace) -> None:
    assert topwords.run("apply").code == 0

    found = topwords.run("plan", "--var", "numwords=5").stdout
    command = "python3 $AZ_BATCH_NODE_SHARED_DIR/topwords_task.py --filepath harbour.txt --numwords"
    assert "3 to run again: harbour, orchard, railway" in found
    assert f"\n{17 * ' '}harbour: command_line:\n" in found
    assert [line.split()[0] for line in found.splitlines() if "harbour.txt" in line] == ["-", "+"]
    assert command.rpartition("topwords_task")[2] in found

    (topwords.folder / "specs/topwords/harbour.txt").write_text("ships and ships")
    found = topwords.run("plan").stdout
    assert f"harbour: resource_files[{topwords.name}-input/harbour.txt]: its content changed" in found
    assert "command_line" not in found
    assert "resource_files" not in found.replace("resource_files[", "", 1)
