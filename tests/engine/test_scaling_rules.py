"""What a new pool's autoscale settings may be."""

from typing import Any

import pytest

from batchspec.engine.errors import BatchError
from batchspec.engine.scaling_rules import autoscale_settings, check_interval, parsed

FORMULA = "$TargetDedicatedNodes = 1"


def test_a_pool_of_fixed_size_keeps_nothing() -> None:
    assert autoscale_settings({"targetDedicatedNodes": 3}) == {}


def test_the_interval_is_fifteen_minutes_unless_given() -> None:
    body = {"enableAutoScale": True, "autoScaleFormula": FORMULA}
    assert autoscale_settings(body) == {"autoScaleEvaluationInterval": "PT15M"}
    given = {**body, "autoScaleEvaluationInterval": "PT5M"}
    assert autoscale_settings(given) == {"autoScaleEvaluationInterval": "PT5M"}


@pytest.mark.parametrize(
    "body",
    [
        {"autoScaleFormula": FORMULA},
        {"enableAutoScale": True},
        {"enableAutoScale": True, "autoScaleFormula": FORMULA, "targetLowPriorityNodes": 0},
    ],
)
def test_what_contradicts_itself_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(BatchError):
        autoscale_settings(body)


def test_an_interval_has_its_limits() -> None:
    for good in ("PT5M", "PT168H"):
        check_interval({"autoScaleEvaluationInterval": good})
    for bad in ("PT4M59S", "PT169H"):
        with pytest.raises(BatchError, match="InvalidPropertyValue"):
            check_interval({"autoScaleEvaluationInterval": bad})


def test_a_text_that_is_no_formula_has_the_services_code() -> None:
    with pytest.raises(BatchError) as caught:
        parsed("$x = (")
    assert caught.value.code == "AutoScalingFormulaSyntaxError"
    assert caught.value.values["Message"]
