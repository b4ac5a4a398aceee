"""The Batch adapter against a server that loses answers, lies about hosts and throttles."""

import hashlib
import hmac
import json
from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from batchspec.errors import ServiceRefused, ServiceUnreachable
from batchspec.reconcile.ports import Added
from tests.cloud.scripted import KEY, Answer, Script, Seen, in_turn, refusal, scripted
from tests.fake_calls import Body

LOST = Answer(drop=True)
POOL: Body = {"id": "p", "vmSize": "s", "metadata": [{"name": "batchspec:hash", "value": "1"}]}


def calls(seen: list[Seen]) -> list[tuple[str, str]]:
    return [(one.method, one.path) for one in seen]


async def test_a_body_goes_out_as_it_is_with_the_version_and_a_signature() -> None:
    async with scripted(in_turn(Answer(201))) as (services, seen):
        await services.batch.create_pool(POOL)
    (one,) = seen
    assert (one.method, one.path, one.query) == ("POST", "/pools", {"api-version": "2025-06-01"})
    assert json.loads(one.body) == POOL
    assert one.headers["Content-Type"] == "application/json; odata=minimalmetadata"
    signed = "\n".join(
        [
            *("POST", "", "", str(len(one.body)), "", one.headers["Content-Type"], "", "", "", "", "", ""),
            *(f"ocp-date:{one.headers['ocp-date']}", "/acct/pools", "api-version:2025-06-01"),
        ]
    )
    digest = hmac.new(b64decode(KEY), signed.encode(), hashlib.sha256).digest()
    assert one.headers["Authorization"] == f"SharedKey acct:{b64encode(digest).decode()}"


async def test_a_pool_that_our_lost_request_made_is_not_an_error() -> None:
    script = in_turn(LOST, refusal(409, "PoolExists"), Answer(200, POOL | {"state": "active"}))
    async with scripted(script) as (services, seen):
        await services.batch.create_pool(POOL)
    assert calls(seen) == [("POST", "/pools"), ("POST", "/pools"), ("GET", "/pools/p")]


async def test_a_pool_that_another_made_while_our_request_was_lost_is_an_error() -> None:
    script = in_turn(LOST, refusal(409, "PoolExists"), Answer(200, {"id": "p", "metadata": []}))
    async with scripted(script) as (services, _):
        with pytest.raises(ServiceRefused, match="PoolExists"):
            await services.batch.create_pool(POOL)


async def test_a_pool_that_exists_without_a_lost_request_is_an_error() -> None:
    async with scripted(in_turn(refusal(409, "PoolExists"))) as (services, seen):
        with pytest.raises(ServiceRefused, match="create pool p: PoolExists: PoolExists it is") as raised:
            await services.batch.create_pool(POOL)
    assert (raised.value.status, raised.value.request_id, len(seen)) == (409, "r-1", 1)


async def test_a_repeated_write_whose_first_took_effect_is_not_an_error() -> None:
    async with scripted(in_turn(LOST, refusal(409, "PoolBeingResized"))) as (services, _):
        await services.batch.resize_pool("p", {"targetDedicatedNodes": 1})
    async with scripted(in_turn(LOST, refusal(409, "TaskNotCompleted"))) as (services, _):
        await services.batch.reactivate_task("j", "t")
    async with scripted(in_turn(LOST, refusal(409, "NodeBeingRebooted"))) as (services, _):
        await services.batch.reboot_node("p", "n", "taskcompletion")
    async with scripted(in_turn(refusal(500, "InternalError"), refusal(404, "JobNotFound"))) as (services, _):
        assert await services.batch.delete_job("j") is True


async def test_a_conditional_update_whose_answer_was_lost_is_recognised_by_its_values() -> None:
    done = Answer(200, {"id": "j", "priority": 5})
    async with scripted(in_turn(LOST, refusal(412, "ConditionNotMet"), done)) as (services, seen):
        await services.batch.update_job("j", {"priority": 5}, if_match="0x8D")
    assert [one.headers.get("If-Match") for one in seen] == ['"0x8D"', '"0x8D"', None]
    async with scripted(in_turn(LOST, refusal(412, "ConditionNotMet"), Answer(200, {"id": "j"}))) as (services, _):
        with pytest.raises(ServiceRefused, match="ConditionNotMet"):
            await services.batch.update_job("j", {"priority": 5}, if_match="0x8D")


async def test_what_is_not_there_is_none_or_false_or_empty() -> None:
    async with scripted(in_turn(refusal(404, "PoolNotFound"))) as (services, _):
        assert await services.batch.get_pool("p") is None
        assert await services.batch.delete_pool("p") is False
        assert [node async for node in services.batch.list_nodes("p")] == []


async def test_a_404_that_is_not_the_services_is_an_error_and_not_absence() -> None:
    async with scripted(in_turn(Answer(404, b"<html>no such page", {"Content-Type": "text/html"}))) as (services, _):
        with pytest.raises(ServiceRefused, match="get pool p: 404"):
            await services.batch.get_pool("p")


async def test_a_dying_pool_counts_as_deleted() -> None:
    async with scripted(in_turn(refusal(409, "PoolBeingDeleted"))) as (services, _):
        assert await services.batch.delete_pool("p") is True


async def test_clean_up_waits_out_throttling() -> None:
    later = Answer(429, None, {"Retry-After": "1"})
    async with scripted(in_turn(later, later, Answer(202), later, Answer(202), later, Answer(200))) as (services, seen):
        assert await services.batch.delete_pool("p") is True
        assert await services.batch.delete_job("j") is True
        assert await services.batch.delete_task("j", "t") is True
    assert [one.path for one in seen] == ["/pools/p"] * 3 + ["/jobs/j"] * 2 + ["/jobs/j/tasks/t"] * 2


async def test_a_full_quota_of_jobs_is_no_throttling_and_is_told_at_once_with_the_way_out() -> None:
    async with scripted(in_turn(refusal(409, "ActiveJobAndScheduleQuotaReached"))) as (services, seen):
        with pytest.raises(ServiceRefused, match="create job j: ActiveJobAndScheduleQuotaReached") as raised:
            await services.batch.create_job({"id": "j"})
    assert (raised.value.fix or "").startswith("delete or terminate a job, or ask for a higher quota")
    assert len(seen) == 1


async def test_pages_are_followed_and_our_signature_goes_to_no_other_host() -> None:
    link = (
        "https://elsewhere.example/jobs/j/tasks?api-version=2025-06-01&%24filter=a%20eq%20'b%26c'&$skiptoken=x%2By%3D"
    )
    pages = in_turn(
        Answer(200, {"value": [{"id": "1"}], "odata.nextLink": link}), Answer(200, {"value": [{"id": "2"}]})
    )
    async with scripted(pages) as (services, seen):
        found = [task async for task in services.batch.list_tasks("j", filter="a eq 'b&c'", select="id")]
    assert found == [{"id": "1"}, {"id": "2"}]
    assert seen[0].query == {
        "api-version": "2025-06-01",
        "maxresults": "1000",
        "$filter": "a eq 'b&c'",
        "$select": "id",
    }
    assert seen[1].query == {"api-version": "2025-06-01", "$filter": "a eq 'b&c'", "$skiptoken": "x+y="}


def collection(*statuses: tuple[str, str]) -> Answer:
    failed = {"TaskExists": "clienterror", "ServerBusy": "servererror"}
    value = [
        {"taskId": task, "status": failed.get(code, "success")}
        | ({"error": {"code": code, "message": {"value": f"{code} it is."}}} if code else {})
        for task, code in statuses
    ]
    return Answer(200, {"value": value})


async def test_tasks_the_service_could_not_add_are_sent_again_alone() -> None:
    script = in_turn(collection(("b", ""), ("a", "ServerBusy")), collection(("a", "")))
    async with scripted(script) as (services, seen):
        added = await services.batch.add_tasks("j", [{"id": "a", "commandLine": "1"}, {"id": "b", "commandLine": "2"}])
    assert added == [Added("a", "", ""), Added("b", "", "")]
    assert [[one["id"] for one in json.loads(call.body)["value"]] for call in seen] == [["a", "b"], ["a"]]


async def test_a_task_that_exists_is_told_and_one_that_our_lost_request_added_is_ours() -> None:
    body: dict[str, object] = {"id": "a", "commandLine": "1"}
    async with scripted(in_turn(collection(("a", "TaskExists")))) as (services, _):
        assert await services.batch.add_tasks("j", [{"id": "a", "commandLine": "1"}]) == [
            Added("a", "TaskExists", "TaskExists it is.")
        ]
    async with scripted(in_turn(LOST, collection(("a", "TaskExists")), Answer(200, body))) as (services, _):
        assert await services.batch.add_tasks("j", [{"id": "a", "commandLine": "1"}]) == [Added("a", "", "")]
    other = Answer(200, body | {"commandLine": "other"})
    async with scripted(in_turn(LOST, collection(("a", "TaskExists")), other)) as (services, _):
        assert await services.batch.add_tasks("j", [{"id": "a", "commandLine": "1"}]) == [
            Added("a", "TaskExists", "TaskExists it is.")
        ]


async def test_a_task_that_is_refused_has_the_details_that_the_service_gives() -> None:
    values = [{"key": "Value", "value": "https://h/c?sig=abc"}, {"key": "PropertyName", "value": "containerUrl"}]
    error = {"code": "InvalidPropertyValue", "message": {"value": "It is wrong.\nRequestId:1"}, "values": values}
    refused = Answer(200, {"value": [{"status": "clienterror", "taskId": "a", "error": error}]})
    async with scripted(in_turn(refused)) as (services, _):
        (added,) = await services.batch.add_tasks("j", [{"id": "a", "commandLine": "1"}])

    assert added.message == "It is wrong. (Value: https://h/c?sig=***; PropertyName: containerUrl)"


async def test_a_request_that_is_too_large_is_halved_down_to_the_one_task_that_is() -> None:
    def script(seen: Seen) -> Answer:
        ids = [one["id"] for one in json.loads(seen.body)["value"]]
        return refusal(413, "RequestBodyTooLarge") if "big" in ids else collection(*[(one, "") for one in ids])

    bodies = [{"id": name, "commandLine": name} for name in ("a", "b", "big", "c")]
    async with scripted(script) as (services, _):
        added = await services.batch.add_tasks("j", [dict(body) for body in bodies])
    assert [(one.task_id, one.code) for one in added] == [
        ("a", ""),
        ("b", ""),
        ("big", "RequestBodyTooLarge"),
        ("c", ""),
    ]


async def test_tasks_above_a_megabyte_are_never_sent_in_one_request() -> None:
    def script(seen: Seen) -> Answer:
        assert len(seen.body) < 1 << 20
        return collection(*[(one["id"], "") for one in json.loads(seen.body)["value"]])

    async with scripted(script) as (services, seen):
        await services.batch.add_tasks("j", [{"id": str(number), "commandLine": "é" * 100_000} for number in range(8)])
    assert len(seen) == 2


def file_of(content: bytes) -> Script:
    def script(seen: Seen) -> Answer:
        if seen.method == "HEAD":
            return Answer(200, content, {"Content-Type": "application/json"})
        first, last = (int(text) for text in seen.headers["ocp-range"].removeprefix("bytes=").split("-"))
        return Answer(200, content[first : last + 1], {"Content-Type": "application/json"})

    return script


async def test_a_file_is_read_from_a_start_and_by_its_tail_between_characters() -> None:
    content = "one\nzwei ü\n".encode()
    async with scripted(file_of(content)) as (services, seen):
        whole = await services.batch.read_task_file("j", "t", "wd/a b.json")
        tail = await services.batch.read_task_file("j", "t", "wd/a b.json", tail=2)
        cut = await services.batch.read_node_file("p", "n", "startup/stderr.txt", limit=10)
        end = await services.batch.read_node_file("p", "n", "startup/stderr.txt", start=99)
    assert whole is not None
    assert tail is not None
    assert cut is not None
    assert end is not None
    assert (whole.text, whole.start, whole.end, whole.size) == ("one\nzwei ü\n", 0, 12, 12)
    assert (tail.text, tail.start, tail.end) == ("\n", 11, 12)
    assert (cut.text, cut.end) == ("one\nzwei ", 9)
    assert (end.text, end.start, end.end, end.size) == ("", 12, 12, 12)
    assert seen[0].path == "/jobs/j/tasks/t/files/wd%2Fa%20b.json"


@pytest.mark.parametrize("status", [404, 409])
async def test_a_file_that_is_gone_is_none(status: int) -> None:
    async with scripted(in_turn(Answer(status))) as (services, _):
        assert await services.batch.read_task_file("j", "t", "stdout.txt") is None


async def test_a_service_that_only_says_500_is_given_up_on_with_its_words() -> None:
    async with scripted(in_turn(refusal(500, "InternalError"))) as (services, seen):
        with pytest.raises(ServiceRefused, match="get job j: InternalError: InternalError it is"):
            await services.batch.get_job("j")
    assert len(seen) == 6


async def test_a_service_that_drops_every_connection_is_unreachable() -> None:
    async with scripted(in_turn(LOST)) as (services, _):
        with pytest.raises(ServiceUnreachable, match="get job j: the connection broke"):
            await services.batch.get_job("j")


async def test_verbose_tells_each_request_in_one_line() -> None:
    lines: list[str] = []
    async with scripted(in_turn(Answer(200, {"id": "j"})), verbose=lines.append) as (services, _):
        await services.batch.get_job("j")
    (line,) = lines
    assert line.startswith("GET http://127.0.0.1:")
    assert "/jobs/j?api-version=2025-06-01 200 " in line
    assert line.endswith(" ms")


async def test_the_service_s_date_tells_how_far_this_clock_is_ahead() -> None:
    late = format_datetime(datetime.now(UTC) - timedelta(minutes=10), usegmt=True)
    async with scripted(lambda _: Answer(200, {"value": []}, {"Date": late})) as (services, _):
        before = services.batch.clock_ahead
        assert [pool async for pool in services.batch.list_pools()] == []
        after = services.batch.clock_ahead
    assert before is None
    assert after is not None
    assert timedelta(seconds=598) < after < timedelta(seconds=630)
