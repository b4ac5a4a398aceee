"""Autoscale, through the official clients."""

from datetime import timedelta

from azure.batch import BatchClient, models

from tests.conformance.things import Things, wait_for


def test_a_pool_scales_by_a_formula(client: BatchClient, things: Things) -> None:
    pool_id = things.pool()
    formula = "$TargetDedicatedNodes = 0; $NodeDeallocationOption = taskcompletion;"

    client.enable_pool_auto_scale(
        pool_id,
        models.BatchPoolEnableAutoScaleOptions(
            auto_scale_formula=formula, auto_scale_evaluation_interval=timedelta(minutes=6)
        ),
    )
    run = client.evaluate_pool_auto_scale(
        pool_id, models.BatchPoolEvaluateAutoScaleOptions(auto_scale_formula="$TargetDedicatedNodes = 1 + 1;")
    )
    scaled = wait_for(lambda: client.get_pool(pool_id), lambda pool: pool.allocation_state == "steady")
    client.disable_pool_auto_scale(pool_id)

    assert run.results is not None
    assert "$TargetDedicatedNodes=2" in run.results
    assert (scaled.enable_auto_scale, scaled.auto_scale_formula) == (True, formula)
    assert scaled.auto_scale_evaluation_interval == timedelta(minutes=6)
    assert client.get_pool(pool_id).enable_auto_scale is False
