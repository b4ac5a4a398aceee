"""The kinds of formula that are published: each with a history, and on a pool just made.

Written anew after Microsoft's page "Create a formula to automatically scale compute nodes in a Batch pool", the
examples of its REST and PowerShell references, and the formulas that batch-shipyard, Nextflow, TES and Azure Batch's
issues show.
"""

from dataclasses import dataclass

import pytest

from batchspec.engine.autoscale import Targets
from tests.engine.autoscale.measured import NEW, PRESENT, evaluated, steady

BUSY = steady(
    {
        "$ActiveTasks": 4,
        "$RunningTasks": 5,
        "$PendingTasks": 9,
        "$CPUPercent": 0.9,
        "$PreemptedNodeCount": 3,
        "$TaskSlotsPerNode": 4,
        "$CurrentDedicatedNodes": 10,
        "$CurrentLowPriorityNodes": 2,
    }
)


@dataclass(frozen=True, slots=True)
class Example:
    """A formula and the targets it comes to; `new` is None where too few samples must fail it."""

    formula: str
    busy: Targets
    new: Targets | None


EXAMPLES = {
    "pending tasks": Example(
        """
        first = 1;
        most = 25;
        enough = $PendingTasks.GetSamplePercent(180 * TimeInterval_Second);
        wanted = enough < 70 ? first : avg($PendingTasks.GetSample(180 * TimeInterval_Second));
        $TargetDedicatedNodes=min(most, wanted);
        $NodeDeallocationOption = taskcompletion;
        """,
        busy=Targets(9, 1),
        new=Targets(1, 1),
    ),
    "preempted nodes are replaced": Example(
        """
        all = 25;
        $TargetDedicatedNodes = min(all, $PreemptedNodeCount.GetSample(180 * TimeInterval_Second));
        $TargetLowPriorityNodes = min(all , all - $TargetDedicatedNodes);
        """,
        busy=Targets(3, 22),
        new=Targets(25, 0),
    ),
    "processor load": Example(
        """
        $nodes =
            (min($CPUPercent.GetSample(TimeInterval_Minute * 10)) > 0.7) ?
            ($CurrentDedicatedNodes * 1.1) : $CurrentDedicatedNodes;
        $nodes =
            (avg($CPUPercent.GetSample(TimeInterval_Minute * 60)) < 0.2) ?
            ($CurrentDedicatedNodes * 0.9) : $nodes;
        $TargetDedicatedNodes = min(400, $nodes)
        """,
        busy=Targets(11, 1),
        new=Targets(0, 1),
    ),
    "processor load of the REST reference": Example(
        "n=($CPUPercent.GetSamplePercent(TimeInterval_Minute*0,TimeInterval_Minute*10)<0.7?5:"
        "(min($CPUPercent.GetSample(TimeInterval_Minute*0, TimeInterval_Minute*10))>0.8?"
        "($CurrentDedicated*1.1):$CurrentDedicated));$TargetDedicated=min(100,n);",
        busy=Targets(11, 1),
        new=Targets(5, 1),
    ),
    "one day of the week": Example(
        "$TargetDedicatedNodes = (time().weekday == 3 ? 5:1);", busy=Targets(5, 1), new=Targets(5, 1)
    ),
    "working hours": Example(
        """
        $now = time() + (-6 * TimeInterval_Hour);
        $hours = $now.hour >= 8 && $now.hour < 18;
        $days = $now.weekday >= 1 && $now.weekday <= 5;
        $working = $hours && $days;
        $TargetDedicatedNodes = $working ? 20:10;
        $NodeDeallocationOption = taskcompletion;
        """,
        busy=Targets(20, 1),
        new=Targets(20, 1),
    ),
    "tasks with half of the nodes kept": Example(
        """
        // Pending tasks of a quarter of an hour.
        $percent = $PendingTasks.GetSamplePercent(TimeInterval_Minute * 15);
        // The last sample, if there are few.
        $queue = $percent < 70 ? max(0,$PendingTasks.GetSample(1)) : max( $PendingTasks.GetSample(1), """
        """avg($PendingTasks.GetSample(TimeInterval_Minute * 15)));
        $nodes = $queue > 0? $queue:max(0, $TargetDedicatedNodes/2);
        $TargetDedicatedNodes = max(0, min($nodes, 20));
        $NodeDeallocationOption = taskcompletion;
        """,
        busy=Targets(9, 1),
        new=Targets(1, 1),
    ),
    "four tasks a node": Example(
        """
        $percent = $ActiveTasks.GetSamplePercent(TimeInterval_Minute * 15);
        $queue = $percent < 70 ? max(0,$ActiveTasks.GetSample(1)) : max( $ActiveTasks.GetSample(1),"""
        """avg($ActiveTasks.GetSample(TimeInterval_Minute * 15)));
        $slots = $TargetDedicatedNodes * 4;
        $more = (($queue - $slots) + 3) / 4;
        $nodes = ($TargetDedicatedNodes + $more);
        $TargetDedicatedNodes = max(0,min($nodes,3));
        """,
        busy=Targets(1, 1),
        new=Targets(0, 1),
    ),
    "a first size for ten minutes": Example(
        """
        $TargetDedicatedNodes = 4;
        age     = time() - time("Wed, 11 Mar 2026 14:25:00 GMT");
        start   = TimeInterval_Minute * 10;
        $TargetDedicatedNodes = (age > start ? (max($RunningTasks.GetSample(TimeInterval_Hour, 50), """
        """$ActiveTasks.GetSample(TimeInterval_Hour, 50)) == 0 ? 0 : $TargetDedicatedNodes) : 4);
        """,
        busy=Targets(4, 1),
        new=Targets(4, 1),
    ),
    "then only while there are tasks": Example(
        """
        age     = time() - time("2026-03-11T10:25:00.123456Z");
        span    = TimeInterval_Second * 90;
        $TargetDedicated = (age > TimeInterval_Minute * 2 ? min($PendingTasks.GetSample(span, 10)) : 3);
        """,
        busy=Targets(9, 1),
        new=None,
    ),
    "three quarters of the samples at least": Example(
        """
        $running = $RunningTasks.GetSample(60 * TimeInterval_Second, 120 * TimeInterval_Second, 75);
        $TargetLowPriorityNodes = percentile($running, 90);
        """,
        busy=Targets(2, 5),
        new=None,
    ),
    "last samples of two metrics": Example(
        "$most=8;$least = 0;$active =$ActiveTasks.GetSample(1);$running =$RunningTasks.GetSample(1);"
        "$both = max($active, 0) + max($running, 0);$needed =$both >= 1;"
        "$nodes =$both >$most ?$most:$both;$TargetDedicated =$needed ?$nodes:$least;",
        busy=Targets(8, 1),
        new=Targets(0, 1),
    ),
    "dedicated and low-priority nodes in balance": Example(
        """
        perNode = 4;
        mostDedicated = 16;
        mostLowPriority = 16777216;
        span = TimeInterval_Second * 600.0;
        percent = $PendingTasks.GetSamplePercent(span);
        last = val($PendingTasks.GetSample(1), 0);
        mean = avg($PendingTasks.GetSample(span));
        queue = percent < 70 ? max(0, last) : (last < mean ? avg(last, mean) : max(last, mean));
        wanted = queue / perNode;
        divisor = (mostDedicated == 0 || mostLowPriority == 0) ? 1 : 2;
        dedicated = max(0, wanted / divisor);
        dedicated = min(mostDedicated, (dedicated > 0 && dedicated < 1) ? 1 : dedicated);
        $TargetDedicatedNodes = dedicated;
        $TargetLowPriorityNodes = max(0, min(mostLowPriority, wanted - dedicated));
        """,
        busy=Targets(1, 1),
        new=Targets(0, 0),
    ),
    "slots of the pool, rounded up": Example(
        "$TargetDedicatedNodes = min(20, max(0, ceil($PendingTasks / $TaskSlotsPerNode)));",
        busy=Targets(3, 1),
        new=Targets(0, 1),
    ),
    "nothing but the present size": Example(
        "$TargetDedicatedNodes = $CurrentDedicatedNodes;", busy=Targets(10, 1), new=Targets(0, 1)
    ),
    "everything set, on one line": Example(
        "$TargetDedicatedNodes=0;$TargetLowPriorityNodes=0;$NodeDeallocationOption=requeue",
        busy=Targets(0, 0),
        new=Targets(0, 0),
    ),
}


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
def test_a_published_kind_of_formula_scales_a_busy_pool(example: Example) -> None:
    evaluation = evaluated(example.formula, BUSY)
    assert (evaluation.error, evaluation.targets) == (None, example.busy)


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
def test_a_published_kind_of_formula_starts_a_pool_that_has_no_history(example: Example) -> None:
    evaluation = evaluated(example.formula, NEW)
    code = evaluation.error.code if evaluation.error else None
    assert (code, evaluation.targets) == (
        (None, example.new) if example.new is not None else ("InsufficientSampleData", PRESENT)
    )


def test_one_sample_is_enough_for_the_service_to_start_with_spot_nodes_only() -> None:
    example = EXAMPLES["preempted nodes are replaced"]
    assert evaluated(example.formula, steady({}, 1)).targets == Targets(0, 25)
