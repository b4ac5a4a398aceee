"""Shared Key: is this request signed with the account's key, and now?

Place: first thing done with a request. In: method, raw path and query, headers. Out: nothing, or BatchError
(403 AuthenticationFailed; wrong keys are 403 at Batch, not 401). It never reads the body: Shared Key does not sign it.

The documentation lower-cases the names of query parameters in what is signed, both SDKs sign them as written; and an
empty body's length is written `0` or left out. All of these are the same request, so each form is tried.
Source: "Authenticate requests to the Azure Batch service", azure-batch 15.1.0 and 14.2.0.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qs

from batchspec.engine.errors import BatchError

_CLOCK_WINDOW = timedelta(minutes=15)
_SIGNED_HEADERS = (
    "content-encoding",
    "content-language",
    "content-length",
    "content-md5",
    "content-type",
    "date",
    "if-modified-since",
    "if-match",
    "if-none-match",
    "if-unmodified-since",
    "range",
)


def verify(
    method: str, path: str, query: str, headers: Mapping[str, str], *, account: str, key: str, now: datetime
) -> None:
    """Raise BatchError unless the request carries a valid signature.

    `path` and `query` as sent (percent-encoded); header names in lower case; `key` in base64.
    """
    signature = _signature(headers.get("authorization", ""), account)
    _check_time(headers, now)
    secret = base64.b64decode(key)
    for text in strings_to_sign(method, path, query, headers, account=account):
        expected = hmac.new(secret, text.encode(), hashlib.sha256).digest()
        if hmac.compare_digest(expected, signature):
            return
    raise _refused(f"The MAC signature found in the HTTP request is not the one computed for account {account!r}.")


def strings_to_sign(method: str, path: str, query: str, headers: Mapping[str, str], *, account: str) -> Iterator[str]:
    """Every text a client may have signed for this request, the SDKs' form first."""
    ocp = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers) if name.startswith("ocp-") and headers[name])
    parameters = {name: values[0] for name, values in parse_qs(query).items()}
    for length in _lengths(method, headers):
        lines = [headers.get(name, "") if name != "content-length" else length for name in _SIGNED_HEADERS]
        if headers.get("ocp-date"):
            lines[_SIGNED_HEADERS.index("date")] = ""
        head = "\n".join([method, *lines]) + f"\n{ocp}/{account}{path}"
        yield head + _canonical_query(parameters)
        yield head + _canonical_query({name.lower(): value for name, value in parameters.items()})


def _lengths(method: str, headers: Mapping[str, str]) -> tuple[str, ...]:
    length = headers.get("content-length", "")
    if length not in ("", "0"):
        return (length,)
    return ("", "0") if method in ("GET", "HEAD") else ("0", "")


def _canonical_query(parameters: Mapping[str, str]) -> str:
    return "".join(f"\n{name}:{parameters[name]}" for name in sorted(parameters))


def _signature(authorization: str, account: str) -> bytes:
    scheme, _, credential = authorization.partition(" ")
    name, _, signature = credential.strip().partition(":")
    if not authorization:
        raise _refused("The Authorization header is missing; the local engine takes Shared Key.")
    if scheme.lower() != "sharedkey":
        raise _refused(f"The authentication scheme {scheme!r} is not supported by the local engine; use Shared Key.")
    if name != account:
        raise _refused(f"The account {name!r} is not the account of this endpoint, {account!r}.")
    try:
        return base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _refused("The signature is not base64.") from error


def _check_time(headers: Mapping[str, str], now: datetime) -> None:
    text = headers.get("ocp-date") or headers.get("date") or ""
    try:
        sent = parsedate_to_datetime(text)
        apart = abs(sent - now) if sent.tzinfo else abs(sent - now.replace(tzinfo=None))
    except (TypeError, ValueError, IndexError) as error:
        raise _refused("The ocp-date or Date header is missing or is not an RFC 1123 date.") from error
    if apart > _CLOCK_WINDOW:
        raise _refused(f"The request's date {text!r} is more than 15 minutes from the server's time.")


def _refused(detail: str) -> BatchError:
    return BatchError("AuthenticationFailed", AuthenticationErrorDetail=detail)
