"""doctor on the engine: what it says when all is well, and of a key that is wrong."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from tests.end_to_end.workspace import batchspec

_KEY = "c2VjcmV0LWtleS1vZi1ub2JvZHk="


def variables(env: Mapping[str, str], folder: Path) -> dict[str, str]:
    """What `engine env` exports."""
    told = batchspec("engine", "env", cwd=folder, env=env)
    return dict(re.findall(r"export (\w+)='(.*)'", told.stdout))


def test_all_is_well_on_the_engine(env: Mapping[str, str], tmp_path: Path) -> None:
    ran = batchspec("doctor", cwd=tmp_path, env=env)

    assert ran.code == 0, ran
    lines = ran.stdout.splitlines()
    assert [re.sub(" {2,}", " ", line).split(":")[0] for line in lines[:-1]] == [
        "ok batchspec",
        "ok Azure Batch",
        "ok Blob Storage",
        "ok clock",
        "ok pool quota",
        "ok job quota",
    ]
    assert lines[-1] == "Checks: 6 ok"
    assert re.search(r"doctor on the local engine \(http://127\.0\.0\.1:\d+\)", ran.stderr)


def test_a_key_that_is_wrong_fails_only_what_it_opens(env: Mapping[str, str], tmp_path: Path) -> None:
    azure = {**env, **variables(env, tmp_path), "AZURE_BATCH_ACCESS_KEY": _KEY, "BATCHSPEC_TARGET": "azure"}

    ran = batchspec("doctor", "--format", "json", cwd=tmp_path, env=azure)

    answer = json.loads(ran.stdout)
    checks = {one["name"]: one for one in answer["checks"]}
    assert (ran.code, answer["exit_code"], answer["error"], answer["target"]) == (1, 1, None, "azure"), ran
    assert {name: one["verdict"] for name, one in checks.items() if one["verdict"] == "failed"} == {
        "Azure Batch": "failed"
    }
    assert "AuthenticationFailed" in checks["Azure Batch"]["fact"]
    assert checks["Azure Batch"]["fix"].startswith("check the account's name and key")
    assert _KEY not in ran.stdout + ran.stderr


def test_a_variable_that_is_missing_is_named_with_how_to_get_it(env: Mapping[str, str], tmp_path: Path) -> None:
    ran = batchspec("doctor", "--target", "azure", cwd=tmp_path, env=env)

    assert (ran.code, ran.stdout) == (2, "")
    assert "AZURE_BATCH_ENDPOINT" in ran.stderr
    assert "az batch account list" in ran.stderr
