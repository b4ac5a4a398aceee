"""The formulas that have names: `pool.autoscale: {formula: scale_to_pending_tasks, max_nodes: 10}`.

Place in the pipeline: the checks and `render` ask `problems` about the words, `render` asks `text` for the formula. In:
the words of `autoscale` with their values. Out: problems by word; a formula of Azure Batch. Pure.

All of them let tasks finish on nodes that leave, keep between `min_nodes` and `max_nodes`, and count preempted nodes:
these are part of a pool's target and run nothing, so as many are asked for on top while work is to be done.

A pool is evaluated when it is made, before it has tasks, and then minutes later. So `scale_to_pending_tasks` begins
with `start_nodes`, as the examples of "Create a formula to automatically scale compute nodes in a Batch pool" do while
there are few samples.
"""

from collections.abc import Callable, Iterator, Mapping

from batchspec.spec.durations import NotADuration, duration
from batchspec.spec.suggest import did_you_mean

DEFAULT_INTERVAL = "PT5M"
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_ALWAYS = ("formula", "interval")
_OF_ALL = ("min_nodes", "max_nodes", "node_type")
_OWN: Mapping[str, tuple[str, ...]] = {
    "scale_to_pending_tasks": ("tasks_per_node", "start_nodes"),
    "scale_down_when_idle": ("idle",),
    "workday": ("from_hour", "until_hour", "days", "utc_offset"),
}
NAMES = tuple(_OWN)
WORDS = (*_ALWAYS, *_OF_ALL, *(word for words in _OWN.values() for word in words))

_TARGETS = {"dedicated": "$TargetDedicatedNodes", "low_priority": "$TargetLowPriorityNodes"}


def problems(given: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """What is wrong with the words together, as (word, message); a word whose value is not known is not in `given`."""
    formula = given.get("formula")
    if not isinstance(formula, str):
        return
    if formula not in NAMES:
        yield from _of_text(formula, given)
        return
    allowed = (*_ALWAYS, *_OF_ALL, *_OWN[formula])
    for word in given:
        if word not in allowed:
            owner = next((name for name, words in _OWN.items() if word in words), "")
            yield word, f"belongs to the formula `{owner}`, not to `{formula}`; remove it"
    least, most = given.get("min_nodes", 0), given.get("max_nodes")
    if most is None:
        yield "max_nodes", f"missing; `{formula}` never asks for more nodes than this"
    elif isinstance(least, int) and isinstance(most, int) and least > most:
        yield "min_nodes", f"{least} is more than `max_nodes` ({most})"
    start = given.get("start_nodes", 0)
    if isinstance(start, int) and isinstance(most, int) and start > most:
        yield "start_nodes", f"{start} is more than `max_nodes` ({most})"
    if formula == "workday" and given.get("from_hour", 8) == given.get("until_hour", 18):
        yield "until_hour", "is the hour at which the day begins; a workday has at least one hour"


def _of_text(formula: str, given: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    if _is_a_word(formula):
        hint = did_you_mean(formula, NAMES) or f"; there are {', '.join(NAMES)}"
        yield "formula", f"there is no formula named '{formula[:60]}'{hint}"
        return
    for word in given:
        if word not in _ALWAYS:
            yield word, f"goes only with one of the formulas {', '.join(NAMES)}; this formula is written out"


def _is_a_word(formula: str) -> bool:
    return formula.strip().replace("_", "").replace("-", "").isalnum()


def text(given: Mapping[str, object]) -> str:
    """The formula of a name, for words of which `problems` says nothing."""
    name = str(given["formula"])
    target = _TARGETS[str(given.get("node_type", "dedicated"))]
    other = next(one for one in _TARGETS.values() if one != target)
    lines = [
        f"// {name}, written by batchspec",
        f"minNodes = {given.get('min_nodes', 0)};",
        f"maxNodes = {given['max_nodes']};",
        "preempted = max(0, $PreemptedNodeCount.GetSample(1));",
        "quiet = minNodes > 0 ? min(maxNodes, minNodes + preempted) : 0;",
        *_FORMULAS[name](given),
        f"{target} = max(minNodes, min(maxNodes, wanted));",
        f"{other} = 0;",
        "$NodeDeallocationOption = taskcompletion;",
    ]
    return "\n".join(lines) + "\n"


def _pending(given: Mapping[str, object]) -> list[str]:
    window = "TimeInterval_Minute * 5"
    return [
        f"slots = {given.get('tasks_per_node', '$TaskSlotsPerNode')};",
        "last = max(0, $PendingTasks.GetSample(1));",
        f"few = $PendingTasks.GetSamplePercent({window}) < 70;",
        f"tasks = few ? last : max(last, avg($PendingTasks.GetSample({window})));",
        f"begin = few ? max(quiet, {given.get('start_nodes', 1)}) : quiet;",
        "wanted = tasks > 0 ? ceil(tasks / slots) + preempted : begin;",
    ]


def _idle(given: Mapping[str, object]) -> list[str]:
    try:
        seconds = int(duration(str(given.get("idle", "PT10M"))).total_seconds())
    except NotADuration:  # told where it was written
        seconds = 600
    window = f"TimeInterval_Second * {seconds}"
    return [
        "last = max(0, $PendingTasks.GetSample(1));",
        f"young = $PendingTasks.GetSamplePercent({window}) < 70;",
        f"busy = last > 0 || young || max($PendingTasks.GetSample({window})) > 0;",
        "wanted = busy ? maxNodes : quiet;",
    ]


def _workday(given: Mapping[str, object]) -> list[str]:
    first, last = given.get("from_hour", 8), given.get("until_hour", 18)
    both = "&&" if int(str(first)) < int(str(last)) else "||"
    days = given.get("days", list(DAYS[:5]))
    chosen = [DAYS.index(str(day)) + 1 for day in days] if isinstance(days, list) else []
    # Sunday is 7, or 0 where weeks are counted as in .NET.
    numbers = [*chosen, *([0] if 7 in chosen else [])]
    return [
        f"now = time() + TimeInterval_Hour * ({given.get('utc_offset', 0)});",
        f"day = {' || '.join(f'now.weekday == {number}' for number in numbers)};",
        f"hours = now.hour >= {first} {both} now.hour < {last};",
        "wanted = day && hours ? maxNodes : quiet;",
    ]


_FORMULAS: Mapping[str, Callable[[Mapping[str, object]], list[str]]] = {
    "scale_to_pending_tasks": _pending,
    "scale_down_when_idle": _idle,
    "workday": _workday,
}
