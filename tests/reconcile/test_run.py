"""One run's context."""

from dataclasses import replace
from pathlib import Path

import pytest

from batchspec.reconcile.change import Change
from batchspec.reconcile.observe import observe
from batchspec.reconcile.report import silent
from batchspec.reconcile.run import Run
from batchspec.reconcile.sending import Sender
from tests.reconcile.builders import Workload, World


@pytest.fixture
async def run(tmp_path: Path) -> Run:
    world, desired = World(), Workload(tmp_path).desired()
    observed = await observe(desired, world.services)
    shown = await world.plan(desired)
    sender = Sender(desired, world.blobs)
    return Run("id", desired, observed, shown, world.services, sender, silent, world.clock)


def test_changes_are_found_by_kind(run: Run) -> None:
    assert run.changes("pool") == [Change("create", "pool", "words-pool")]


def test_what_it_makes_carries_the_spec_s_name(run: Run) -> None:
    assert run.owner_metadata == {"batchspec_name": "words"}


def test_only_without_the_lock_an_update_is_bound_to_what_was_seen(run: Run) -> None:
    there = {"id": "p", "eTag": "0x1"}
    assert (run.if_match(there), replace(run, alone=True).if_match(there)) == ("0x1", None)  # type: ignore[arg-type]
    assert run.if_match(None) is None
