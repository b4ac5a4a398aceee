"""When a job schedule is made, changed in place or replaced, and why."""

from typing import Any

import pytest

from batchspec.reconcile.change import Change, Reason
from batchspec.reconcile.marks import sent_metadata
from batchspec.reconcile.plan_schedule import schedule_change
from batchspec.render.model import DesiredSchedule, JsonObject
from batchspec.render.symbolic import symbol
from tests.reconcile.builders import marked

SECRET = symbol("secret", "key")
AUTO: dict[str, Any] = {"poolLifetimeOption": "jobschedule", "pool": {"vmSize": "s", "targetDedicatedNodes": 1}}


def wanted(prepared: str = "", pool_info: Any = None, **more: Any) -> DesiredSchedule:
    """A schedule of every day."""
    jobs: JsonObject = {"priority": 5, "poolInfo": pool_info or {"poolId": "p"}, **more.pop("jobs", {})}
    body: JsonObject = {"id": "s", "schedule": {"recurrenceInterval": "P1D"}, "jobSpecification": jobs, **more}
    whole, mark = marked(body, "me", start=prepared)
    return DesiredSchedule("s", False, whole, mark, frozenset(), (), prepared)


def there(sent: DesiredSchedule, /, **more: Any) -> JsonObject:
    """What the service holds after a schedule was sent."""
    assert sent.body is not None
    made: JsonObject = {**sent.body, "metadata": sent_metadata(sent.body, {}), "state": "active"}
    return {**made, **more}


def reasons(change: Change | None) -> list[tuple[str, str, bool, str]]:
    """Path, text, whether it replaces, and cause."""
    assert change is not None
    return [(one.path, one.text, one.replaces, one.cause) for one in change.reasons]


def test_a_schedule_that_is_missing_is_made() -> None:
    assert schedule_change(wanted(), None) == Change("create", "schedule", "s")


def test_one_that_is_being_deleted_is_waited_for() -> None:
    change = schedule_change(wanted(), there(wanted(), state="deleting"))
    reason = Reason("the schedule of this id is being deleted; waited for")
    assert change == Change("create", "schedule", "s", (reason,))


def test_one_that_is_as_it_was_sent_is_left_alone() -> None:
    assert schedule_change(wanted(), there(wanted())) is None


def test_times_are_the_same_in_every_time_zone_and_every_way_of_writing_a_length() -> None:
    sent = wanted(schedule={"recurrenceInterval": "PT24H", "doNotRunAfter": "2027-01-01T01:00:00+01:00"})
    now: JsonObject = {"recurrenceInterval": "P1D", "doNotRunAfter": "2027-01-01T00:00:00Z"}
    assert schedule_change(sent, there(sent, schedule=now)) is None


@pytest.mark.parametrize(
    ("edited", "path", "text"),
    [
        ({"schedule": {"recurrenceInterval": "PT2H"}}, "schedule.recurrenceInterval", "changed"),
        ({"jobs": {"priority": 7}}, "jobSpecification.priority", "changed"),
        ({"jobs": {"displayName": "new"}}, "jobSpecification.displayName", "changed"),
        ({"pool_info": {"poolId": "q"}}, "jobSpecification.poolInfo.poolId", "changed"),
    ],
)
def test_times_and_what_the_jobs_are_like_change_in_place(edited: Any, path: str, text: str) -> None:
    change = schedule_change(wanted(**edited), there(wanted()))
    assert change is not None
    assert (change.action, change.steps, reasons(change)) == ("update", ("patch",), [(path, text, False, "spec")])


def test_what_is_said_no_more_goes_in_place_too() -> None:
    before = wanted(schedule={"recurrenceInterval": "P1D", "startWindow": "PT1H"})
    change = schedule_change(wanted(), there(before))
    assert change is not None
    assert change.action == "update"
    assert reasons(change) == [("schedule", "something in it is no longer in the spec", False, "spec")]


def test_what_somebody_changed_in_the_service_is_drift() -> None:
    change = schedule_change(wanted(), there(wanted(), schedule={"recurrenceInterval": "PT1H"}))
    assert change is not None
    assert change.action == "update"
    assert reasons(change) == [("schedule.recurrenceInterval", "changed", False, "drift")]


def test_another_display_name_needs_a_new_schedule() -> None:
    change = schedule_change(wanted(displayName="b"), there(wanted(displayName="a")))
    assert change is not None
    assert (change.action, change.steps) == ("replace", ("delete", "create"))
    assert reasons(change) == [("displayName", "changed", True, "spec")]


def test_a_pool_that_the_jobs_share_needs_a_new_schedule() -> None:
    more = {**AUTO, "pool": {"vmSize": "s", "targetDedicatedNodes": 2}}
    before, after = ({"autoPoolSpecification": one} for one in (AUTO, more))
    change = schedule_change(wanted(pool_info=after), there(wanted(pool_info=before)))
    assert change is not None
    path = "jobSpecification.poolInfo.autoPoolSpecification.pool.targetDedicatedNodes"
    assert (change.action, reasons(change)) == ("replace", [(path, "changed", True, "spec")])


def test_a_pool_that_comes_with_each_job_changes_in_place() -> None:
    each = {**AUTO, "poolLifetimeOption": "job"}
    more = {**each, "pool": {"vmSize": "s", "targetDedicatedNodes": 2}}
    before, after = ({"autoPoolSpecification": one} for one in (each, more))
    change = schedule_change(wanted(pool_info=after), there(wanted(pool_info=before)))
    assert change is not None
    assert change.action == "update"


def test_new_content_of_what_nodes_were_prepared_with_needs_a_new_schedule() -> None:
    change = schedule_change(wanted("new"), there(wanted("old")))
    assert change is not None
    assert change.action == "replace"
    assert [text for _, text, _, _ in reasons(change)] == [
        "files that the nodes of its pool are prepared with changed, and that pool lives as long as the schedule"
    ]


def test_one_that_has_ended_is_left_alone_until_something_differs() -> None:
    assert schedule_change(wanted(), there(wanted(), state="completed")) is None
    change = schedule_change(wanted(jobs={"priority": 1}), there(wanted(), state="completed"))
    assert change is not None
    assert change.action == "replace"
    assert reasons(change)[-1] == ("", "the schedule has ended, so that nothing of it can be changed", True, "spec")


def test_a_secret_is_sent_again_in_place() -> None:
    settings: Any = {"jobs": {"commonEnvironmentSettings": [{"name": "KEY", "value": SECRET}]}}
    held = wanted(**settings)
    assert schedule_change(held, there(held)) is None
    change = schedule_change(held, there(held), refresh_secrets=True)
    assert change is not None
    assert (change.action, reasons(change)) == (
        "update",
        [("jobSpecification", "its secret is sent again", False, "spec")],
    )
