from collections.abc import Iterator

import pytest

from batchspec.render import products
from batchspec.render.elements import MAX_TASKS, Element, Elements
from batchspec.render.model import BlobQuery
from batchspec.render.scope import Scope

QUERY = BlobQuery("c", "name", "", "")


def of(*values: object) -> Elements:
    return Elements(lambda scope: (Element(one, f"'{one}'") for one in values), lambda scope: len(values))


def endless(number: int) -> Elements:
    """Says that it has so many elements, and can never be asked for one."""

    def walk(scope: Scope) -> Iterator[Element]:
        raise AssertionError("nothing may be made")

    return Elements(walk, lambda scope: number)


def values(elements: Elements) -> list[object]:
    return [element.value for element in elements.walk(Scope({}))]


def test_the_last_key_changes_fastest() -> None:
    made = products.matrix({"a": of("x", "y"), "b": of(1, 2)}, ())
    assert values(made) == [{"a": one, "b": two} for one in "xy" for two in (1, 2)]
    assert [element.word for element in made.walk(Scope({}))][:2] == ["a 'x', b '1'", "a 'x', b '2'"]
    assert made.count(Scope({})) == 4


def test_a_part_too_long_to_hold_is_walked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "MAX_HELD", 1)
    made = products.matrix({"a": of("x", "y"), "b": of(1, 2), "c": of(3)}, ())
    assert values(made) == [{"a": one, "b": two, "c": 3} for one in "xy" for two in (1, 2)]


def test_a_product_inside_a_product_counts_and_reads_naturally() -> None:
    inner = products.zipped({"p": of(1, 2), "q": of(3, 4)}, ())
    made = products.matrix({"pair": inner, "n": of(0)}, ())
    assert values(made) == [{"pair": {"p": 1, "q": 3}, "n": 0}, {"pair": {"p": 2, "q": 4}, "n": 0}]
    assert made.count(Scope({})) == 2


@pytest.mark.parametrize("parts", [{}, {"a": of()}, {"a": of(1), "b": of()}])
def test_without_elements_there_is_none(parts: dict[str, Elements]) -> None:
    assert values(products.matrix(parts, ())) == values(products.zipped({**parts, "z": of()}, ()))[:0]


def test_too_many_are_refused_before_the_first_is_made() -> None:
    scope = Scope({})
    made = products.matrix({"a": endless(MAX_TASKS), "b": endless(2)}, ("x",))
    assert list(made.walk(scope)) == []
    assert [(fault.at, fault.message) for fault in scope.faults] == [
        (("x",), "makes 2,000,000 tasks; the limit is 1,000,000")
    ]


def test_lists_of_different_lengths_do_not_go_side_by_side() -> None:
    scope = Scope({})
    assert list(products.zipped({"a": of(1), "b": of(1, 2)}, ("x",)).walk(scope)) == []
    assert [fault.message for fault in scope.faults] == ["the lists must have the same length: a has 1, b has 2"]


def test_what_waits_for_a_listing_gives_nothing_and_says_what_it_wants() -> None:
    waiting = Elements(lambda scope: iter(()), lambda scope: 0, (QUERY,), known=False)
    for product in (products.matrix, products.zipped):
        made = product({"a": of(1), "b": waiting}, ())
        assert (made.known, made.queries, values(made)) == (False, (QUERY,), [])
