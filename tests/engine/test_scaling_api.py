"""Pools that size themselves, over HTTP."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from batchspec.engine.clock import SystemClock, Timer
from tests.engine.served import UBUNTU, Answer, Served, serving, wait_for

BODY = {"id": "p", "vmSize": "standard_d2s_v3", "virtualMachineConfiguration": UBUNTU}
TWO = "$TargetDedicatedNodes = 2;"


def code(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.code


def add(served: Served, formula: str = TWO, **change: Any) -> Answer:
    body = {**BODY, "enableAutoScale": True, "autoScaleFormula": formula, **change}
    return served.request("POST", "/pools", body)


def pool(served: Served) -> Any:
    return served.request("GET", "/pools/p").json


def test_a_pool_gets_the_nodes_its_formula_says(served: Served) -> None:
    assert add(served).status == 201
    found = pool(served)
    assert found["autoScaleRun"].pop("timestamp")
    assert {name: found[name] for name in found if "auto" in name.lower()} == {
        "enableAutoScale": True,
        "autoScaleFormula": TWO,
        "autoScaleEvaluationInterval": "PT15M",
        "autoScaleRun": {
            "results": "$TargetDedicatedNodes=2;$TargetLowPriorityNodes=0;$NodeDeallocationOption=requeue"
        },
    }
    assert (found["targetDedicatedNodes"], len(served.nodes_in("idle", pool="p"))) == (2, 2)


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"autoScaleFormula": None}, "MissingRequiredProperty"),
        ({"autoScaleFormula": "$TargetDedicatedNodes = ("}, "AutoScalingFormulaSyntaxError"),
        ({"targetDedicatedNodes": 1}, "InvalidPropertyValue"),
        ({"autoScaleEvaluationInterval": "PT4M"}, "InvalidPropertyValue"),
        ({"autoScaleEvaluationInterval": "PT169H"}, "InvalidPropertyValue"),
        ({"enableAutoScale": False}, "InvalidPropertyValue"),
    ],
)
def test_settings_that_cannot_be_are_refused(served: Served, change: dict[str, Any], wrong: str) -> None:
    assert code(add(served, **change)) == (400, wrong)


def test_scaling_is_enabled_evaluated_and_disabled(served: Served) -> None:
    served.add_pool("p", 0)
    assert code(served.request("POST", "/pools/p/enableautoscale", {})) == (400, "MissingRequiredProperty")
    not_enabled = served.request("POST", "/pools/p/evaluateautoscale", {"autoScaleFormula": TWO})
    assert code(not_enabled) == (409, "OperationInvalidForCurrentState")
    body = {"autoScaleFormula": "$TargetLowPriorityNodes = 1", "autoScaleEvaluationInterval": "PT5M"}
    answer = served.request("POST", "/pools/p/enableautoscale", body)
    assert (answer.status, answer.headers["etag"]) == (200, pool(served)["eTag"])
    served.nodes_in("idle", pool="p")
    assert pool(served)["currentLowPriorityNodes"] == 1
    again = served.request("POST", "/pools/p/enableautoscale", body)
    assert code(again) == (503, "TooManyEnableAutoScaleRequests")
    resize = served.request("POST", "/pools/p/resize", {"targetDedicatedNodes": 1})
    assert code(resize) == (409, "OperationInvalidForCurrentState")
    assert served.request("POST", "/pools/p/disableautoscale").status == 200
    found = pool(served)
    assert [name for name in found if name.startswith("autoScale")] == []
    assert (found["enableAutoScale"], found["targetLowPriorityNodes"]) == (False, 1)


def test_an_evaluation_changes_nothing_and_tells_its_error(served: Served) -> None:
    add(served, "$TargetDedicatedNodes = 0")
    run = served.request("POST", "/pools/p/evaluateautoscale", {"autoScaleFormula": "$x = $CurrentDedicatedNodes"})
    assert run.json["results"] == (
        "$TargetDedicatedNodes=0;$TargetLowPriorityNodes=0;$NodeDeallocationOption=requeue;$x=0"
    )
    failed = served.request("POST", "/pools/p/evaluateautoscale", {"autoScaleFormula": "$TargetDedicatedNodes = $no"})
    assert (failed.status, failed.json["error"]["code"]) == (200, "AutoScalingFormulaEvaluationError")
    wrong = served.request("POST", "/pools/p/evaluateautoscale", {"autoScaleFormula": "(("})
    assert code(wrong) == (400, "AutoScalingFormulaSyntaxError")
    assert served.nodes("p") == []


def test_waiting_tasks_are_seen_by_a_formula(served: Served) -> None:
    add(served, "$TargetDedicatedNodes = 0")
    served.add_job(pool_id="p")
    served.add_task("a", "true")
    served.add_task("b", "true")
    formula = "$a = $PendingTasks; $b = $ActiveTasks.GetSample(1); $c = $TaskSlotsPerNode"
    run = served.request("POST", "/pools/p/evaluateautoscale", {"autoScaleFormula": formula}).json
    assert run["results"].endswith(";$a=2;$b=[0];$c=1")


def test_a_pool_scales_on_after_a_restart(served: Served) -> None:
    add(served)
    served.nodes_in("idle", pool="p")
    served.stop()
    served.start()
    answer = served.request("POST", "/pools/p/evaluateautoscale", {"autoScaleFormula": "$x = $CurrentDedicatedNodes"})
    assert answer.json["results"].endswith(";$x=2")
    assert served.request("DELETE", "/pools/p").status == 202
    wait_for(lambda: served.request("GET", "/pools/p").status, lambda status: status == 404)


class FastClock(SystemClock):
    """Delays pass six hundred times as fast as they should: an interval of five minutes in half a second."""

    def call_later(self, delay_s: float, callback: Callable[[], None]) -> Timer:
        return super().call_later(delay_s / 600, callback)


def test_a_formula_is_evaluated_at_every_interval(tmp_path: Path) -> None:
    with serving(tmp_path / "state", clock=FastClock()) as served:
        formula = "$TargetDedicatedNodes = min(2, $PendingTasks)"
        assert add(served, formula, autoScaleEvaluationInterval="PT5M").status == 201
        served.add_job(pool_id="p")
        served.add_task("t", "sleep 1000")
        wait_for(lambda: served.task("t")["state"], lambda state: state == "running")
        assert served.request("POST", "/jobs/job/tasks/t/terminate").status == 204
        found = wait_for(lambda: pool(served), lambda found: found["targetDedicatedNodes"] == 0)
        assert found["autoScaleRun"]["results"].startswith("$TargetDedicatedNodes=0;")
        wait_for(lambda: served.nodes("p"), lambda nodes: nodes == [])
