"""Microsoft's OpenAPI of Azure Batch, as a judge of answers: status code, headers and schema of the body.

The documents are not part of this repository; where they are absent nothing is judged, and a test says so. They are of
api-versions 2024-07-01.20.0 and 2024-02-01.19.0. An answer of another version is held against the next older one, so
what 2025-06-01 added stands in a table here. Where a recording of the real service contradicts the document, the
recording is right; those places are tables too.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft4Validator, FormatChecker

FOLDER: Final = Path(__file__).resolve().parents[3] / "shared" / "openapi"
VERSIONS: Final = ("2024-07-01.20.0", "2024-02-01.19.0")

# Added by 2025-06-01, as the models of the SDK 15.1 have them.
_NEWER = frozenset({"jobDefaultOrder", "ipv6Address", "ipv6RemoteLoginIPAddress", "ipv6RemoteLoginPort"})
# In every body, of OData and not of the document.
_ODATA = r"^odata\."
# Recorded without, though the document promises it.
_NO_HEADER: Final = frozenset(
    {
        ("Task_Reactivate", "DataServiceId"),
        # Recorded of the other deletions.
        ("Certificate_Delete", "ETag"),
        ("Certificate_Delete", "Last-Modified"),
    }
)
_ALWAYS: Final = {
    "dataserviceversion": "3.0",
    "server": "Microsoft-HTTPAPI/2.0",
    "x-content-type-options": "nosniff",
}
_JSON: Final = "application/json; odata=minimalmetadata"
_FORMATS = FormatChecker(())
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?Z")
_DURATION = re.compile(r"-?P(?=.)(\d+Y)?(\d+M)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?")


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its answer; names of headers and of the query are in lower case, `body` is None unless JSON."""

    method: str
    path: str
    query: Mapping[str, str]
    asked: Mapping[str, str]
    status: int
    headers: Mapping[str, str]
    body: Any

    def __str__(self) -> str:
        return f"{self.method} {self.path} -> {self.status}"


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the document; `item` is the path's other properties, `document` where references lead."""

    name: str
    method: str
    path: str
    body: Mapping[str, Any] = field(repr=False)
    document: Mapping[str, Any] = field(repr=False)

    def parameters(self) -> list[Mapping[str, Any]]:
        """All parameters, references followed."""
        return [self._parameter(item) for item in self.body.get("parameters", ())]

    def _parameter(self, item: Mapping[str, Any]) -> Mapping[str, Any]:
        found: Mapping[str, Any] = (
            self.document["parameters"][item["$ref"].rpartition("/")[2]] if "$ref" in item else item
        )
        return found


@cache
def document(version: str) -> Mapping[str, Any] | None:
    """The document of an api-version; None where it is not on this machine."""
    path = FOLDER / version / "BatchService.json"
    return json.loads(path.read_text("utf-8-sig")) if path.is_file() else None


@cache
def operations(version: str) -> tuple[Operation, ...]:
    """Every operation of an api-version; literal paths before those with parameters."""
    found = document(version)
    if found is None:
        return ()
    result = [
        Operation(body["operationId"], method.upper(), path, body, found)
        for path, item in found["paths"].items()
        for method, body in item.items()
    ]
    return tuple(sorted(result, key=lambda operation: operation.path.count("{")))


def problems(exchange: Exchange) -> list[str]:
    """What is wrong with an answer; empty when nothing is, or nothing can be said."""
    return [f"{exchange}: {problem}" for problem in (*_of_every_answer(exchange), *_of_operation(exchange))]


def _of_every_answer(exchange: Exchange) -> Iterator[str]:
    if not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", exchange.headers.get("request-id", "")):
        yield "no request-id"
    for name, value in _ALWAYS.items():
        if exchange.headers.get(name) != value:
            yield f"{name} is {exchange.headers.get(name)!r}, not {value!r}"
    if exchange.body is not None and exchange.headers.get("content-type") != _JSON:
        yield f"content-type is {exchange.headers.get('content-type')!r}"
    wanted = exchange.asked.get("return-client-request-id", "").lower() == "true"
    expected = exchange.asked.get("client-request-id") if wanted else None
    if exchange.headers.get("client-request-id") != expected:
        yield f"client-request-id is {exchange.headers.get('client-request-id')!r}, not {expected!r}"
    if exchange.status >= 400 and exchange.method != "HEAD":
        yield from _of_error(exchange)


def _of_error(exchange: Exchange) -> Iterator[str]:
    body = exchange.body if isinstance(exchange.body, dict) else {}
    message = body.get("message", {}).get("value", "")
    if not str(body.get("odata.metadata", "")).endswith("Entities.Container.errors/@Element"):
        yield f"no error body: {exchange.body!r}"
    elif not re.search(rf"\nRequestId:{exchange.headers.get('request-id')}\nTime:{_TIME.pattern}$", message):
        yield f"a message without request id and time: {message!r}"


def _of_operation(exchange: Exchange) -> Iterator[str]:
    version = next((item for item in VERSIONS if item <= exchange.query.get("api-version", "")), VERSIONS[-1])
    operation = operation_of(version, exchange.method, exchange.path)
    if operation is None:
        if exchange.status < 400 and operations(version) and not exchange.path.startswith("/certificates"):
            yield f"an operation that {version} does not have"
        return
    responses = operation.body["responses"]
    answer = responses.get(str(exchange.status))
    if answer is None:
        if exchange.status < 400 and exchange.status != 304:
            yield f"{operation.name} answers {', '.join(responses)}"
        answer = {"schema": responses["default"]["schema"]} if exchange.status >= 400 else {}
    yield from _of_headers(exchange, operation, answer.get("headers", {}))
    if exchange.method != "HEAD" and exchange.status != 304:
        yield from _of_schema(exchange, answer.get("schema"), version)


def operation_of(version: str, method: str, path: str) -> Operation | None:
    """The operation that a request means."""
    for operation in operations(version):
        if operation.method == method and _pattern(operation.path).fullmatch(path):
            return operation
    return None


@cache
def _pattern(path: str) -> re.Pattern[str]:
    text = re.escape(path).replace(r"\{filePath\}", ".+")
    return re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", text))


def _of_headers(exchange: Exchange, operation: Operation, headers: Mapping[str, Any]) -> Iterator[str]:
    is_list = "value" in (exchange.body or ())
    is_file = exchange.headers.get("ocp-batch-file-url") is not None
    for name in headers:
        if name == "client-request-id" or (operation.name, name) in _NO_HEADER:
            continue
        # Recorded: files have no ETag, and lists neither that nor Last-Modified.
        if (name == "ETag" and is_file) or (name in ("ETag", "Last-Modified") and is_list):
            continue
        if name.lower() not in exchange.headers:
            yield f"{operation.name} promises the header {name}"


def _of_schema(exchange: Exchange, schema: Mapping[str, Any] | None, version: str) -> Iterator[str]:
    if schema is None:
        if exchange.body is not None:
            yield "a body where none belongs"
        return
    if "file" in (schema.get("type"), schema.get("format")):
        return
    if exchange.body is None:
        yield "no body"
        return
    validator = Draft4Validator({**_closed(schema), "definitions": _definitions(version)}, format_checker=_FORMATS)
    for error in validator.iter_errors(exchange.body):
        yield f"{error.json_path}: {error.message[:300]}"


@cache
def _definitions(version: str) -> Mapping[str, Any]:
    found = document(version)
    assert found is not None
    return {name: _closed(schema) for name, schema in found["definitions"].items()}


def _closed(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema that takes no unknown property, and words of an enumeration in any case."""
    result = {name: value for name, value in schema.items() if name not in ("properties", "items", "enum")}
    if "properties" in schema:
        known = {name: _closed(value) for name, value in schema["properties"].items()}
        result["properties"] = {**{name: {} for name in _NEWER}, **known}
        result["patternProperties"] = {_ODATA: {}}
        result.setdefault("additionalProperties", False)
    if "items" in schema:
        result["items"] = _closed(schema["items"])
    if "enum" in schema:
        result["pattern"] = f"(?i)^({'|'.join(map(re.escape, schema['enum']))})$"
    if schema.get("format") == "int64":
        # OData 3 writes them as strings; recorded of the length of a file.
        result["type"] = ["integer", "string"]
    return result


@_FORMATS.checks("date-time")
def _is_time(value: object) -> bool:
    return not isinstance(value, str) or _TIME.fullmatch(value) is not None


@_FORMATS.checks("duration")
def _is_duration(value: object) -> bool:
    return not isinstance(value, str) or _DURATION.fullmatch(value) is not None
