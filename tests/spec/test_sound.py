"""The quick check says what JSON Schema says; see `tests/schemas/test_plain_validator.py` for every example."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema.validators import Draft202012Validator

from batchspec.spec.schema import schema
from batchspec.spec.sound import Soundness

SCALARS = (None, True, False, 0, 1, 1.0, -1, 2.5, 257, "", "a", "linux", "PT30M", "{{ x }}")
DATA: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from(SCALARS),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(("name", "value", "id", "x")), inner, max_size=3)
    ),
    max_leaves=5,
)


def _nodes(node: Any) -> list[dict[str, Any]]:
    """Every node below one, itself first, without those that references lead to."""
    if not isinstance(node, dict):
        return []
    inner = [*node.get("properties", {}).values(), *node.get("$defs", {}).values(), *node.get("anyOf", ())]
    inner += [node[word] for word in ("items", "additionalProperties") if word in node]
    return [node, *(each for one in inner for each in _nodes(one))]


SOUND = Soundness(schema())
BOTH = [
    (SOUND.of(node), Draft202012Validator({**node, "$defs": schema()["$defs"]}))
    for node in {str(one): one for one in _nodes(schema())}.values()
    if not {"x-shortest", "x-longest", "x-moment"}.intersection(node)
]


@settings(max_examples=20, deadline=None, database=None, derandomize=True)
@given(DATA)
def test_each_node_of_the_schema_agrees_on_any_data(data: Any) -> None:
    for check, plain in BOTH:
        assert check(data) == plain.is_valid(data), (plain.schema, data)


@pytest.mark.parametrize(
    ("node", "right", "wrong"),
    [
        ({"x-shortest": "PT5M"}, ["PT5M", "{{ x }}", "no duration", 5], ["PT1M"]),
        ({"x-longest": "P7D"}, ["P7D", "{{ x }}", "no duration", 5], ["P8D"]),
        ({"x-moment": True}, ["2028-02-29T06:00:00Z", 5], ["2027-02-29T06:00:00Z"]),
        ({"const": 1}, [1, 1.0], [True, 2]),
        ({"enum": [True, "a"]}, [True, "a"], [1, "b"]),
        ({"anyOf": [{"type": "null"}, {"$ref": "#/$defs/t"}]}, [None, {"t": {"t": None}}], [1, {"t": {"t": 1}}]),
    ],
)
def test_what_json_schema_alone_does_not_have_or_an_example_does_not_show(
    node: dict[str, Any], right: list[object], wrong: list[object]
) -> None:
    root = {"$defs": {"t": {"type": "object", "properties": {"t": node}}}}
    check = Soundness(root).of(node)
    assert [check(value) for value in right] == [True] * len(right)
    assert [check(value) for value in wrong] == [False] * len(wrong)
