"""All rules together on data that may be anything."""

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batchspec.spec import rules
from batchspec.spec.build import build
from batchspec.spec.document import Document
from batchspec.spec.schema import findings, schema
from tests.spec.written import POOL, document


def names(node: object) -> set[str]:
    """Every property name of the schema: the words that random data is made of."""
    if isinstance(node, dict):
        return set(node.get("properties", ())).union(*map(names, node.values()))
    return set().union(*map(names, node)) if isinstance(node, list) else set()


WORDS = sorted(names(schema()))
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.sampled_from(["", "a", "a b", "{{ x }}", "{{ x }} y", "PT1H", "job"])
)
DATA = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=5)
)
SECTIONS = ("vars", "containers", "uploads", "pool", "job", "tasks", "wait", "downloads", "cleanup")
SPECS = st.fixed_dictionaries({}, optional={word: DATA | st.lists(DATA, max_size=2) for word in SECTIONS})


@given(SPECS | DATA)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_data_gives_findings_and_a_spec_or_none_but_no_error(data: object) -> None:
    made = Document(Path("s"), "s", data)
    found = [*findings(made), *rules.findings(made)]
    assert rules.problems(made) == sorted(rules.problems(made))
    assert all("\n" not in one.message and one.message for one in found)
    build(made, {one.at for one in found})
    build(made)


def test_rules_report_in_the_order_of_the_file(tmp_path: Path) -> None:
    found = rules.problems(
        document(tmp_path, f"name: A\n{POOL}\ntasks: [{{id: a b}}]\ncleanup: {{after_success: [x]}}\n")
    )
    assert [(problem.line, problem.path) for problem in found] == [
        *((1, "name"), (3, "tasks[0].command"), (3, "tasks[0].id"), (4, "cleanup.after_success[0]")),
    ]
