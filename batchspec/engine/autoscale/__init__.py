"""Autoscale formulas of Azure Batch: a text in, the sizes a pool should have out.

Place: a part of the engine that stands alone; pool routes and the pool's autoscale timer call it. In: a formula,
what was measured, the time, the present targets. Out: targets, how nodes are let go, the `results` text of an
`autoScaleRun`, or its error. Never: reads a clock, a pool or a file; everything it may know is handed in, so one
evaluation can be repeated exactly.

The language is the one of "Create a formula to automatically scale compute nodes in a Batch pool" (Azure Batch
documentation); where that page is silent, recordings of the service in the test suites of Microsoft's SDKs decide,
and each such decision stands in the docstring of the module it concerns.
"""

from batchspec.engine.autoscale.evaluate import Evaluation, Targets, evaluate
from batchspec.engine.autoscale.faults import FormulaInvalid, RunError
from batchspec.engine.autoscale.samples import SAMPLE_PERIOD, VARIABLES, RecordedSamples, Sample, Samples
from batchspec.engine.autoscale.syntax import parse
from batchspec.engine.autoscale.tree import Formula

__all__ = [
    "SAMPLE_PERIOD",
    "VARIABLES",
    "Evaluation",
    "Formula",
    "FormulaInvalid",
    "RecordedSamples",
    "RunError",
    "Sample",
    "Samples",
    "Targets",
    "evaluate",
    "parse",
]
