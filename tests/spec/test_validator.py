import pytest

from batchspec.spec.validator import Validator, duration_fault, moment_fault


@pytest.mark.parametrize(
    ("value", "word", "limit", "fault"),
    [
        ("PT5M", "x-shortest", "PT5M", None),
        ("PT299S", "x-shortest", "PT5M", "is too short; the least is PT5M"),
        ("PT168H", "x-longest", "P7D", None),
        ("P1W", "x-longest", "P7D", None),
        ("P7DT1S", "x-longest", "P7D", "is too long; the most is P7D"),
        ("no duration", "x-longest", "P7D", None),
    ],
)
def test_a_duration_beside_a_limit(value: str, word: str, limit: str, fault: str | None) -> None:
    assert duration_fault(value, word, limit) == fault


def test_a_moment_must_be_in_the_calendar() -> None:
    assert moment_fault("2028-02-29T24:00:00Z") is not None
    assert moment_fault("2028-02-29T06:00:00.1234567+02:00") is None


def test_limits_of_durations_are_errors_of_the_validator_and_templates_wait_for_their_rendering() -> None:
    validator = Validator({"x-shortest": "PT5M", "x-longest": "P7D"})
    found = [
        [error.message for error in validator.iter_errors(value)] for value in ("PT1M", "P8D", "{{ x }}", "P1D", 5)
    ]
    assert found == [["is too short; the least is PT5M"], ["is too long; the most is P7D"], [], [], []]
