from batchspec.spec.sound import Soundness
from batchspec.spec.validator import MAX_ERRORS, errors


def test_limits_of_durations_are_errors_of_the_validator_and_templates_wait_for_their_rendering() -> None:
    schema = {"x-shortest": "PT5M", "x-longest": "P7D"}
    found = [
        [error.message for error in errors(schema, Soundness(schema), value)]
        for value in ("PT1M", "P8D", "{{ x }}", "P1D", 5)
    ]
    assert found == [["is too short; the least is PT5M"], ["is too long; the most is P7D"], [], [], []]


def test_of_an_alternative_that_does_not_fit_no_more_errors_are_kept_than_anyone_reads() -> None:
    schema = {"anyOf": [{"items": {"type": "string"}}, {"type": "string"}]}
    (error,) = errors(schema, Soundness(schema), [1] * 100_000)
    assert len(error.context or ()) == MAX_ERRORS + 1
