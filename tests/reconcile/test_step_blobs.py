"""Containers and uploads: what another client may do meanwhile."""

from dataclasses import replace
from pathlib import Path

import pytest

from batchspec.errors import ForeignOwner, ServiceRefused, TransferFailed
from batchspec.reconcile.report import Advanced
from tests.fakes import FakeContainer
from tests.reconcile.builders import Workload, World


@pytest.fixture
def workload(tmp_path: Path) -> Workload:
    return Workload(tmp_path, downloads=False)


@pytest.mark.parametrize("container", ["words-application", "words-output"])
async def test_a_container_that_somebody_else_makes_meanwhile_is_not_ours(container: str, workload: Workload) -> None:
    world = World()

    def interfere(name: str) -> None:
        if name == container:
            world.blobs.containers[name] = FakeContainer({}, '"1"')

    world.blobs.before("create_container", interfere)
    with pytest.raises(ForeignOwner, match=f"container {container} was just made by somebody else"):
        await world.apply(workload.desired())
    assert world.batch.writes == []


async def test_a_blob_that_appears_meanwhile_is_not_overwritten(workload: Workload) -> None:
    world = World()
    world.blobs.before("upload", lambda name: world.blobs.put("words-input", "b.txt", b"theirs"))
    with pytest.raises(ServiceRefused, match=r"words-input/b.txt: BlobAlreadyExists"):
        await world.apply(workload.desired())
    assert world.blobs.containers["words-input"].blobs["b.txt"].content == b"theirs"


async def test_a_blob_that_changes_meanwhile_is_not_overwritten(workload: Workload) -> None:
    world = World()
    await world.apply(workload.desired())
    world.blobs.before("upload", lambda name: world.blobs.put("words-input", "b.txt", b"theirs"))
    with pytest.raises(ServiceRefused, match=r"words-input/b.txt: ConditionNotMet"):
        await world.apply(replace(workload, texts={**workload.texts, "b.txt": "mine"}).desired())


async def test_a_blob_that_changes_meanwhile_is_not_pruned(workload: Workload) -> None:
    world = World()
    await world.apply(workload.desired())
    texts = {name: text for name, text in workload.texts.items() if name != "b.txt"}
    world.blobs.before("delete_blob", lambda name: world.blobs.put("words-input", "b.txt", b"theirs"))
    with pytest.raises(ServiceRefused, match=r"words-input/b.txt: ConditionNotMet"):
        await world.apply(replace(workload, prune=True, texts=texts).desired())
    assert world.blobs.containers["words-input"].blobs["b.txt"].content == b"theirs"


async def test_a_file_that_changes_after_the_plan_is_not_sent(workload: Workload) -> None:
    world = World()
    desired = workload.desired()
    file = desired.uploads["texts"].files[1]
    assert len(file.md5) == 16  # what fingerprints are made of

    def edit(name: str) -> None:
        file.path.write_text("changed")

    world.blobs.before("upload", edit)
    with pytest.raises(TransferFailed):
        await world.apply(desired)
    assert world.batch.writes == []


async def test_progress_ends_at_the_whole(workload: Workload) -> None:
    world = World()
    await world.apply(workload.desired())
    last = [event for event in world.events if isinstance(event, Advanced) and event.stage == "uploads"][-1]
    assert (last.done, last.total, last.done_bytes, last.total_bytes) == (4, 4, 20, 20)
