"""Misspelt properties under the names that were meant."""

from batchspec.spec.document import At, Finding
from batchspec.spec.meant import as_meant


def meant(data: object, **names: str) -> tuple[object, frozenset[At]]:
    """The data as meant when the schema says this of properties of the whole spec's pool."""
    return as_meant(data, [Finding(("pool", name), "unknown", meant=one) for name, one in names.items()])


def test_a_misspelt_property_stands_under_the_name_that_was_meant_and_nothing_read_changes() -> None:
    read = {"pool": {"vmSize": "a", "id": "p"}, "tasks": [{"id": "one"}]}
    data, renamed = meant(read, vmSize="vm_size")
    assert data == {"pool": {"vm_size": "a", "id": "p"}, "tasks": [{"id": "one"}]}
    assert renamed == {("pool", "vm_size")}
    assert read == {"pool": {"vmSize": "a", "id": "p"}, "tasks": [{"id": "one"}]}


def test_a_property_that_belongs_into_a_mapping_is_put_into_it() -> None:
    data, renamed = meant({"pool": {"sku": "s", "offer": "o"}}, sku="image.sku", offer="image.offer")
    assert data == {"pool": {"image": {"sku": "s", "offer": "o"}}}
    assert renamed == {("pool", "image"), ("pool", "image", "sku"), ("pool", "image", "offer")}


def test_a_name_that_is_taken_is_left_alone() -> None:
    data, renamed = meant({"pool": {"idd": "b", "id": "a", "sku": "s", "image": 5}}, idd="id", sku="image.sku")
    assert data == {"pool": {"id": "a", "image": 5}}
    assert renamed == frozenset()


def test_data_without_misspelt_names_is_the_same() -> None:
    read: dict[str, object] = {"pool": {}}
    assert as_meant(read, [Finding(("pool",), "wrong")]) == (read, frozenset())
    assert as_meant([], []) == ([], frozenset())
