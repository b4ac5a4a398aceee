"""Applications and usage over HTTP."""

from datetime import UTC, datetime, timedelta

from tests.engine.served import Served


def time_of(hours_ago: float) -> str:
    return (datetime.now(UTC) - timedelta(hours=hours_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_there_are_no_applications(served: Served) -> None:
    assert served.request("GET", "/applications").json["value"] == []
    answer = served.request("GET", "/applications/a")
    assert (answer.status, answer.code) == (404, "ApplicationNotFound")


def test_usage_is_of_nodes_that_were_there_two_hours_ago(served: Served) -> None:
    served.add_pool("p", 1)
    assert served.request("GET", "/poolusagemetrics").json["value"] == []
    answer = served.request("GET", "/poolusagemetrics", query=f"startTime={time_of(4)}&endtime={time_of(3)}")
    assert (answer.status, answer.json["value"]) == (200, [])


def test_usage_of_the_last_two_hours_is_refused(served: Served) -> None:
    for query in (f"endtime={time_of(1)}", f"startTime={time_of(3)}&endtime={time_of(4)}", "startTime=soon"):
        answer = served.request("GET", "/poolusagemetrics", query=query)
        assert (answer.status, answer.code) == (400, "InvalidQueryParameterValue")
