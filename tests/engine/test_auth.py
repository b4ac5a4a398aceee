"""Shared Key: what is let in and what is not."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from batchspec.engine.auth import strings_to_sign, verify
from batchspec.engine.errors import BatchError

KEY = base64.b64encode(b"secret").decode()
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DATE = format_datetime(NOW, usegmt=True)


def signed(text: str) -> str:
    return f"SharedKey acct:{base64.b64encode(hmac.new(b'secret', text.encode(), hashlib.sha256).digest()).decode()}"


def check(text: str, headers: Mapping[str, str], *, method: str = "GET", path: str = "/pools", query: str = "") -> None:
    sent = {"ocp-date": DATE, **headers, "authorization": signed(text)}
    verify(method, path, query, sent, account="acct", key=KEY, now=NOW)


def detail(error: pytest.ExceptionInfo[BatchError]) -> tuple[int, str, str]:
    return error.value.status, error.value.code, error.value.values["AuthenticationErrorDetail"]


def test_the_signed_text_is_built_as_documented() -> None:
    headers = {"ocp-date": DATE, "ocp-range": "bytes=0-1", "if-match": '"0x8"', "content-type": "application/json"}
    query = "timeOut=30&%24filter=id%20eq%20%27a%27&api-version=2025-06-01&empty="
    found = next(
        iter(strings_to_sign("PATCH", "/pools/a%20b", query, {**headers, "content-length": "5"}, account="acct"))
    )
    expected = (
        'PATCH\n\n\n5\n\napplication/json\n\n\n"0x8"\n\n\n\n'
        f"ocp-date:{DATE}\nocp-range:bytes=0-1\n"
        "/acct/pools/a%20b\n$filter:id eq 'a'\napi-version:2025-06-01\ntimeOut:30"
    )
    assert found == expected


@pytest.mark.parametrize("name", ["timeOut", "timeout"])
def test_query_names_are_signed_as_written_or_in_lower_case(name: str) -> None:
    text = f"GET\n\n\n\n\n\n\n\n\n\n\n\nocp-date:{DATE}\n/acct/pools\n{name}:30"
    check(text, {}, query="timeOut=30")


@pytest.mark.parametrize("length", ["", "0"])
def test_an_empty_bodys_length_is_signed_as_0_or_not_at_all(length: str) -> None:
    text = f"POST\n\n\n{length}\n\n\n\n\n\n\n\n\nocp-date:{DATE}\n/acct/pools"
    check(text, {"content-length": "0"}, method="POST")


def test_a_signature_by_another_key_is_403_not_401() -> None:
    with pytest.raises(BatchError) as error:
        check("something else", {})
    assert detail(error)[:2] == (403, "AuthenticationFailed")


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({}, "missing"),
        ({"authorization": "Bearer token"}, "use Shared Key"),
        ({"authorization": "SharedKey other:AAAA"}, "'other'"),
        ({"authorization": "SharedKey acct:%%%", "ocp-date": DATE}, "not base64"),
        ({"authorization": "SharedKey acct:AAAA"}, "missing or is not"),
        ({"authorization": "SharedKey acct:AAAA", "ocp-date": "yesterday"}, "not an RFC 1123 date"),
    ],
)
def test_what_is_no_signature_is_refused_with_the_reason(headers: dict[str, str], said: str) -> None:
    with pytest.raises(BatchError) as error:
        verify("GET", "/pools", "", headers, account="acct", key=KEY, now=NOW)
    status, code, text = detail(error)
    assert (status, code, said in text) == (403, "AuthenticationFailed", True), text


@pytest.mark.parametrize(("minutes", "is_taken"), [(14, True), (16, False), (-14, True), (-16, False)])
def test_a_request_is_taken_within_15_minutes_of_the_clock(minutes: int, is_taken: bool) -> None:
    date = format_datetime(NOW + timedelta(minutes=minutes), usegmt=True)
    text = f"GET\n\n\n\n\n\n\n\n\n\n\n\nocp-date:{date}\n/acct/pools"
    if is_taken:
        check(text, {"ocp-date": date})
    else:
        with pytest.raises(BatchError):
            check(text, {"ocp-date": date})
