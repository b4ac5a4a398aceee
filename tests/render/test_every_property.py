"""Every property of every model of azure-batch arrives: written in a spec, read and rendered as the program does it,
and compared with what the SDK itself sends for the same values. The walk is over the SDK's models, not our schema."""

import json
from pathlib import Path
from typing import Any

import pytest

from batchspec.errors import Problem
from batchspec.render.desired import check_tasks, render
from batchspec.render.model import Secret
from batchspec.render.symbolic import display
from batchspec.spec.read import read
from tests.schemas.fitting import Data, differences, places, sent, whole
from tests.schemas.reflected import TOP, hints, model

SHOWN_SECRET = "{{ vars.word }}"
VARS = {"word": {"secret": True, "from_env": "WORD"}}
POOL = {"id": "p", "existing": True}
PLACES = [(top, name) for top in TOP for name in places(model(top))]


@pytest.mark.parametrize(("top", "name"), PLACES)
def test_every_property_of_a_model_arrives_as_the_sdk_sends_it(top: str, name: str, tmp_path: Path) -> None:
    way = places(model(top))[name]
    owner = model(name)
    lost: list[str] = []
    for word in hints(owner):
        data = whole(way, owner, word)
        wanted = sent(model(top), data)
        body, problems = rendered(top, data, tmp_path)
        lost += [f"{name}.{word}: {problem}" for problem in problems]
        lost += [f"{name}.{word}: {one}" for one in differences(wanted, body)]
    assert lost == []


def rendered(top: str, data: Data, folder: Path) -> tuple[Any, list[Problem]]:
    """The body that is sent, and everything that is wrong; a symbol is shown as the template that it came from."""
    (folder / "spec.yaml").write_text(json.dumps(spec(top, data)), encoding="utf-8")
    built, problems = read(folder / "spec.yaml", "s")
    assert built is not None
    desired, faults = render(
        built, variables={}, secrets={"word": Secret("x")}, target="local", fingerprints=top == "BatchTaskCreateOptions"
    )
    assert desired is not None
    problems += [*faults, *check_tasks(desired)]
    if top == "BatchTaskCreateOptions":
        return shown(next(desired.tasks()).body), problems
    parts = {"BatchPoolCreateOptions": desired.pool, "BatchJobCreateOptions": desired.job}
    part = parts.get(top, desired.schedule)
    return shown(part and part.body), problems


def spec(top: str, data: Data) -> Data:
    """A whole spec around the data of one of the top models."""
    head: Data = {"version": 1, "name": "every", "vars": VARS}
    if top == "BatchPoolCreateOptions":
        return {**head, "pool": {"os": "windows", **data}}
    if top == "BatchTaskCreateOptions":
        # A job manager may add tasks, so that a task may depend on ids that the spec does not have.
        manager = {"id": "manager", "command_line": "x"}
        job = {"task_failure_mode": "performexitoptionsjobaction", "job_manager_task": manager}
        return {**head, "pool": POOL, "job": job, "tasks": [data]}
    word, job = ("job", data) if top == "BatchJobCreateOptions" else ("schedule", data["job_specification"])
    return {**head, word: data} if job.get("pool_info") else {**head, "pool": POOL, word: data}


def shown(body: Any) -> Any:
    """The body with secrets as they are written in a spec."""
    return json.loads(json.dumps(display(body)).replace("<secret word>", SHOWN_SECRET))
