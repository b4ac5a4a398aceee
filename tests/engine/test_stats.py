"""Statistics, asked for with `$expand=stats`."""

from tests.engine.served import Served


def test_statistics_of_a_job_are_the_sums_of_its_tasks(served: Served) -> None:
    served.add_pool()
    served.add_job(constraints={"maxTaskRetryCount": 1})
    served.add_task("good", "/bin/true")
    served.add_task("bad", "/bin/false")
    served.completed("good")
    served.completed("bad")

    stats = served.request("GET", "/jobs/job", query="$expand=stats").json["stats"]

    counted = {name: stats[name] for name in ("numSucceededTasks", "numFailedTasks", "numTaskRetries", "userCPUTime")}
    assert counted == {
        "numSucceededTasks": "1",
        "numFailedTasks": "1",
        "numTaskRetries": "1",
        "userCPUTime": "PT0S",
    }


def test_statistics_are_shown_only_on_request_and_selected_like_a_property(served: Served) -> None:
    served.add_pool(nodes=0)

    def names(query: str) -> set[str]:
        return set(served.request("GET", "/pools/pool", query=query).json) - {"odata.metadata"}

    assert "stats" not in names("")
    assert names("$select=id,stats") == {"id"}
    assert names("$select=id,stats&$expand=stats") == {"id", "stats"}
    assert names("$select=id&$expand=stats") == {"id"}


def test_nothing_else_can_be_expanded(served: Served) -> None:
    answer = served.request("GET", "/pools", query="$expand=nodes")

    assert (answer.status, answer.code) == (400, "InvalidQueryParameterValue")
