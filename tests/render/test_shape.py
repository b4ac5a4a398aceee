import pytest

from batchspec.render.shape import rest_name, shape_of
from batchspec.render.symbolic import Json, symbol


@pytest.mark.parametrize(
    ("name", "expected"),
    [("vm_size", "vmSize"), ("id", "id"), ("target_low_priority_nodes", "targetLowPriorityNodes")],
)
def test_a_name_on_the_wire_is_in_camel_case(name: str, expected: str) -> None:
    assert rest_name(name, {}) == expected


@pytest.mark.parametrize(
    ("model", "name", "expected"),
    [
        ("BatchJobCreateOptions", "all_tasks_complete_mode", "onAllTasksComplete"),
        ("BatchJobCreateOptions", "task_failure_mode", "onTaskFailure"),
        ("VirtualMachineConfiguration", "node_agent_sku_id", "nodeAgentSKUId"),
        ("BatchTaskCreateOptions", "command_line", "commandLine"),
        ("BatchTaskCreateOptions", "not_there_yet", "notThereYet"),
    ],
)
def test_the_schema_knows_the_names_that_are_different(model: str, name: str, expected: str) -> None:
    assert shape_of(model).property(name)[0] == expected


@pytest.mark.parametrize(
    ("model", "name", "kinds"),
    [
        ("BatchTaskCreateOptions", "command_line", {"string"}),
        ("BatchTaskCreateOptions", "required_slots", {"integer"}),
        ("BatchTaskCreateOptions", "constraints", {"object"}),
        ("BatchTaskCreateOptions", "environment_settings", {"array", "object"}),
        ("BatchTaskConstraints", "max_wall_clock_time", {"string"}),
        ("AutoUserSpecification", "scope", {"string"}),
    ],
)
def test_a_place_has_a_type_apart_from_templates(model: str, name: str, kinds: set[str]) -> None:
    assert shape_of(model).property(name)[1].kinds == kinds


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("required_slots", 3, None),
        ("required_slots", 257, "257 is too large; the most is 256"),
        ("required_slots", "3", "expected a whole number, got '3'"),
        ("required_slots", symbol("secret", "x"), "expected a whole number, got an address or a secret"),
        ("required_slots", [1], "expected a whole number, got a list"),
        ("command_line", "x", None),
        ("command_line", 3, "expected a text, got the number 3"),
        ("depends_on", {}, None),
    ],
)
def test_a_value_of_another_type_has_a_fault(name: str, value: Json, expected: str | None) -> None:
    assert shape_of("BatchTaskCreateOptions").property(name)[1].fault(value) == expected


def test_harmless_differences_of_type_are_removed() -> None:
    task = shape_of("BatchTaskCreateOptions")
    assert task.property("required_slots")[1].adapted(2.0) == 2
    assert task.property("required_slots")[1].adapted(2.5) == 2.5
    assert task.property("command_line")[1].adapted(True) == "true"


def test_limits_of_lists_texts_and_durations_hold_for_what_a_template_made() -> None:
    pool = shape_of("BatchPoolCreateOptions")

    def fault(word: str, value: Json) -> str | None:
        return pool.property(word)[1].fault(value)

    assert fault("mount_configuration", [{} for _ in range(11)]) == "has 11 items; at most 10 are allowed"
    assert fault("display_name", "x" * 1025) == "has 1,025 characters; at most 1,024 are allowed"
    assert fault("auto_scale_evaluation_interval", "P8D") == "'P8D' is too long; the most is P7D"
    assert fault("resize_timeout", "PT4M59S") == "'PT4M59S' is too short; the least is PT5M"
    assert fault("resize_timeout", "PT5M") is None


def test_a_moment_is_one_that_the_calendar_has() -> None:
    _, moment = shape_of("BatchJobScheduleConfiguration").property("do_not_run_until")
    assert moment.fault("2028-02-29T06:00:00Z") is None
    assert moment.fault("2027-02-29T06:00:00Z") == (
        "'2027-02-29T06:00:00Z' is no moment: day is out of range for month"
    )
    assert moment.fault("tomorrow") == (
        "'tomorrow' does not have the right form; a moment looks like 2027-01-31T06:00:00Z"
    )
