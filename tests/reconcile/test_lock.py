"""The spec's lock."""

import asyncio
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from batchspec.errors import Locked
from batchspec.reconcile.lock import holder, lock_container, locked
from tests.fakes import FakeContainer
from tests.reconcile.builders import Workload, World


@pytest.fixture
def workload(tmp_path: Path) -> Workload:
    return Workload(tmp_path)


def test_it_is_on_the_first_own_container(workload: Workload) -> None:
    assert lock_container(workload.desired()) == "words-application"
    assert lock_container(replace(workload, existing=frozenset({"application"})).desired()) == "words-input"


def test_it_is_rather_on_one_that_clean_up_leaves(workload: Workload) -> None:
    some = replace(workload, cleanup=("container.application", "container.input")).desired()
    every = replace(workload, cleanup=tuple(f"container.{key}" for key in some.containers)).desired()
    assert (lock_container(some), lock_container(every)) == ("words-output", "words-application")


def test_without_own_containers_there_is_none(workload: Workload) -> None:
    assert lock_container(replace(workload, existing=frozenset({"application", "input", "output"})).desired()) is None


def test_the_holder_says_who_and_where() -> None:
    assert holder().endswith(f", process {os.getpid()}")


async def test_it_is_given_back_whatever_happens(workload: Workload) -> None:
    world = World()
    await world.blobs.create_container("words-application", {})

    async def fail_under_it() -> None:
        async with locked(workload.desired(), world.services):
            assert world.blobs.containers["words-application"].lease is not None
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_under_it()
    assert world.blobs.containers["words-application"].lease is None


async def test_a_live_holder_is_refused_at_once(workload: Workload) -> None:
    world = World()
    await _held_by(world, holder())
    with pytest.raises(Locked):
        async with locked(workload.desired(), world.services):
            pass
    assert world.clock.seconds == 0


async def test_the_lock_of_a_client_that_was_killed_here_is_taken_over(workload: Workload) -> None:
    world = World()
    dead = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
    await asyncio.wait_for(dead.wait(), timeout=60)
    await _held_by(world, holder().replace(str(os.getpid()), str(dead.pid)))
    async with locked(workload.desired(), world.services) as lease:
        assert lease is not None


async def _held_by(world: World, name: str) -> None:
    world.blobs.containers["words-application"] = FakeContainer({}, '"1"')
    await world.blobs.acquire("words-application", name, nobody)


def nobody(name: str) -> bool:
    return False
