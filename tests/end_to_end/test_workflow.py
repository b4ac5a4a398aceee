"""The GitHub workflows of the readme: their shell steps are run as GitHub runs them, against the local engine.

Stand-ins take the place of what is GitHub's alone: its variables and contexts, the actions (`uses:`), and `gh`, which
keeps the comments of one pull request in a file. The Azure account is the engine, as any client may use it.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.end_to_end.workspace import REPOSITORY, Services, batchspec, exported

# What the filter of the readme does, in Python; any other filter is an error.
GH = r"""#!PYTHON
import json, pathlib, sys

FILTER = '.[] | select(.user.login == "github-actions[bot]") | "\\(.id) \\(.body | split("\\n")[0])"'
COMMENTS = "repos/me/mine/issues/7/comments"
file = pathlib.Path(__file__).with_name("comments.json")
kept = json.loads(file.read_text())
match sys.argv[1:]:
    case ["api", path, "--paginate", "--jq", filter] if (path, filter) == (COMMENTS, FILTER):
        for one in kept:
            if one["user"]["login"] == "github-actions[bot]":
                print(one["id"], one["body"].split("\n")[0])
    case ["api", "--method", "POST", path, "--field", "body=@comment.md"] if path == COMMENTS:
        body = pathlib.Path("comment.md").read_text()
        kept.append({"id": 100 + len(kept), "user": {"login": "github-actions[bot]"}, "body": body})
    case ["api", "--method", "PATCH", path, "--field", "body=@comment.md"]:
        (mine,) = [one for one in kept if path == f"repos/me/mine/issues/comments/{one['id']}"]
        mine["body"] = pathlib.Path("comment.md").read_text()
    case words:
        sys.exit(f"gh: {words}")
file.write_text(json.dumps(kept))
"""
OTHERS = [
    {"id": 1, "user": {"login": "someone"}, "body": "<!-- batchspec plan specs/topwords.yaml -->\nnot the bot's"},
    {
        "id": 2,
        "user": {"login": "github-actions[bot]"},
        "body": "Thank you!\n<!-- batchspec plan specs/topwords.yaml -->",
    },
]


def workflow(name: str) -> dict[str, Any]:
    """A workflow of the readme; `on` is a truth value to a reader of YAML 1.1."""
    blocks = re.findall(r"(?ms)^```yaml\n(.*?)^```$", (REPOSITORY / "README.md").read_text())
    (text,) = [block for block in blocks if block.startswith(f"name: {name}\n")]
    loaded: dict[Any, Any] = yaml.safe_load(text)
    return {"on" if key is True else key: value for key, value in loaded.items()}


def goes_on(condition: str, failed: set[str]) -> bool:
    """Whether GitHub runs a step under this condition; any other is an error."""
    return {
        "success()": not failed,
        "success() || steps.plan.outcome == 'failure'": not failed or "plan" in failed,
    }[condition]


@dataclass(frozen=True, slots=True)
class Runner:
    """A checkout, and the machine that GitHub runs steps on."""

    folder: Path
    tools: Path
    env: Mapping[str, str]
    contexts: Mapping[str, str]

    def job(self, flow: Mapping[str, Any], name: str) -> list[subprocess.CompletedProcess[str]]:
        """The `run:` steps of a job in order, without those that GitHub leaves out after one that failed."""
        job = flow["jobs"][name]
        assert flow["defaults"]["run"]["shell"] == "bash"
        ran: list[subprocess.CompletedProcess[str]] = []
        failed: set[str] = set()
        for step in job["steps"]:
            given = {**flow.get("env", {}), **job.get("env", {}), **step.get("env", {})}
            if "run" not in step or not goes_on(step.get("if", "success()"), failed):
                continue
            assert "${{" not in step["run"], "what is put into a script may be anybody's words"
            ran.append(self.step(step["run"], {key: self.filled(value) for key, value in given.items()}))
            if ran[-1].returncode:
                failed.add(step.get("id", "a step"))
        return ran

    def filled(self, value: str) -> str:
        """A value with the contexts of GitHub put in."""
        return re.sub(r"\$\{\{ ([a-z_.A-Z]+) \}\}", lambda found: self.contexts[found[1]], value)

    def step(self, script: str, given: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """One script, as `shell: bash` is run."""
        path = self.tools / "step.sh"
        path.write_text(script)
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", path],
            cwd=self.folder,
            env={**self.env, **given},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=150,
            check=False,
        )

    @property
    def summary(self) -> Path:
        """What the run shows."""
        return self.tools / "summary.md"

    @property
    def comments(self) -> list[dict[str, Any]]:
        """The comments of the pull request."""
        loaded: list[dict[str, Any]] = json.loads((self.tools / "comments.json").read_text())
        return loaded


@pytest.fixture
def runner(env: Mapping[str, str], tmp_path: Path) -> Runner:
    folder, tools = tmp_path / "checkout", tmp_path / "tools"
    shutil.copytree(REPOSITORY / "specs", folder / "specs", ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True, timeout=60)
    tools.mkdir()
    (tools / "comments.json").write_text(json.dumps(OTHERS))
    for name, text in (
        ("gh", GH.replace("PYTHON", sys.executable)),
        ("batchspec", f'#!/bin/sh\nexec "{sys.executable}" -m batchspec "$@"\n'),
        ("python", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n'),
    ):
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    account = exported(env, tmp_path)
    kept = {name: value for name, value in env.items() if name != "BATCHSPEC_TARGET"}
    github = {"CI": "true", "GITHUB_REPOSITORY": "me/mine", "GITHUB_WORKSPACE": str(folder), "GITHUB_ACTIONS": "true"}
    path = f"{tools}{os.pathsep}{os.environ['PATH']}"
    contexts = {
        "vars.AZURE_BATCH_ENDPOINT": account["AZURE_BATCH_ENDPOINT"],
        "vars.AZURE_STORAGE_ACCOUNT": account["AZURE_STORAGE_ACCOUNT"],
        "github.token": "a-token",
        "github.event.pull_request.number": "7",
    }
    github["GITHUB_STEP_SUMMARY"] = str(tools / "summary.md")
    there = {"PATH": path, "PYTHONPATH": str(REPOSITORY), "PIP_NO_INDEX": "1"}
    return Runner(folder, tools, {**kept, **account, **github, **there}, contexts)


def test_the_plan_is_commented_and_updated_and_then_applied(
    runner: Runner, raw: Services, env: Mapping[str, str]
) -> None:
    review, merge = workflow("batchspec"), workflow("batchspec apply")

    for job in ("check", "plan"):
        ran = runner.job(review, job)
        assert [one.returncode for one in ran] == [0] * 3, ran
    *others, comment = runner.comments
    assert others == OTHERS
    assert comment["body"].startswith(
        "<!-- batchspec plan specs/topwords.yaml -->\n### batchspec plan of `specs/topwords.yaml` on `"
    )
    assert "\n\n**12 to create, 0 to change, 0 to replace, 0 to delete.**\n\n" in comment["body"]
    assert "\n- **3 new tasks** `harbour`, `orchard`, `railway`\n" in comment["body"]
    assert raw.of("topwords") == ([], [], []), "a plan changes nothing"

    (runner.folder / "specs/topwords/railway.txt").unlink()
    assert [one.returncode for one in runner.job(review, "plan")] == [0] * 3
    assert [one["id"] for one in runner.comments] == [1, 2, comment["id"]]
    assert "\n- **2 new tasks** `harbour`, `orchard`\n" in runner.comments[2]["body"]
    assert runner.comments[:2] == OTHERS

    try:
        assert [one.returncode for one in runner.job(merge, "plan")] == [0] * 2
        assert "\n**10 to create, 0 to change, 0 to replace, 0 to delete.**\n" in runner.summary.read_text()
        assert raw.of("topwords") == ([], [], []), "a plan changes nothing"
        applied = runner.job(merge, "apply")
        assert [one.returncode for one in applied] == [0] * 2, applied
        assert [one.returncode for one in runner.job(review, "plan")] == [0] * 3
        assert "Nothing to do" in runner.comments[2]["body"]
        assert len(runner.comments) == 3
    finally:
        deleted = batchspec("delete", "specs/topwords.yaml", "--yes", cwd=runner.folder, env=env)
    assert deleted.code == 0, deleted


def test_what_changed_after_the_plan_that_reviewers_saw_is_not_applied(runner: Runner, raw: Services) -> None:
    merge = workflow("batchspec apply")
    assert [one.returncode for one in runner.job(merge, "plan")] == [0] * 2
    (runner.folder / "specs/topwords/railway.txt").unlink()

    *_, applied = runner.job(merge, "apply")

    assert applied.returncode == 6, applied
    assert "\n  file topwords-input/railway.txt: was 2194 bytes" in applied.stderr, applied
    assert raw.of("topwords") == ([], [], [])


def test_a_plan_that_is_refused_or_cannot_be_made_is_commented_too(runner: Runner) -> None:
    review, spec = workflow("batchspec"), runner.folder / "specs/topwords.yaml"
    text = spec.read_text()

    spec.write_text(text.replace("tasks:\n  - ", "tasks:\n  - required_slots: 4\n    "))
    *_, plan, comment = runner.job(review, "plan")
    assert (plan.returncode, comment.returncode) == (6, 0), (plan, comment)
    assert "\n- **failed** required slots: task harbour needs 4 slots" in runner.comments[2]["body"]

    spec.write_text(text.replace("vm_size", "vm_sise"))
    *_, plan, comment = runner.job(review, "plan")
    assert (plan.returncode, comment.returncode) == (2, 0), (plan, comment)
    assert len(runner.comments) == 3
    assert runner.comments[2]["body"] == (
        "<!-- batchspec plan specs/topwords.yaml -->\n### batchspec plan of `specs/topwords.yaml`\n\n"
        "**There is no plan:**\n\n```text\n"
        "specs/topwords.yaml:33:3: pool.vm_sise: unknown property; did you mean 'vm_size'?\n```\n"
    )


def test_a_broken_spec_and_a_stale_rendering_stop_the_check(runner: Runner) -> None:
    spec = runner.folder / "specs/topwords.yaml"
    text = spec.read_text()

    spec.write_text(text.replace("numwords: 3 ", "numwords: 4 "))
    *_, stale = runner.job(workflow("batchspec"), "check")
    assert stale.returncode == 5, stale
    assert "\n+  commandLine: /bin/bash -c 'python3" in stale.stdout

    spec.write_text(text.replace("vm_size", "vm_sise"))
    _, broken = runner.job(workflow("batchspec"), "check")
    assert broken.returncode == 2, broken
    assert broken.stdout.startswith("::error file=specs/topwords.yaml,line=")


def test_the_workflows_may_do_no_more_than_they_must() -> None:
    review, merge = workflow("batchspec"), workflow("batchspec apply")

    assert set(review["on"]) == {"pull_request"}, "pull_request_target would hand secrets to the code of a fork"
    assert review["permissions"] == {"contents": "read"}
    assert "permissions" not in review["jobs"]["check"]
    plan = review["jobs"]["plan"]
    assert plan["permissions"] == {"contents": "read", "id-token": "write", "pull-requests": "write"}
    assert plan["if"] == "github.event.pull_request.head.repo.full_name == github.repository"
    assert set(merge["on"]) == {"push"}
    assert merge["permissions"] == {"contents": "read", "id-token": "write"}
    assert merge["jobs"]["apply"]["environment"] == "production"
    for job in (*review["jobs"].values(), *merge["jobs"].values()):
        checkout = job["steps"][0]
        assert (checkout["uses"].split("@")[0], checkout["with"]) == (
            "actions/checkout",
            {"persist-credentials": False},
        )
        assert "secrets." not in json.dumps(job)
