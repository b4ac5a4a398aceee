from typing import Any

from batchspec.render.hashes import fingerprint, task_fingerprint


def test_a_fingerprint_does_not_depend_on_the_order_of_keys() -> None:
    assert fingerprint({"a": 1, "b": [1, 2]}) == fingerprint({"b": [1, 2], "a": 1})
    assert fingerprint([1, 2]) != fingerprint([2, 1])


def test_a_fingerprint_stays_the_same_from_version_to_version() -> None:
    assert fingerprint({"a": ["é", 1, None, True]}) == "3516996056de982824414731152ce790"


def test_what_has_no_effect_is_left_out() -> None:
    plain = task_fingerprint({"id": "a"}, [])
    assert task_fingerprint({"id": "a", "displayName": "x", "constraints": {}, "affinityInfo": {}}, []) == plain
    assert task_fingerprint({"id": "b"}, []) != plain
    assert task_fingerprint({"id": "a"}, ["x"]) != plain


def test_a_fingerprint_does_not_depend_on_the_order_of_settings_and_metadata() -> None:
    a: Any = {"name": "A", "value": "1"}
    b: Any = {"name": "B", "value": "2"}
    for word in ("environmentSettings", "commonEnvironmentSettings", "metadata"):
        assert fingerprint({"x": [{word: [a, b]}]}) == fingerprint({"x": [{word: [b, a]}]})
        assert fingerprint({word: [a, b]}) != fingerprint({word: [a]})
    assert task_fingerprint({"environmentSettings": [a, b]}, []) == task_fingerprint(
        {"environmentSettings": [b, a]}, []
    )
    assert fingerprint({"resourceFiles": [a, b]}) != fingerprint({"resourceFiles": [b, a]})
