"""Words of other tools."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from batchspec.spec import elsewhere, schema
from batchspec.spec.expected import alternatives


def mappings() -> Iterator[Mapping[str, Any]]:
    """The properties of every mapping of the schema."""
    pending: list[Mapping[str, Any]] = [schema.schema(), *schema.schema()["$defs"].values()]
    while pending:
        node = pending.pop()
        if properties := node.get("properties"):
            yield properties
            pending += properties.values()
        pending += node.get("anyOf", ())


@pytest.mark.parametrize("name", sorted(elsewhere.PROPERTIES))
def test_each_name_from_elsewhere_leads_to_words_of_the_schema_and_is_none(name: str) -> None:
    for meant in elsewhere.PROPERTIES[name]:
        assert any(
            elsewhere.property_meant(name, {meant.split(".")[0]: known[first]}) == meant
            for known in mappings()
            if (first := meant.split(".")[0]) in known
        )


@pytest.mark.parametrize("name", sorted(elsewhere.CHOICES))
def test_each_choice_from_elsewhere_leads_to_a_choice_of_the_schema(name: str) -> None:
    choices = [one.get("enum", ()) for known in mappings() for node in known.values() for one in alternatives(node)]
    assert all(any(meant in few and name not in few for few in choices) for meant in elsewhere.CHOICES[name])


def test_the_first_word_that_is_known_at_the_place_is_meant() -> None:
    task, start = (schema.definition(name)["properties"] for name in ("BatchTaskCreateOptions", "BatchStartTask"))
    assert elsewhere.property_meant("retries", task) == "constraints.max_task_retry_count"
    assert elsewhere.property_meant("retries", start) == "max_task_retry_count"
    assert elsewhere.property_meant("retries", schema.definition("upload")["properties"]) == ""
    assert elsewhere.choice_meant("Low-Priority", ["low_priority"]) == ""
    assert elsewhere.choice_meant("LowPriority", ["dedicated", "low_priority"]) == "low_priority"
