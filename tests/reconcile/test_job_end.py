"""Why jobs end."""

from typing import Any

import pytest

from batchspec.errors import ServiceRefused
from batchspec.reconcile.job_end import check_scheduled, reason_of_end

NO_POOL: dict[str, Any] = {
    "id": "nights",
    "executionInfo": {
        "schedulingError": {
            "category": "usererror",
            "code": "InvalidAutoPoolSettings",
            "message": "The pool could not be created",
            "details": [{"name": "Code", "value": "NodeAgentSKUNotFound"}, {"name": "Reason"}],
        }
    },
}
TOLD = "InvalidAutoPoolSettings: The pool could not be created (Code 'NodeAgentSKUNotFound', Reason None)"


@pytest.mark.parametrize(
    ("job", "told"),
    [
        pytest.param(None, "", id="no job"),
        pytest.param({}, "", id="nothing told"),
        pytest.param({"executionInfo": {"terminateReason": "JMComplete"}}, " (JMComplete)", id="a reason"),
        pytest.param(NO_POOL, f" ({TOLD})", id="an auto pool that could not be made"),
        pytest.param(
            {"executionInfo": {"schedulingError": {"message": "no"}}}, " (Unknown: no)", id="an error without code"
        ),
    ],
)
def test_the_reason_of_an_end_is_as_the_service_tells_it(job: dict[str, Any] | None, told: str) -> None:
    assert reason_of_end(job) == told


def test_a_job_without_its_pool_is_an_error_with_a_next_step() -> None:
    check_scheduled({"id": "nights", "executionInfo": {"terminateReason": "JMComplete"}})
    with pytest.raises(ServiceRefused) as caught:
        check_scheduled(NO_POOL)
    assert str(caught.value) == f"make the pool of job nights: {TOLD}"
    assert caught.value.fix == "correct the job's pool, or ask for more quota; then run `apply` again"
