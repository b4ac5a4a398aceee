"""The names of the language of autoscale formulas.

Place in the pipeline: `check` looks names up here. Pure data, from the documentation page named in the package. Kinds
are the documentation's types; "metric" is a sampled variable: an object with methods, and a double where one belongs.
"""

LONGEST_CHARACTERS = 8192
MOST_STATEMENTS = 100
DEEPEST = 100

DEALLOCATION = "$NodeDeallocationOption"
OPTIONS = ("requeue", "terminate", "taskcompletion", "retaineddata")
TARGETS = ("$TargetDedicatedNodes", "$TargetLowPriorityNodes", "$TargetDedicated", "$TargetLowPriority")

METRICS = frozenset(
    {
        *("$CPUPercent", "$WallClockSeconds", "$MemoryBytes", "$DiskBytes", "$DiskReadBytes", "$DiskWriteBytes"),
        *("$DiskReadOps", "$DiskWriteOps", "$NetworkInBytes", "$NetworkOutBytes", "$SampleNodeCount"),
        *("$ActiveTasks", "$RunningTasks", "$PendingTasks", "$SucceededTasks", "$FailedTasks"),
        *("$TaskSlotsPerNode", "$CurrentDedicatedNodes", "$CurrentLowPriorityNodes", "$PreemptedNodeCount"),
        *("$UsableNodeCount", "$CurrentDedicated", "$CurrentLowPriority"),
    }
)
INTERVALS = frozenset(
    f"TimeInterval_{unit}"
    for unit in (
        *("Zero", "100ns", "Microsecond", "Millisecond", "Second"),
        *("Minute", "Hour", "Day", "Week", "Year"),
    )
)

# Kind of the result, and the least and most numbers of arguments (None for any).
FUNCTIONS: dict[str, tuple[str | None, int, int | None]] = {
    **dict.fromkeys(("avg", "len", "max", "min", "norm", "range", "std", "sum"), ("double", 1, None)),
    **dict.fromkeys(("lg", "ln", "log", "ceil", "floor", "round"), (None, 1, None)),
    "vec": ("doubleVec", 0, None),
    "percentile": ("double", 2, 2),
    "val": ("double", 2, 2),
    "rand": ("double", 0, 0),
    "stop": (None, 0, 0),
    "time": ("timestamp", 0, 1),
}
METHODS: dict[str, tuple[str, int, int]] = {
    "GetSample": ("doubleVec", 1, 3),
    "GetSamplePercent": ("double", 1, 2),
    "GetSamplePeriod": ("timeinterval", 0, 0),
    "Count": ("double", 0, 0),
    "HistoryBeginTime": ("timestamp", 0, 0),
}
MEMBERS = frozenset({"year", "month", "day", "weekday", "hour", "minute", "second"})

_NUMBERS = ("double", "doubleVec")
_ARITHMETIC = ("+", "-", "*", "/")
_COMPARISONS = ("<", "<=", "==", ">=", ">", "!=")


def _operators() -> dict[tuple[str, str, str], str]:
    table = {
        ("*", "double", "timeinterval"): "timeinterval",
        ("*", "timeinterval", "double"): "timeinterval",
        ("/", "timeinterval", "double"): "timeinterval",
        ("+", "timeinterval", "timeinterval"): "timeinterval",
        ("-", "timeinterval", "timeinterval"): "timeinterval",
        ("+", "timeinterval", "timestamp"): "timestamp",
        ("+", "timestamp", "timeinterval"): "timestamp",
        ("-", "timestamp", "timeinterval"): "timestamp",
        ("-", "timestamp", "timestamp"): "timeinterval",
    }
    for sign in _ARITHMETIC:
        for left in _NUMBERS:
            for right in _NUMBERS:
                table[sign, left, right] = "double" if left == right == "double" else "doubleVec"
    for sign in _COMPARISONS:
        for kind in ("double", "string", "timestamp", "timeinterval"):
            table[sign, kind, kind] = "double"
    return table


OPERATORS = _operators()
