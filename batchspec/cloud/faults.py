"""An SDK's error -> one of `errors.py`: the one place where that is decided.

Place in the pipeline: `retry` catches what the SDKs raise and gives it here with what was tried. Out comes
ServiceRefused (the service answered), ServiceUnreachable (nobody did), or UsageError (no credential to ask with). The
message is the service's own first line, masked; never an SDK's, never a header.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from xml.etree import ElementTree

import aiohttp
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)

from batchspec.cloud.mask import masked
from batchspec.errors import BatchspecError, ServiceRefused, ServiceUnreachable, UsageError

# What a request can end in, whichever layer lets it through.
FOREIGN = (AzureError, aiohttp.ClientError, TimeoutError, ConnectionError)

_CLOCK_TOLERANCE = timedelta(minutes=15)
_TRANSIENT_STATUS = frozenset({408, 429, 500, 502, 503, 504})
_CHECK_KEY = (
    "check the account's name and key, and this machine's clock (15 minutes are tolerated); with Microsoft Entra, "
    "that you have a role on the account (Batch: Contributor; storage: Storage Blob Data Contributor)"
)
_FIXES = {
    "AuthenticationFailed": _CHECK_KEY,
    "InvalidAuthenticationInfo": _CHECK_KEY,
    "AuthorizationFailure": "check the account's key, and whether the storage account's firewall lets this machine in",
    "AuthorizationPermissionMismatch": "assign yourself the role Storage Blob Data Contributor on the storage account",
    "InsufficientAccountPermissions": "ask for the role Contributor on the Batch account",
    "AccountIsDisabled": "the account is disabled; look at the subscription's state in the portal",
    "PoolQuotaReached": "delete a pool, or ask for a higher quota: az batch account show --query poolQuota",
    "ActiveJobAndScheduleQuotaReached": "delete or terminate a job, or ask for a higher quota: "
    "az batch account show --query activeJobAndJobScheduleQuota",
    "AccountCoreQuotaReached": "ask for more cores of this VM family, or use fewer or smaller nodes",
    "InvalidPropertyValue": "correct that property in the spec; `batchspec render` shows what is sent",
    "MissingRequiredProperty": "add that property to the spec; `batchspec render` shows what is sent",
    "InvalidRequestBody": "`batchspec render` shows what is sent",
    "UnsupportedProperty": "remove that property from the spec; `batchspec render` shows what is sent",
    "NodeAgentSKUNotFound": "az batch pool supported-images list shows the images and their node agent SKUs",
    "RequestBodyTooLarge": "a single body may have 1 MiB; put long lists of resource files into a container reference",
    "JobCompleted": "a completed job takes no more changes; `batchspec plan` says what to do",
    "PoolBeingDeleted": "wait until the pool is gone, then run the command again",
    "JobBeingDeleted": "wait until the job is gone, then run the command again",
    "PoolBeingResized": "wait until the resize is done, then run the command again",
    "ServerBusy": "wait a minute, then run the command again; nothing is lost",
    "TooManyRequests": "wait a minute, then run the command again; nothing is lost",
    "ContainerNotFound": "run `batchspec apply` again: it makes what is missing",
    "ContainerBeingDeleted": "wait a minute, then run the command again",
    "AccountNotFound": "check the name of the storage account",
    "ConditionNotMet": "somebody else changed it meanwhile; run the command again",
    "BlobAlreadyExists": "somebody else wrote it meanwhile; run the command again",
    "LeaseIdMissing": "somebody else holds a lease on it; try again when they are done",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a service's error response says."""

    status: int
    code: str
    message: str
    details: tuple[tuple[str, str], ...]
    request_id: str
    clock_ahead: timedelta | None = None


def translated(error: BaseException, operation: str, resource: str, *, where: str = "the service") -> BatchspecError:
    """The error of ours that an SDK's (one of FOREIGN) means, for `operation` on `resource` at `where` (a URL)."""
    if isinstance(error, HttpResponseError) and error.response is not None:
        return _refused(refusal(error), operation, resource)
    if isinstance(error, ClientAuthenticationError):
        return UsageError(
            f"no credential for {where}: Microsoft Entra was asked, since no account key is set",
            fix="az login, or set AZURE_BATCH_ACCOUNT and AZURE_BATCH_ACCESS_KEY (and AZURE_STORAGE_CONNECTION_STRING)",
        )
    told = f" {resource}" if resource else ""
    return ServiceUnreachable(f"{operation}{told}: {_why_unreachable(error)} ({where})", fix=_reach_fix(where))


def is_transient(error: BaseException) -> bool:
    """Whether trying again may help: no answer, or an answer that says later."""
    if isinstance(error, HttpResponseError) and error.response is not None:
        return error.response.status_code in _TRANSIENT_STATUS
    if isinstance(error, AzureError):
        return isinstance(error, ServiceRequestError | ServiceResponseError) and not _is_hopeless(error)
    return isinstance(error, FOREIGN)


def is_timeout(error: BaseException) -> bool:
    """Whether the time ran out before the answer came."""
    return isinstance(error, TimeoutError) or "Timeout" in type(error).__name__


def is_throttled(error: BaseException) -> bool:
    """Whether the service asks for patience (429, 503)."""
    return isinstance(error, HttpResponseError) and error.response is not None and error.status_code in (429, 503)


def retry_after(error: BaseException) -> float | None:
    """The seconds that the service asks to wait, None when it does not say."""
    if not isinstance(error, HttpResponseError) or error.response is None:
        return None
    headers: Any = error.response.headers  # type: ignore[attr-defined]
    for name, unit in (("retry-after-ms", 0.001), ("x-ms-retry-after-ms", 0.001), ("Retry-After", 1.0)):
        text = headers.get(name, "")
        if text.replace(".", "", 1).isdecimal():
            return float(text) * unit
    return None


def clock_ahead(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How far the moment `now` (UTC) is ahead of an answer's `Date`, to a second; None when it has none."""
    try:
        date = parsedate_to_datetime(headers.get("Date", ""))
    except ValueError:
        return None
    ahead = now - date if date.tzinfo else now - date.replace(tzinfo=UTC)
    # A date says the second that had begun.
    return timedelta(seconds=int(ahead.total_seconds()))


def refusal(error: HttpResponseError) -> Refusal:
    """The service's code, message and request id, wherever the service put them."""
    response: Any = error.response
    headers = response.headers
    body = _body(response)
    code = str(getattr(getattr(error, "error_code", None), "value", getattr(error, "error_code", None)) or "")
    code = str(body.get("code") or headers.get("x-ms-error-code") or code)
    request_id = headers.get("request-id") or headers.get("x-ms-request-id") or ""
    message = body.get("message") or response.reason or f"HTTP status {response.status_code}"
    ahead = clock_ahead(headers, datetime.now(UTC))
    return Refusal(response.status_code, code, _first_line(str(message)), body.get("details", ()), request_id, ahead)


def code_and_message(error: Any) -> tuple[str, str]:
    """The code of an error object of Batch within an answer, and its message on one line; "" where it has none."""
    told = _from_json(error)
    return str(told["code"] or ""), _with_details(_first_line(str(told["message"] or "")), told["details"])


def _with_details(message: str, details: Iterable[tuple[str, str]]) -> str:
    shown = "; ".join(f"{key}: {value}" for key, value in details if "Authentication" not in key)
    return masked(f"{message} ({shown})" if shown else message)


def _refused(told: Refusal, operation: str, resource: str) -> ServiceRefused:
    return ServiceRefused(
        _with_details(told.message, told.details),
        operation=operation,
        resource=resource,
        status=told.status,
        code=told.code,
        request_id=told.request_id,
        fix=_clock_fix(told) or _FIXES.get(told.code, _CHECK_KEY if told.status in (401, 403) else ""),
    )


def _clock_fix(told: Refusal) -> str:
    """The next step when a signature was refused and this machine's clock is why."""
    ahead = told.clock_ahead
    if told.status not in (401, 403) or ahead is None or abs(ahead) < _CLOCK_TOLERANCE:
        return ""
    where = "ahead of" if ahead > timedelta(0) else "behind"
    minutes = round(abs(ahead) / timedelta(minutes=1))
    return f"set this machine's clock: it is {minutes} minutes {where} the service's, and 15 are tolerated"


def _body(response: Any) -> dict[str, Any]:
    """Code, message and details of a Batch (JSON) or Storage (XML) error body; empty when it is neither."""
    try:
        text = response.text()
    except (AzureError, ValueError, AttributeError):
        return {}
    try:
        return _from_json(json.loads(text)) if text.lstrip("\ufeff \r\n").startswith("{") else _from_xml(text)
    except (ValueError, TypeError, AttributeError, ElementTree.ParseError):
        return {}


def _from_json(told: Any) -> dict[str, Any]:
    inner = told.get("error", told)
    message = inner.get("message")
    text = message.get("value") if isinstance(message, dict) else message
    details = tuple((str(one["key"]), _first_line(str(one["value"]))) for one in inner.get("values") or ())
    return {"code": inner.get("code"), "message": text, "details": details}


def _from_xml(text: str) -> dict[str, Any]:
    found = {child.tag: child.text for child in ElementTree.fromstring(text.lstrip("\ufeff"))}
    return {"code": found.get("Code"), "message": found.get("Message")}


def _first_line(text: str) -> str:
    return masked(text.strip().partition("\n")[0].strip())


def _is_hopeless(error: AzureError) -> bool:
    return "non-TLS" in str(error)


def _why_unreachable(error: BaseException) -> str:
    if is_timeout(error):
        return "no answer in time"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, aiohttp.ClientConnectorDNSError):
            return "no such host"
        if isinstance(cause, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError):
            return "no secure connection: its certificate is not trusted here"
        if isinstance(cause, ConnectionRefusedError):
            return "the connection was refused"
        inner = getattr(cause, "os_error", None) or cause.__cause__ or getattr(cause, "inner_exception", None)
        cause = inner if inner is not cause else None
    return "the connection broke"


def _reach_fix(where: str) -> str:
    if "//127." in where or "//localhost" in where:
        return "`batchspec engine start` starts the local engine; then run the command again: it goes on where it was"
    return "check the network and the endpoint, then run the command again; what was started goes on in the service"
