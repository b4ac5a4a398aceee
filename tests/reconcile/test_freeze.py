"""What a plan's digest depends on, and what it does not."""

import dataclasses
import hashlib
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from batchspec.reconcile import freeze
from batchspec.reconcile.asked import Asked
from batchspec.reconcile.freeze import Freezing
from batchspec.reconcile.observe import observe
from batchspec.reconcile.plan import plan
from batchspec.render.model import Blob, BlobQuery, Desired, Listing, Secret
from batchspec.render.symbolic import symbol
from tests.reconcile.builders import Workload, World


@pytest.fixture
def workload(tmp_path: Path) -> Workload:
    return Workload(tmp_path / "one")


@pytest.fixture
def world() -> World:
    return World()


async def frozen(desired: Desired, world: World, place: str = "local") -> tuple[str, str]:
    """The digest and the text of a plan that is made now."""
    seen = await observe(desired, world.services)
    made, freezing = plan(desired, seen), Freezing(desired, place)
    return freezing.digest(made, seen), "".join(freezing.text(made, seen))


def watched(workload: Workload) -> tuple[Desired, list[str]]:
    """The spec, and a list that grows with every walk over its tasks."""
    walks: list[str] = []

    def counted() -> object:
        walks.append("walk")
        return workload.desired().tasks()

    return replace(workload.desired(), tasks=counted), walks  # type: ignore[arg-type]


async def digest(desired: Desired, world: World) -> str:
    return (await frozen(desired, world))[0]


async def test_the_digest_is_of_the_text_which_is_canonical(workload: Workload, world: World) -> None:
    found, text = await frozen(workload.desired(), world)

    assert found == hashlib.sha256(text.encode()).hexdigest()
    assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))
    assert freeze.digest_of(json.loads(text)) == found


async def test_everybody_gets_the_same_digest_wherever_the_files_lie_and_whenever(
    workload: Workload, world: World, tmp_path: Path
) -> None:
    first = await digest(workload.desired(), world)
    elsewhere = replace(workload, folder=tmp_path / "another").desired()
    await world.clock.sleep(100_000)

    assert await digest(elsewhere, World()) == first


CHANGED = {
    "a file": {"texts": {"a.txt": "a a b", "b.txt": "b", "c.txt": "c d"}},
    "a file more": {"texts": {"a.txt": "a a b", "b.txt": "b", "c.txt": "c c", "d.txt": "d"}},
    "the start task's script": {"script": "count better"},
    "the pool": {"nodes": 3},
    "the job": {"job": {"priority": 5}},
    "the tasks": {"task": {"requiredSlots": 2}},
    "what has no effect on a result": {"task": {"constraints": {"maxTaskRetryCount": 2}}},
    "the clean-up": {"cleanup": ("pool",)},
    "a container": {"keep": frozenset({"output"})},
    "pruning": {"prune": True},
    "the wait": {"timeout": timedelta(minutes=21)},
    "the downloads": {"downloads": False},
}


@pytest.mark.parametrize("name", CHANGED)
async def test_the_digest_changes_with(name: str, workload: Workload, world: World) -> None:
    changed = replace(workload, **CHANGED[name])  # type: ignore[arg-type]

    assert await digest(changed.desired(), world) != await digest(workload.desired(), world)


async def test_the_digest_changes_with_the_account_and_with_what_is_asked_for(workload: Workload, world: World) -> None:
    desired = workload.desired()
    seen = await observe(desired, world.services)
    made = plan(desired, seen)
    asked = [
        Freezing(desired, "local"),
        Freezing(desired, "https://other"),
        Freezing(desired, "local", Asked(retry_failed=True)),
        Freezing(desired, "local", Asked(refresh_secrets=True)),
    ]

    assert len({one.digest(made, seen) for one in asked}) == len(asked)


async def test_the_digest_knows_no_secret_and_changes_with_none(workload: Workload, world: World) -> None:
    with_secret = replace(workload, task={"displayName": symbol("secret", "pw")}, secrets={"pw": Secret("geheim")})
    other = replace(with_secret, secrets={"pw": Secret("neu")})
    first, text = await frozen(with_secret.desired(), world)

    assert "geheim" not in text
    assert await digest(other.desired(), world) == first


async def test_what_goes_on_by_itself_changes_nothing_and_a_task_that_somebody_removes_does(
    workload: Workload, world: World
) -> None:
    desired = workload.desired()
    await world.apply(desired, wait=False)
    waiting = await digest(desired, world)
    await world.apply(desired)

    assert await digest(desired, world) == waiting, "the tasks have ended and left their results"
    del world.batch.tasks["words-job"]["a"]
    assert await digest(desired, world) != waiting


async def test_what_would_be_replaced_is_known_by_its_fingerprint(workload: Workload, world: World) -> None:
    await world.apply(workload.desired())
    edited = replace(workload, texts={**workload.texts, "a.txt": "other"})
    planned = await digest(edited.desired(), world)
    between = replace(workload, texts={**workload.texts, "a.txt": "something between"})
    await world.apply(between.desired())

    assert await digest(edited.desired(), world) != planned


async def test_a_second_plan_of_one_spec_walks_its_tasks_no_second_time(workload: Workload, world: World) -> None:
    desired, walks = watched(workload)
    seen = await observe(desired, world.services)
    made, freezing = plan(desired, seen), Freezing(desired, "local")
    walks.clear()

    assert freezing.digest(made, seen) == freezing.digest(made, seen)
    assert walks == ["walk"]
    walks.clear()
    keeping = Freezing(desired, "local", keep=True)
    assert keeping.digest(made, seen) == freezing.digest(made, seen)
    assert "".join(keeping.text(made, seen)) == "".join(freezing.text(made, seen))
    assert walks == ["walk"] * 2, "one for each"


@pytest.mark.parametrize("keep", [True, False])
async def test_who_plans_makes_the_digest_on_the_way(workload: Workload, world: World, keep: bool) -> None:
    desired, walks = watched(workload)
    seen = await observe(desired, world.services)
    digest_, text = await frozen(desired, world)
    walks.clear()

    freezing = Freezing(desired, "local", keep=keep)
    made = plan(freezing.watching(desired), seen)

    assert freezing.digest(made, seen) == digest_
    assert walks == ["walk"]
    assert "".join(freezing.text(made, seen)) == text
    assert walks == ["walk"] * (1 if keep else 2)


async def test_a_walk_that_is_left_early_makes_no_digest(workload: Workload, world: World) -> None:
    desired = workload.desired()
    seen = await observe(desired, world.services)
    freezing = Freezing(desired, "local")

    next(iter(freezing.watching(desired).tasks()))

    assert freezing.digest(plan(desired, seen), seen) == await digest(desired, world)


async def test_blobs_that_a_generator_listed_count_by_content(workload: Workload, world: World) -> None:
    query = BlobQuery("raw", "raw", "", "*.txt")
    digests = set()
    for blobs in ((), (Blob("a.txt", 1, b"1" * 16, "e1"),), (Blob("a.txt", 1, b"2" * 16, "e2"),)):
        desired = replace(workload.desired(), listings={query: Listing(blobs)})
        digests.add(await digest(desired, world))

    assert len(digests) == 3


async def test_a_plan_that_could_not_look_at_everything_has_no_digest(workload: Workload, world: World) -> None:
    desired = workload.desired()
    seen = await observe(desired, world.services)

    assert Freezing(desired, "local").digest(replace(plan(desired, seen), unseen=("container x",)), seen) == ""


def test_every_part_of_a_spec_is_in_the_text_or_is_known_not_to_matter() -> None:
    in_text = {"name", "containers", "uploads", "pool", "job", "tasks", "wait_timeout", "downloads", "listings"}
    in_text |= {"cleanup_after_success", "source", "variables", "rows", "schedule"}
    beside = {"shown_as", "secrets", "notes", "os"}

    assert {one.name for one in dataclasses.fields(Desired)} == in_text | beside
