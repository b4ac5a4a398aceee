from batchspec.render.cycles import circle, circles

GRAPH = {1: [2, 3], 2: [4], 3: [4], 4: [5], 5: [], 6: [7], 7: [8], 8: [6], 9: [9]}


def test_what_comes_together_again_is_no_circle() -> None:
    assert circle([1, 2, 3], lambda number: GRAPH[number]) == []


def test_a_circle_is_given_in_order() -> None:
    assert circle([1, 8], lambda number: GRAPH[number]) == [8, 6, 7]
    assert circle([9], lambda number: GRAPH[number]) == [9]


def test_every_wait_that_closes_a_circle_has_one() -> None:
    assert list(circles([1, 6, 9], lambda number: GRAPH[number])) == [[6, 7, 8], [9]]


def test_a_path_may_be_longer_than_python_recurses() -> None:
    assert circle([0], lambda number: [number + 1] if number < 100_000 else []) == []
