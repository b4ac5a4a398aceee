"""Bodies against their shapes."""

from typing import Any

import pytest

from batchspec.engine.errors import BatchError
from batchspec.engine.validate import checked

TASK = {"id": "t", "commandLine": "true"}


def test_absent_values_go_and_durations_and_enumerations_take_the_services_form() -> None:
    output = {
        "filePattern": "*",
        "destination": {"container": {"containerUrl": "u", "path": None}},
        "uploadOptions": {"uploadCondition": "taskcompletion"},
    }
    body = {**TASK, "displayName": None, "constraints": {"maxWallClockTime": "PT120S"}, "outputFiles": [output]}
    assert checked(body, "BatchTaskCreateOptions", version="2025-06-01") == {
        **TASK,
        "constraints": {"maxWallClockTime": "PT2M"},
        "outputFiles": [
            {
                "filePattern": "*",
                "destination": {"container": {"containerUrl": "u"}},
                "uploadOptions": {"uploadCondition": "TaskCompletion"},
            }
        ],
    }


def test_numbers_may_be_written_as_the_azure_cli_writes_them() -> None:
    assert checked({**TASK, "requiredSlots": "2"}, "BatchTaskCreateOptions", version="2025-06-01")["requiredSlots"] == 2


@pytest.mark.parametrize(
    ("change", "code", "values"),
    [
        ({"commandLine": None}, "MissingRequiredProperty", {"PropertyName": "commandLine"}),
        ({"resourceFiles": {}}, "InvalidRequestBody", None),
        ({"requiredSlots": "one"}, "InvalidRequestBody", None),
        ({"requiredSlots": "9999999999"}, "InvalidRequestBody", None),
        ({"requiredSlots": True}, "InvalidRequestBody", None),
        ({"requiredSlots": 2**31}, "InvalidRequestBody", None),
        ({"commandline": "x"}, "InvalidRequestBody", None),
        ({"constraints": {"maxWallClockTime": "20 minutes"}}, "InvalidRequestBody", None),
        (
            {"environmentSettings": [{"value": "x"}]},
            "MissingRequiredProperty",
            {"PropertyName": "environmentSettings[0].name"},
        ),
    ],
)
def test_what_does_not_fit_is_a_400(change: dict[str, Any], code: str, values: dict[str, str] | None) -> None:
    with pytest.raises(BatchError) as error:
        checked({**TASK, **change}, "BatchTaskCreateOptions", version="2025-06-01")
    assert (error.value.status, error.value.code) == (400, code)
    assert values is None or error.value.values == values


def test_a_value_that_an_enumeration_does_not_have_is_named() -> None:
    with pytest.raises(BatchError) as error:
        checked({"disableTasks": "later"}, "BatchJobDisableOptions", version="2025-06-01")
    assert error.value.values == {
        "PropertyName": "disableTasks",
        "PropertyValue": "later",
        "Reason": "The value must be one of requeue, terminate, wait.",
    }


def test_older_versions_know_properties_that_are_gone() -> None:
    body = {**TASK, "authenticationTokenSettings": {"access": ["job"]}}
    assert checked(body, "BatchTaskCreateOptions", version="2024-07-01.20.0") == body
    with pytest.raises(BatchError):
        checked(body, "BatchTaskCreateOptions", version="2025-06-01")


def test_a_lenient_check_drops_what_it_does_not_know() -> None:
    body = {"constraints": {"retentionTime": "P1D"}, "commandLine": "true", "state": "active"}
    expected = {"constraints": {"retentionTime": "P1D"}}
    assert checked(body, "TaskUpdate", version="2025-06-01", strict=False) == expected
