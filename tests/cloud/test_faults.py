"""Every error of the SDKs becomes one of ours, with the service's words and without secrets."""

import inspect
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from azure.core import exceptions
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ServiceRequestError

from batchspec.cloud.faults import FOREIGN, clock_ahead, is_transient, retry_after, translated
from batchspec.errors import BatchspecError, ServiceRefused, ServiceUnreachable, UsageError


class Response:
    """What `HttpResponseError` needs of a response."""

    def __init__(self, status: int, text: str = "", headers: dict[str, str] | None = None) -> None:
        self.status_code = status
        self.reason = "Reason"
        self.request = "GET"
        self.headers = headers or {}
        self._text = text

    def text(self, encoding: str | None = None) -> str:
        return self._text


def refused(status: int, text: str = "", headers: dict[str, str] | None = None) -> HttpResponseError:
    return HttpResponseError(message="an SDK's message", response=Response(status, text, headers))


def every_azure_error() -> list[type[BaseException]]:
    named = [getattr(exceptions, name) for name in exceptions.__all__]
    raised = {one for one in named if inspect.isclass(one) and issubclass(one, BaseException)}
    # These two are a caller's error, raised before anything is sent: a bug, if they ever come.
    return sorted(
        raised - {exceptions.SerializationError, exceptions.DeserializationError}, key=lambda one: one.__name__
    )


def made(kind: Any) -> Any:
    if kind is exceptions.ODataV4Error:
        return kind(Response(400, "{}"))
    if kind is exceptions.TooManyRedirectsError:
        return kind([])
    if kind in (exceptions.StreamConsumedError, exceptions.StreamClosedError, exceptions.ResponseNotReadError):
        return kind(Response(200))
    return kind("message of the SDK with sig=secret")


@pytest.mark.parametrize("kind", every_azure_error(), ids=lambda kind: kind.__name__)
def test_every_exception_of_azure_core_becomes_ours_and_says_no_sdk_message(kind: type[BaseException]) -> None:
    error = made(kind)
    assert isinstance(error, FOREIGN)
    told = translated(error, "get pool", "p", where="https://a.batch.azure.com")
    assert isinstance(told, ServiceRefused | ServiceUnreachable | UsageError)
    assert "SDK" not in str(told)
    assert "secret" not in str(told)


@pytest.mark.parametrize(
    "error",
    [aiohttp.ClientPayloadError("x"), TimeoutError(), ConnectionResetError(), aiohttp.ServerDisconnectedError()],
)
def test_what_aiohttp_lets_through_becomes_unreachable_and_is_worth_a_retry(error: BaseException) -> None:
    assert isinstance(error, FOREIGN)
    assert is_transient(error)
    assert isinstance(translated(error, "read blob", "c/b"), ServiceUnreachable)


def test_a_batch_error_body_gives_code_message_values_and_request_id() -> None:
    body = {
        "code": "InvalidPropertyValue",
        "message": {"lang": "en-US", "value": "The value is wrong.\nRequestId:1\nTime:2"},
        "values": [{"key": "PropertyName", "value": "vmSize"}, {"key": "Reason", "value": "no such size"}],
    }
    told = translated(refused(400, json.dumps(body), {"request-id": "r-1"}), "create pool", "p")
    assert isinstance(told, ServiceRefused)
    assert str(told) == (
        "create pool p: InvalidPropertyValue: The value is wrong. (PropertyName: vmSize; Reason: no such size)"
        " (request r-1)"
    )
    assert (told.status, told.code, told.request_id) == (400, "InvalidPropertyValue", "r-1")
    assert told.fix == "correct that property in the spec; `batchspec render` shows what is sent"


def test_a_storage_error_body_gives_code_message_and_request_id() -> None:
    body = "\ufeff<?xml version='1.0'?><Error><Code>ContainerNotFound</Code><Message>Not there.\nId:1</Message></Error>"
    told = translated(refused(404, body, {"x-ms-request-id": "r-2"}), "upload blob", "c/b")
    assert str(told) == "upload blob c/b: ContainerNotFound: Not there. (request r-2)"


def test_a_head_error_has_its_code_in_a_header_and_any_other_page_only_its_status() -> None:
    told = translated(refused(404, "", {"x-ms-error-code": "BlobNotFound"}), "look at blob", "c/b")
    assert str(told) == "look at blob c/b: BlobNotFound: Reason"
    page = translated(refused(502, "<html><body>Bad gateway"), "get pool", "p")
    assert str(page) == "get pool p: 502: Reason"


def test_authentication_details_with_signatures_are_left_out() -> None:
    body = {
        "code": "AuthenticationFailed",
        "message": {"value": "Server failed to authenticate the request."},
        "values": [{"key": "AuthenticationErrorDetail", "value": "The MAC signature 'c2VjcmV0' is not the same"}],
    }
    told = translated(refused(403, json.dumps(body)), "get pool", "p")
    assert str(told) == "get pool p: AuthenticationFailed: Server failed to authenticate the request."
    assert "clock" in told.fix


def test_no_credential_is_a_usage_error_that_says_what_to_set() -> None:
    told = translated(
        ClientAuthenticationError("DefaultAzureCredential failed ..."), "get pool", "p", where="https://a"
    )
    assert str(told) == "no credential for https://a: Microsoft Entra was asked, since no account key is set"
    assert told.fix.startswith("az login")


def test_an_unreachable_engine_names_the_command_that_starts_it() -> None:
    error = ServiceRequestError("Cannot connect to host", error=ConnectionRefusedError())
    told: BatchspecError = translated(error, "get job", "j", where="http://127.0.0.1:1")
    assert str(told) == "get job j: the connection was refused (http://127.0.0.1:1)"
    assert "batchspec engine start" in told.fix


@pytest.mark.parametrize(
    ("status", "worth_it"), [(400, False), (403, False), (409, False), (412, False), (429, True), (503, True)]
)
def test_only_answers_that_say_later_are_worth_a_retry(status: int, worth_it: bool) -> None:
    assert is_transient(refused(status)) is worth_it


def test_retry_after_is_in_seconds_whatever_its_unit() -> None:
    assert retry_after(refused(503, headers={"Retry-After": "7"})) == 7.0
    assert retry_after(refused(429, headers={"retry-after-ms": "1500"})) == 1.5
    assert retry_after(refused(503, headers={"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"})) is None
    assert retry_after(ServiceRequestError("x")) is None


def test_a_signature_that_the_clock_spoiled_says_so() -> None:
    long_ago = {"Date": "Mon, 01 Jan 2024 00:00:00 GMT"}
    told = translated(refused(403, '{"code": "AuthenticationFailed"}', long_ago), "get pool", "p")
    assert isinstance(told, ServiceRefused)
    assert told.fix.startswith("set this machine's clock: it is ")
    assert told.fix.endswith(" minutes ahead of the service's, and 15 are tolerated")
    assert "clock: it is" not in translated(refused(404, "{}", long_ago), "get pool", "p").fix


@pytest.mark.parametrize(
    ("date", "seconds"),
    [
        ("Thu, 01 Jan 2026 12:00:00 GMT", 0),
        ("Thu, 01 Jan 2026 11:45:00 GMT", 900),
        ("Thu, 01 Jan 2026 12:05:00 +0000", -299),
        ("yesterday", None),
        ("", None),
    ],
)
def test_a_date_tells_how_far_the_clock_is_ahead(date: str, seconds: int | None) -> None:
    now = datetime(2026, 1, 1, 12, 0, 0, 999_999, tzinfo=UTC)
    ahead = clock_ahead({"Date": date}, now)
    assert ahead == (None if seconds is None else timedelta(seconds=seconds))
