"""What goes over the wire to this machine, and what `-v` tells of it."""

import asyncio

import pytest

from batchspec.cloud.transport import transport
from batchspec.errors import ServiceUnreachable
from tests.cloud.scripted import Answer, in_turn, scripted


async def test_a_proxy_in_the_environment_is_not_asked_for_an_engine_on_loopback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with scripted(in_turn(Answer(200, {"id": "j"}))) as (services, _):
        assert await services.batch.get_job("j") == {"id": "j"}


async def test_for_azure_the_proxy_of_the_environment_is_used() -> None:
    wire = transport("https://a.batch.azure.com", None, answer_within_s=1)
    assert wire.session is not None
    assert wire.session.trust_env is True
    await wire.close()


async def test_a_request_without_an_answer_is_told_too() -> None:
    lines: list[str] = []
    async with scripted(in_turn(Answer(drop=True)), verbose=lines.append) as (services, _):
        with pytest.raises(ServiceUnreachable):
            await services.batch.create_pool({"id": "p"})
    assert len(lines) == 6
    assert all(" no answer " in line for line in lines)


async def test_many_requests_at_once_share_the_connections() -> None:
    async with scripted(in_turn(Answer(200, {"id": "j"}))) as (services, seen):
        await asyncio.gather(*(services.batch.get_job("j") for _ in range(200)))
    assert len(seen) == 200
