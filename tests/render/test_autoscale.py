from typing import Any

from batchspec.spec.formula import named
from tests.render.conftest import Render, Rendered

TASKS = "tasks: [{id: one, command: x}]\n"


def pool(rendered: Rendered) -> dict[str, Any]:
    assert rendered.desired.pool is not None
    body: dict[str, Any] = dict(rendered.desired.pool.body or {})
    return {key: value for key, value in body.items() if "AutoScale" in key or key.startswith("autoScale")}


def test_a_named_formula_becomes_the_three_properties_of_azure(render_spec: Render) -> None:
    written = "pool: {vm_size: s, autoscale: {formula: scale_to_pending_tasks, max_nodes: 5}}\n"
    assert pool(render_spec(written + TASKS)) == {
        "enableAutoScale": True,
        "autoScaleFormula": named.text({"formula": "scale_to_pending_tasks", "max_nodes": 5}),
        "autoScaleEvaluationInterval": "PT5M",
    }


def test_a_formula_that_is_written_out_is_sent_as_it_is_with_azures_own_interval(render_spec: Render) -> None:
    written = "pool: {vm_size: s, autoscale: {formula: '$TargetDedicatedNodes = {{ 1 + 1 }};'}}\n"
    assert pool(render_spec(written + TASKS)) == {
        "enableAutoScale": True,
        "autoScaleFormula": "$TargetDedicatedNodes = 2;",
    }


def test_a_template_can_give_all_of_it(render_spec: Render) -> None:
    scale = "vars: {scale: {default: {formula: workday, max_nodes: 2}}}\n"
    written = "pool: {vm_size: s, autoscale: '{{ vars.scale }}'}\n"
    assert pool(render_spec(scale + written + TASKS))["autoScaleFormula"] == named.text(
        {"formula": "workday", "max_nodes": 2}
    )


def test_a_pool_that_a_job_describes_scales_too(render_spec: Render) -> None:
    described = "{pool_lifetime_option: job, pool: {vm_size: s, autoscale: {formula: workday, max_nodes: 2}}}"
    rendered = render_spec(f"job: {{pool_info: {{auto_pool_specification: {described}}}}}\n{TASKS}")
    assert rendered.desired.job is not None
    body: Any = rendered.desired.job.body
    made = body["poolInfo"]["autoPoolSpecification"]["pool"]
    assert (made["enableAutoScale"], made["autoScaleEvaluationInterval"]) == (True, "PT5M")


def test_a_fault_stands_at_its_line_and_column_also_in_quotes(render_spec: Render) -> None:
    (told,) = render_spec("pool: {vm_size: s, auto_scale_formula: '$TargetDedicatedNodes = x'}\n" + TASKS).told
    assert told == ("spec.yaml:3:65: pool.auto_scale_formula: unknown variable `x`; nothing was assigned to it before")


def test_a_fault_of_a_rendered_formula_says_where_it_is_in_the_formula(render_spec: Render) -> None:
    formula = "auto_scale_formula: '$TargetDedicatedNodes = {{ name }}'"
    (told,) = render_spec(f"pool: {{vm_size: s, {formula}}}\n{TASKS}").told
    assert told == (
        "spec.yaml:3:40: pool.auto_scale_formula: unknown variable `run`; nothing was assigned to it before "
        "(line 1, column 25 of the rendered formula)"
    )
