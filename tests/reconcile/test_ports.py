"""What the stages may rely on: one suite over the fakes and over the adapters on the local engine."""

import asyncio
import hashlib
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from batchspec.errors import LocalIOFailed, Locked, ServiceRefused, TransferFailed
from batchspec.reconcile.ports import Added, BlobStore, Services, TextPart
from batchspec.reconcile.scaling import Evaluation, evaluation_of
from batchspec.reconcile.schedule_times import times_of
from tests.fakes import Body

Found = TypeVar("Found")

NAMES = ["a b'c.txt", "/etc/x", "x" * 1000, "ü#?%25&+;=.txt", "q\"'(!)*~.txt", "a//b", "dir/file", "%2F", "e\u0301"]


def unique(prefix: str) -> str:
    return f"{prefix}-{uuid.uuid4().hex[:10]}"


def pool(pool_id: str, nodes: int = 0) -> Body:
    image = {"publisher": "canonical", "offer": "ubuntu-24_04-lts", "sku": "server", "version": "latest"}
    return {
        "id": pool_id,
        "vmSize": "standard_d2s_v3",
        "virtualMachineConfiguration": {"imageReference": image, "nodeAgentSKUId": "batch.node.ubuntu 24.04"},
        "targetDedicatedNodes": nodes,
        "metadata": [{"name": "batchspec:name", "value": "me"}],
    }


def job(job_id: str, pool_id: str) -> Body:
    return {"id": job_id, "poolInfo": {"poolId": pool_id}, "metadata": [{"name": "batchspec:name", "value": "me"}]}


async def until(ask: Callable[[], Awaitable[Found]], holds: Callable[[Found], bool], *, within_s: float = 30) -> Found:
    """What `ask` says as soon as it `holds`."""
    async with asyncio.timeout(within_s):
        while True:
            if holds(found := await ask()):
                return found
            await asyncio.sleep(0.05)


async def put(
    blobs: BlobStore, path: Path, container: str, name: str, content: bytes, replaces: str | None = None
) -> None:
    path.write_bytes(content)
    md5 = hashlib.md5(content, usedforsecurity=False).digest()
    await blobs.upload(
        container, name, path, md5=md5, metadata={"batchspec_name": "me"}, replaces=replaces, on_bytes=lambda _: None
    )


# Azure Batch


async def test_a_service_on_this_machine_has_this_machine_s_clock(both: Services) -> None:
    await both.batch.create_pool(pool(name := unique("pool")))
    ahead = both.batch.clock_ahead
    assert ahead is not None
    assert abs(ahead) < timedelta(seconds=10)
    await both.batch.delete_pool(name)


async def test_a_pool_is_made_once_changed_and_removed(both: Services) -> None:
    batch, name = both.batch, unique("pool")
    assert await batch.get_pool(name) is None
    await batch.create_pool(pool(name))
    with pytest.raises(ServiceRefused) as raised:
        await batch.create_pool(pool(name))
    assert (raised.value.status, raised.value.code) == (409, "PoolExists")
    made = await until(lambda: batch.get_pool(name), lambda body: (body or {}).get("allocationState") == "steady")
    assert made is not None
    assert (made["state"], made["metadata"], made["taskSlotsPerNode"]) == ("active", pool(name)["metadata"], 1)
    assert name in [one["id"] async for one in batch.list_pools(select="id,metadata")]
    await batch.update_pool(name, {"metadata": [{"name": "batchspec:name", "value": "you"}]})
    changed = await batch.get_pool(name)
    assert changed is not None
    assert changed["metadata"] == [{"name": "batchspec:name", "value": "you"}]
    assert changed["eTag"] != made["eTag"]
    assert await batch.delete_pool(name) is True
    await until(lambda: batch.get_pool(name), lambda body: body is None)
    assert await batch.delete_pool(name) is False


async def test_a_change_under_a_stale_etag_is_refused(both: Services) -> None:
    batch, name = both.batch, unique("pool")
    await batch.create_pool(pool(name))
    with pytest.raises(ServiceRefused) as raised:
        await batch.update_pool(name, {"metadata": []}, if_match="0x8D0000000000001")
    assert raised.value.status == 412
    await batch.delete_pool(name)


async def test_a_pool_gets_nodes_that_can_be_counted_listed_and_taken_away(both: Services) -> None:
    batch, name = both.batch, unique("pool")
    assert [node async for node in batch.list_nodes(name)] == []
    await batch.create_pool(pool(name, nodes=1))

    async def idle() -> int:
        counts = await batch.node_counts(name)
        return 0 if counts is None else counts["dedicated"]["idle"]  # type: ignore[index,call-overload,return-value]

    await until(idle, lambda count: count == 1)
    nodes = [node async for node in batch.list_nodes(name, filter="state eq 'idle'", select="id,state")]
    assert [sorted(node) for node in nodes] == [["id", "state"]]
    await batch.resize_pool(name, {"targetDedicatedNodes": 0})
    await until(idle, lambda count: count == 0)
    await batch.delete_pool(name)


async def test_a_formula_is_evaluated_for_a_pool_that_scales_and_for_no_other(both: Services) -> None:
    batch, formula = both.batch, "$TargetDedicatedNodes = 1;"
    await batch.create_pool(pool(fixed := unique("pool")))
    with pytest.raises(ServiceRefused) as raised:
        await batch.evaluate_autoscale(fixed, formula)
    assert (raised.value.status, raised.value.code) == (409, "OperationInvalidForCurrentState")
    scales = {key: value for key, value in pool(unique("pool")).items() if key != "targetDedicatedNodes"}
    name = str(scales["id"])
    await batch.create_pool({**scales, "enableAutoScale": True, "autoScaleFormula": "$TargetDedicatedNodes = 0;"})
    run = await batch.evaluate_autoscale(name, formula)
    assert ("error" in run, evaluation_of(run)) == (False, Evaluation(1, 0))
    for one in (fixed, name):
        await batch.delete_pool(one)


async def test_a_schedule_is_made_once_changed_and_removed_with_its_jobs(both: Services) -> None:
    batch, name = both.batch, unique("schedule")
    body: Body = {
        "id": name,
        "schedule": {"recurrenceInterval": "P1D", "doNotRunUntil": "2099-01-01T00:00:00Z"},
        "jobSpecification": {"poolInfo": {"poolId": "no-such-pool"}, "priority": 3},
        "metadata": [{"name": "batchspec:name", "value": "me"}],
    }
    assert await batch.get_schedule(name) is None
    assert [job async for job in batch.list_jobs_of_schedule(name)] == []
    await batch.create_schedule(body)
    with pytest.raises(ServiceRefused) as raised:
        await batch.create_schedule(body)
    assert (raised.value.status, raised.value.code) == (409, "JobScheduleExists")
    made = await batch.get_schedule(name)
    assert made is not None
    assert (made["state"], made["metadata"]) == ("active", body["metadata"])
    assert times_of(made) == times_of(body)
    assert {"id": name, "state": "active"} in [one async for one in batch.list_schedules(select="id,state")]
    with pytest.raises(ServiceRefused) as raised:
        await batch.update_schedule(name, {"metadata": []}, if_match="0x8D0000000000001")
    assert raised.value.status == 412
    await batch.update_schedule(name, {"schedule": {"recurrenceInterval": "PT1H", "startWindow": "PT5M"}})
    changed = await batch.get_schedule(name)
    assert changed is not None
    assert changed["schedule"] == {"recurrenceInterval": "PT1H", "startWindow": "PT5M"}
    assert changed["eTag"] != made["eTag"]
    assert await batch.delete_schedule(name) is True
    await until(lambda: batch.get_schedule(name), lambda body: body is None)
    assert await batch.delete_schedule(name) is False
    assert [job async for job in batch.list_jobs_of_schedule(name)] == []


async def test_a_job_is_made_once_changed_and_removed(both: Services) -> None:
    batch, name = both.batch, unique("job")
    assert await batch.get_job(name) is None
    assert await batch.task_counts(name) is None
    await batch.create_job(job(name, "no-such-pool"))
    with pytest.raises(ServiceRefused) as raised:
        await batch.create_job(job(name, "no-such-pool"))
    assert raised.value.code == "JobExists"
    await batch.update_job(name, {"priority": 7})
    made = await batch.get_job(name)
    assert made is not None
    assert (made["priority"], made["state"], made["onAllTasksComplete"]) == (7, "active", "noaction")
    assert name in [one["id"] async for one in batch.list_jobs(select="id")]
    assert await batch.delete_job(name) is True
    await until(lambda: batch.get_job(name), lambda body: body is None)
    assert await batch.delete_job(name) is False


async def test_tasks_are_added_in_order_once_counted_filtered_and_removed(both: Services) -> None:
    batch, name = both.batch, unique("job")
    await batch.create_job(job(name, "no-such-pool"))
    bodies: list[Body] = [{"id": task_id, "commandLine": "sleep 60"} for task_id in ("c", "a", "b")]
    assert await batch.add_tasks(name, bodies) == [Added("c", "", ""), Added("a", "", ""), Added("b", "", "")]
    again = await batch.add_tasks(name, [bodies[0], {"id": "d", "commandLine": "sleep 60"}])
    assert [(one.task_id, one.code) for one in again] == [("c", "TaskExists"), ("d", "")]
    assert [one["id"] async for one in batch.list_tasks(name, select="id")] == ["a", "b", "c", "d"]
    assert [one["id"] async for one in batch.list_tasks(name, filter="state eq 'completed'")] == []
    counts = await batch.task_counts(name)
    assert counts is not None
    assert counts["taskCounts"] == {"active": 4, "running": 0, "completed": 0, "succeeded": 0, "failed": 0}
    assert await batch.get_task(name, "x") is None
    await batch.update_task(name, "a", {"constraints": {"maxTaskRetryCount": 2}})
    changed = await batch.get_task(name, "a")
    assert changed is not None
    assert changed["constraints"]["maxTaskRetryCount"] == 2  # type: ignore[index,call-overload]
    assert await batch.delete_task(name, "a") is True
    assert await batch.delete_task(name, "a") is False
    await batch.delete_job(name)


async def test_what_a_missing_job_cannot_do_is_refused_and_its_tasks_are_none(both: Services) -> None:
    batch, name = both.batch, unique("job")
    assert [one async for one in batch.list_tasks(name)] == []
    assert await batch.get_task(name, "t") is None
    assert await batch.delete_task(name, "t") is False
    assert await batch.read_task_file(name, "t", "stdout.txt") is None
    with pytest.raises(ServiceRefused) as raised:
        await batch.add_tasks(name, [{"id": "t", "commandLine": "echo"}])
    assert raised.value.code == "JobNotFound"


async def test_tasks_run_their_output_is_read_and_a_failed_one_runs_again(both: Services) -> None:
    batch, name = both.batch, unique("run")
    await batch.create_pool(pool(name, nodes=1))
    await batch.create_job(job(name, name))
    await batch.add_tasks(name, [{"id": "good", "commandLine": "echo wörd"}, {"id": "bad", "commandLine": "false"}])

    async def completed() -> list[Body]:
        return [one async for one in batch.list_tasks(name, filter="state eq 'completed'", select="id,executionInfo")]

    ended = await until(completed, lambda tasks: len(tasks) == 2)
    results = {task["id"]: (task["executionInfo"]["result"], task["executionInfo"]["exitCode"]) for task in ended}
    assert results == {"bad": ("failure", 1), "good": ("success", 0)}
    failed = [one["id"] async for one in batch.list_tasks(name, filter="executionInfo/result eq 'failure'")]
    assert failed == ["bad"]
    assert await batch.read_task_file(name, "good", "stdout.txt") == TextPart("wörd\n", 0, 6, 6)
    assert await batch.read_task_file(name, "good", "stdout.txt", start=4) == TextPart("d\n", 4, 6, 6)
    assert await batch.read_task_file(name, "good", "stdout.txt", start=6) == TextPart("", 6, 6, 6)
    assert await batch.read_task_file(name, "good", "nothing.txt") is None
    with pytest.raises(ServiceRefused) as raised:
        await batch.reactivate_task(name, "good")
    assert raised.value.code == "TaskSucceeded"
    await batch.reactivate_task(name, "bad")
    await until(completed, lambda tasks: len(tasks) == 2)
    await batch.delete_job(name)
    await batch.delete_pool(name)


async def test_a_job_without_a_preparation_or_that_is_not_there_has_none_to_tell(both: Services) -> None:
    batch, name = both.batch, unique("p")
    assert [one async for one in batch.list_preparations(name)] == []
    await batch.create_job(job(name, "nosuchpool"))
    failed = "jobPreparationTaskExecutionInfo/result eq 'failure'"
    assert [one async for one in batch.list_preparations(name, filter=failed)] == []
    await batch.delete_job(name)


# Blob Storage


async def test_a_container_is_made_once_found_by_its_mark_and_removed(both: Services) -> None:
    blobs, name = both.blobs, unique("c")
    assert await blobs.get_container(name) is None
    assert await blobs.create_container(name, {"batchspec_name": "me"}) is True
    assert await blobs.create_container(name, {"batchspec_name": "you"}) is False
    there = await blobs.get_container(name)
    assert there is not None
    assert (there.name, there.metadata) == (name, {"batchspec_name": "me"})
    assert {one.name: one.metadata async for one in blobs.list_containers()}[name] == {"batchspec_name": "me"}
    assert await blobs.delete_container(name) is True
    assert await blobs.get_container(name) is None
    assert await blobs.delete_container(name) is False
    assert [one async for one in blobs.list_blobs(name)] == []


async def test_names_that_need_care_come_back_as_they_were_with_size_md5_and_content(
    both: Services, tmp_path: Path
) -> None:
    blobs, container = both.blobs, unique("c")
    await blobs.create_container(container, {})
    for name in NAMES:
        await put(blobs, tmp_path / "file", container, name, name.encode())
    found = {blob.name: blob async for blob in blobs.list_blobs(container)}
    assert sorted(found) == sorted(NAMES)
    for name, blob in found.items():
        assert blob.size == len(name.encode())
        assert blob.content_md5 == hashlib.md5(name.encode(), usedforsecurity=False).digest()
        assert blob.metadata == {"batchspec_name": "me"}
        assert abs(datetime.now(UTC) - blob.last_modified) < timedelta(minutes=5)
        content = b"".join([piece async for piece in blobs.read_blob(container, name, etag=blob.etag)])
        assert content == name.encode()
    assert [blob.name async for blob in blobs.list_blobs(container, "dir/")] == ["dir/file"]
    await blobs.delete_container(container)


@pytest.mark.parametrize("size", [0, 1, (4 << 20) + 1, 9 << 20])
async def test_a_file_of_any_size_arrives_whole_and_tells_its_bytes(both: Services, tmp_path: Path, size: int) -> None:
    blobs, container, told = both.blobs, unique("c"), list[int]()
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    (tmp_path / "file").write_bytes(content)
    await blobs.create_container(container, {})
    md5 = hashlib.md5(content, usedforsecurity=False).digest()
    await blobs.upload(container, "b", tmp_path / "file", md5=md5, metadata={}, replaces=None, on_bytes=told.append)
    (blob,) = [one async for one in blobs.list_blobs(container)]
    assert (sum(told), blob.size, blob.content_md5) == (size, size, md5)
    assert b"".join([piece async for piece in blobs.read_blob(container, "b", etag=blob.etag)]) == content
    await blobs.delete_container(container)


async def test_a_blob_is_never_overwritten_unseen(both: Services, tmp_path: Path) -> None:
    blobs, container, file = both.blobs, unique("c"), tmp_path / "file"
    await blobs.create_container(container, {})
    await put(blobs, file, container, "b", b"one")
    with pytest.raises(ServiceRefused) as raised:
        await put(blobs, file, container, "b", b"two")
    assert (raised.value.status, raised.value.code) == (409, "BlobAlreadyExists")
    (seen,) = [one async for one in blobs.list_blobs(container)]
    await put(blobs, file, container, "b", b"two", replaces=seen.etag)
    with pytest.raises(ServiceRefused) as raised:
        await put(blobs, file, container, "b", b"three", replaces=seen.etag)
    assert raised.value.status == 412
    with pytest.raises(ServiceRefused) as raised:
        [piece async for piece in blobs.read_blob(container, "b", etag=seen.etag)]
    assert raised.value.status == 412
    with pytest.raises(ServiceRefused) as raised:
        await blobs.delete_blob(container, "b", etag=seen.etag)
    assert (raised.value.status, raised.value.code) == (412, "ConditionNotMet")
    (now,) = [one async for one in blobs.list_blobs(container)]
    assert await blobs.delete_blob(container, "b", etag=now.etag) is True
    await put(blobs, file, container, "b", b"four")
    assert await blobs.delete_blob(container, "b") is True
    assert await blobs.delete_blob(container, "b") is False
    await blobs.delete_container(container)


async def test_a_file_that_changed_is_not_uploaded_and_one_that_cannot_be_read_is_named(
    both: Services, tmp_path: Path
) -> None:
    blobs, container = both.blobs, unique("c")
    await blobs.create_container(container, {})
    for size in (10, 5 << 20):
        (tmp_path / "file").write_bytes(b"x" * size)
        with pytest.raises(TransferFailed, match="changed while it was uploaded"):
            await blobs.upload(
                container, "b", tmp_path / "file", md5=b"0" * 16, metadata={}, replaces=None, on_bytes=lambda _: None
            )
    with pytest.raises(LocalIOFailed, match=r"cannot read .*gone"):
        await blobs.upload(
            container, "b", tmp_path / "gone", md5=b"0" * 16, metadata={}, replaces=None, on_bytes=lambda _: None
        )
    assert [one.name async for one in blobs.list_blobs(container)] == []
    await blobs.delete_container(container)


async def test_a_missing_container_refuses_an_upload(both: Services, tmp_path: Path) -> None:
    with pytest.raises(ServiceRefused) as raised:
        await put(both.blobs, tmp_path / "file", unique("c"), "b", b"x")
    assert raised.value.code == "ContainerNotFound"


async def test_one_client_holds_the_lock_and_the_second_is_told_who(both: Services) -> None:
    blobs, container = both.blobs, unique("c")
    await blobs.create_container(container, {"batchspec_name": "me"})
    lease = await blobs.acquire(container, "jürgen@host (pid 1)", lambda _: False)
    with pytest.raises(Locked, match=r"jürgen@host \(pid 1\)"):
        await blobs.acquire(container, "other", lambda name: name != "jürgen@host (pid 1)")
    lease.check()
    there = await blobs.get_container(container)
    assert there is not None
    assert there.metadata == {"batchspec_name": "me"}
    await lease.release()
    await lease.release()
    there = await blobs.get_container(container)
    assert there is not None
    assert there.metadata == {"batchspec_name": "me"}
    await blobs.acquire(container, "dead", lambda _: False)
    again = await blobs.acquire(container, "other", lambda name: name == "dead")
    again.check()
    assert await blobs.delete_container(container) is True
    await again.release()


async def test_a_sas_is_the_same_text_every_time_and_needs_a_grant(both: Services) -> None:
    blobs, container = both.blobs, unique("c")
    await blobs.create_container(container, {})
    with pytest.raises(LookupError):
        blobs.sas(container, "r")
    for permissions in ("r", "rl", "cw"):
        await blobs.grant(container, permissions, lasting=timedelta(days=7), ours=True)
        sas = blobs.sas(container, permissions)
        await blobs.grant(container, permissions, lasting=timedelta(days=7), ours=True)
        assert blobs.sas(container, permissions) == sas
        assert "sig=" in sas
    assert blobs.sas(container, "r", blob="b") != blobs.sas(container, "r")
    assert blobs.longest_sas is None
    await blobs.revoke(container)
    await blobs.revoke(container)
    await blobs.delete_container(container)
    await blobs.revoke(container)


async def test_urls_are_percent_encoded(both: Services) -> None:
    url = both.blobs.blob_url("c", "a b'c/ü#?%.txt")
    assert url == f"{both.blobs.container_url('c')}/a%20b%27c/%C3%BC%23%3F%25.txt"
