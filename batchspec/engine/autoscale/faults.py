"""What can be wrong with a formula, in the service's own words.

    Exception
      FormulaInvalid     the text is no formula: the request is refused (HTTP 400)
      Refused            a value an operation does not take; no position yet
        TooFewSamples    `GetSample` found less than the percentage it asks for

Place: under every module here. In: nothing. Out: the errors above, and `RunError`, which is data: an evaluation that
fails is no refused request, the failure is told in the `error` of the `autoScaleRun`.

Sources. Recorded (azure-sdk-for-js, "should fail to evaluate invalid autoscale formula"): HTTP 200, code
`AutoScalingFormulaEvaluationError`, message without a full stop, one value `Message` = `Line 1, Col 1: Undefined
symbol: $something_useless`. Documented (pool autoscale event): `InsufficientSampleData` with `Line 15, Col 44:
Insufficient data from data set: $RunningTasks wanted 70%, received 50%`. The wording of the other details is ours.
"""

from dataclasses import dataclass

SYNTAX_ERROR = "AutoScalingFormulaSyntaxError"
TOO_LONG = "AutoScalingFormulaTooLong"
EVALUATION_ERROR = "AutoScalingFormulaEvaluationError"
TOO_FEW_SAMPLES = "InsufficientSampleData"

_MESSAGES = {
    SYNTAX_ERROR: "The specified auto-scaling formula has a syntax error.",
    TOO_LONG: "The specified auto-scaling formula exceeds lengths limit.",
    EVALUATION_ERROR: "The specified auto-scaling formula has evaluation error",
    TOO_FEW_SAMPLES: "Autoscale evaluation failed due to insufficient sample data",
}


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a formula, counted from 1 as the service does."""

    line: int
    column: int

    def __str__(self) -> str:
        return f"Line {self.line}, Col {self.column}"


class FormulaInvalid(Exception):
    """A text the service refuses as a formula: code, message, and the `values` beside it."""

    def __init__(self, code: str, detail: str) -> None:
        self.code = code
        self.message = _MESSAGES[code]
        self.values = {"Message": detail}
        super().__init__(f"{code}: {detail}")


class Refused(Exception):
    """A value that an operation does not take; whoever knows where it stands adds the position."""

    code = EVALUATION_ERROR


class TooFewSamples(Refused):
    """Fewer samples than a formula asks for."""

    code = TOO_FEW_SAMPLES


@dataclass(frozen=True, slots=True)
class RunError:
    """The `error` of an `autoScaleRun`; `values` are its name-value pairs."""

    code: str
    message: str
    values: tuple[tuple[str, str], ...]


def run_error(refused: Refused, at: Position) -> RunError:
    """What the service says when an evaluation stops at `at`."""
    return RunError(refused.code, _MESSAGES[refused.code], (("Message", f"{at}: {refused}"),))
