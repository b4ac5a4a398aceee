"""What is the same for every operation: checks, headers, error bodies, pages, conditions."""

import re
from email.utils import formatdate

import pytest

from tests.engine.served import UBUNTU, Served

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def test_every_response_has_the_services_headers(served: Served) -> None:
    answer = served.request("GET", "/pools", headers={"client-request-id": "abc", "return-client-request-id": "true"})
    wanted = ("dataserviceversion", "server", "x-content-type-options", "client-request-id", "content-type")
    assert [answer.headers[name] for name in wanted] == [
        "3.0",
        "Microsoft-HTTPAPI/2.0",
        "nosniff",
        "abc",
        "application/json; odata=minimalmetadata",
    ]
    assert GUID.fullmatch(answer.headers["request-id"])
    assert answer.json == {"odata.metadata": f"{served.endpoint}/$metadata#pools", "value": []}


def test_a_client_request_id_is_returned_only_if_asked_for(served: Served) -> None:
    assert "client-request-id" not in served.request("GET", "/pools", headers={"client-request-id": "abc"}).headers


def test_an_error_has_the_recorded_form(served: Served) -> None:
    answer = served.request("GET", "/pools/none")
    body = answer.json
    text = body["message"].pop("value")
    assert (answer.status, body) == (
        404,
        {
            "odata.metadata": (
                f"{served.endpoint}/$metadata#Microsoft.Azure.Batch.Protocol.Entities.Container.errors/@Element"
            ),
            "code": "PoolNotFound",
            "message": {"lang": "en-US"},
        },
    )
    pattern = r"The specified pool does not exist\.\nRequestId:[0-9a-f-]{36}\nTime:\d{4}-\d\d-\d\dT[\d:.]{16}Z"
    assert re.fullmatch(pattern, text), text


def test_an_error_to_head_has_no_body(served: Served) -> None:
    answer = served.request("HEAD", "/pools/none")
    assert (answer.status, answer.content) == (404, b"")


@pytest.mark.parametrize("path", ["/pools", "/nothing", "/pools/x/y/z"])
def test_a_wrong_key_is_403_wherever_it_is_used(served: Served, path: str) -> None:
    answer = served.request("GET", path, key="d3Jvbmc=")
    assert (answer.status, answer.code) == (403, "AuthenticationFailed")


def test_a_foreign_host_name_is_refused(served: Served) -> None:
    answer = served.request("GET", "/pools", headers={"Host": f"evil.example:{served.settings.port}"})
    assert (answer.status, answer.code) == (400, "InvalidHeaderValue")


def test_localhost_is_one_of_our_names(served: Served) -> None:
    assert served.request("GET", "/pools", headers={"Host": f"localhost:{served.settings.port}"}).status == 200


def test_an_old_date_is_refused(served: Served) -> None:
    answer = served.request("GET", "/pools", headers={"ocp-date": formatdate(0, usegmt=True)})
    assert (answer.status, answer.code) == (403, "AuthenticationFailed")


@pytest.mark.parametrize(
    ("version", "code"),
    [("", "MissingRequiredQueryParameter"), ("2019-01-01", "UnsupportedRequestVersion")],
)
def test_a_version_is_required_and_must_be_known(served: Served, version: str, code: str) -> None:
    answer = served.request("GET", "/pools", version=version)
    assert (answer.status, answer.code) == (400, code)


@pytest.mark.parametrize("version", ["2025-06-01", "2024-07-01.20.0", "2024-02-01.19.0", "2021-06-01.14.0"])
def test_the_versions_of_all_current_clients_are_known(served: Served, version: str) -> None:
    assert served.request("GET", "/pools", version=version, query="timeout=30").status == 200


def test_a_path_that_is_nothing_is_404_and_a_wrong_verb_405(served: Served) -> None:
    answers = [served.request("GET", "/nothing"), served.request("DELETE", "/pools"), served.request("HEAD", "/jobs/j")]
    assert [answer.status for answer in answers] == [404, 405, 405]
    assert [answer.code for answer in answers[:2]] == ["ResourceNotFound", "UnsupportedHttpVerb"]


def test_a_body_over_one_mebibyte_is_413(served: Served) -> None:
    answer = served.request("POST", "/pools", b" " * (1_048_576 + 1))
    assert (answer.status, answer.json["values"]) == (413, [{"key": "MaxLimit", "value": "1048576"}])
    assert answer.code == "RequestBodyTooLarge"


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"\xff", b'{"id": "\\ud800"}', b"[" * 100_000])
def test_a_body_that_is_not_a_json_object_is_400(served: Served, body: bytes) -> None:
    answer = served.request("POST", "/pools", body)
    assert (answer.status, answer.code) == (400, "InvalidRequestBody")


def test_a_create_gives_the_etag_the_location_and_the_called_url(served: Served) -> None:
    body = {"id": "p", "vmSize": "standard_d2s_v3", "virtualMachineConfiguration": UBUNTU}
    answer = served.request("POST", "/pools", body)
    pool = served.request("GET", "/pools/p")
    url = f"{served.endpoint}/pools/p"
    assert (answer.status, answer.content) == (201, b"")
    assert (answer.headers["location"], answer.headers["dataserviceid"]) == (url, url)
    assert answer.headers["etag"] == pool.headers["etag"] == pool.json["eTag"]
    assert re.fullmatch("0x[0-9A-F]{15}", answer.headers["etag"])


def test_conditions_on_a_read(served: Served) -> None:
    served.add_pool("p", 0)
    etag = served.request("GET", "/pools/p").headers["etag"]
    future = formatdate(4_000_000_000, usegmt=True)

    def status(name: str, value: str) -> int:
        return served.request("GET", "/pools/p", headers={name: value}).status

    assert [
        status("If-Match", etag),
        status("If-Match", f'"{etag}"'),
        status("If-Match", "*"),
        status("If-Match", "0x1"),
        status("If-None-Match", f'"{etag}"'),
        status("If-None-Match", "0x1"),
        status("If-Modified-Since", future),
        status("If-Unmodified-Since", future),
        status("If-Unmodified-Since", formatdate(0, usegmt=True)),
    ] == [200, 200, 200, 412, 304, 200, 304, 200, 412]


def test_a_write_under_a_condition_that_does_not_hold_changes_nothing(served: Served) -> None:
    served.add_pool("p", 0)
    before = served.request("GET", "/pools/p").json
    change = {"metadata": [{"name": "a", "value": "b"}]}
    answer = served.request("PATCH", "/pools/p", change, headers={"If-Match": "0x1"})
    assert (answer.status, answer.code) == (412, "ConditionNotMet")
    assert served.request("GET", "/pools/p").json == before
    etag = before["eTag"]
    assert served.request("PATCH", "/pools/p", change, headers={"If-Match": f'"{etag}"'}).status == 200
    assert served.request("DELETE", "/pools/p", headers={"If-Match": etag}).status == 412


def test_a_list_is_paged_with_absolute_links_that_keep_the_query(served: Served) -> None:
    served.add_pool("p", 0)
    served.add_job(pool_id="p")
    for name in ("b", "A", "c", "d_e"):
        served.add_task(name, "true")
    found, query = [], "maxresults=3&$select=id&$filter=state%20eq%20%27active%27"
    while True:
        page = served.request("GET", "/jobs/job/tasks", query=query).json
        found.append([task["id"] for task in page["value"]])
        if "odata.nextLink" not in page:
            break
        link = page["odata.nextLink"]
        assert link.startswith(f"{served.endpoint}/jobs/job/tasks?")
        query = re.sub("&?api-version=[^&]*", "", link.partition("?")[2])
    assert found == [["A", "b", "c"], ["d_e"]]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("maxresults=0", "OutOfRangeQueryParameterValue"),
        ("maxresults=1001", "OutOfRangeQueryParameterValue"),
        ("maxresults=x", "InvalidQueryParameterValue"),
        ("$filter=color%20eq%20%27red%27", "InvalidQueryParameterValue"),
    ],
)
def test_a_query_the_service_does_not_take_is_400(served: Served, query: str, code: str) -> None:
    answer = served.request("GET", "/jobs", query=query)
    assert (answer.status, answer.code) == (400, code)
