"""The judge itself: what is wrong with an answer is found."""

from dataclasses import replace

import pytest

from tests.conformance import openapi
from tests.conformance.openapi import Exchange, problems

HEADERS = {
    "request-id": "00000000-0000-0000-0000-000000000000",
    "dataserviceversion": "3.0",
    "server": "Microsoft-HTTPAPI/2.0",
    "x-content-type-options": "nosniff",
    "content-type": "application/json; odata=minimalmetadata",
    "etag": "0x1",
    "last-modified": "Fri, 17 Feb 2017 00:00:00 GMT",
}
GOOD = Exchange(
    method="GET",
    path="/jobs/j",
    query={"api-version": "2025-06-01"},
    asked={},
    status=200,
    headers=HEADERS,
    body={"odata.metadata": "x", "id": "j", "state": "active", "creationTime": "2025-01-01T00:00:00.1234567Z"},
)

pytestmark = pytest.mark.skipif(
    openapi.document("2024-07-01.20.0") is None, reason="Microsoft's OpenAPI is not beside this repository"
)


def test_nothing_is_wrong_with_a_good_answer() -> None:
    assert problems(GOOD) == []


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (replace(GOOD, body={**GOOD.body, "colour": "red"}), "colour"),
        (replace(GOOD, body={**GOOD.body, "state": "sleeping"}), "sleeping"),
        (replace(GOOD, body={**GOOD.body, "priority": "high"}), "high"),
        (replace(GOOD, body={**GOOD.body, "creationTime": "yesterday"}), "yesterday"),
        (replace(GOOD, body={**GOOD.body, "constraints": {"maxWallClockTime": "20 minutes"}}), "20 minutes"),
        (replace(GOOD, body=None), "no body"),
        (replace(GOOD, status=204), "Job_Get answers 200"),
        (replace(GOOD, headers={**HEADERS, "server": "uvicorn"}), "uvicorn"),
        (replace(GOOD, headers={name: value for name, value in HEADERS.items() if name != "etag"}), "ETag"),
        (replace(GOOD, status=404, body={"code": "JobNotFound"}), "no error body"),
        (replace(GOOD, path="/nothing"), "does not have"),
        (replace(GOOD, asked={"client-request-id": "a", "return-client-request-id": "true"}), "client-request-id"),
    ],
)
def test_what_is_wrong_is_told(wrong: Exchange, told: str) -> None:
    assert any(told in problem for problem in problems(wrong)), problems(wrong)
