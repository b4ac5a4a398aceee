"""How a run ended, as lines: failures by cause, each with its node, codes, message, last stderr lines and next step.

Place in the pipeline: `apply` and `status` print with it. In: `Outcome`, `Status`. Out: lines. Whatever comes from a
task (ids, messages, stderr) is harmless text.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from batchspec.cli import phrases
from batchspec.cli.given import Given
from batchspec.reconcile.outcome import PREPARATION, RELEASE, Counts, Failure, Group, ScheduleState, Status

_LABEL = 12


def failure_lines(groups: tuple[Group, ...], given: Given, spec: str) -> Iterator[str]:
    """Every cause with one of its failures in full, and others where they wrote something else."""
    for group in groups:
        yield f"  {phrases.harmless(group.cause)}" + (f": {_members(group)}" if group.count > 1 else "")
        for failure in (group.example, *group.others):
            yield from _example(failure, given, spec)


def _members(group: Group) -> str:
    more = ", ..." if group.count > len(group.ids) else ""
    return f"{phrases.count(group.count, group.example.kind)} ({phrases.some(group.ids)}{more})"


def node_failure_lines(failures: tuple[Failure, ...], given: Given, spec: str) -> Iterator[str]:
    """What failed on nodes: start tasks, job preparation and release tasks, and the nodes themselves."""
    for failure in failures:
        yield f"  {phrases.harmless(failure.cause)}"
        yield from _example(failure, given, spec)


def _example(failure: Failure, given: Given, spec: str) -> Iterator[str]:
    yield f"    {_who(failure)}: {phrases.harmless(phrases.without_signatures(failure.message))}"
    for detail in failure.details:
        yield f"      {phrases.harmless(phrases.without_signatures(detail))}"
    for line in failure.stderr:
        yield f"      stderr | {phrases.without_signatures(phrases.harmless_line(line))}"
    if failure.fix:
        yield f"      {phrases.harmless(failure.fix)}"
    if failure.kind != "node":  # an unusable node has run nothing that could have written something
        yield f"      more: {_logs_command(failure, given, spec)}"


def _who(failure: Failure) -> str:
    name = phrases.harmless(failure.id)
    if failure.kind == "task":
        return f"task {name}" + (f" on node {phrases.harmless(failure.node)}" if failure.node else "")
    return f"{failure.kind} on node {name}" if failure.kind != "node" else f"node {name}"


def _logs_command(failure: Failure, given: Given, spec: str) -> str:
    if failure.kind == "task":
        return given.suggest("logs", spec, failure.id)
    options: dict[str, str] = {PREPARATION: "--preparation", RELEASE: "--release"}
    option = options.get(failure.kind, "--start-task")
    return given.suggest("logs", spec, option, failure.node or failure.id)


def counts_phrase(counts: Counts, blocked: int = 0) -> str:
    """`3 of 5 completed: 2 succeeded, 1 failed; 1 running, 1 waiting`."""
    ends = [
        f"{number:,} {word}" for number, word in ((counts.succeeded, "succeeded"), (counts.failed, "failed")) if number
    ]
    rest = ((counts.running, "running"), (max(counts.active - blocked, 0), "waiting"), (blocked, "blocked"))
    others = [f"{number:,} {word}" for number, word in rest if number]
    text = f"{counts.completed:,} of {counts.total:,} completed"
    if ends:
        text += ": " + ", ".join(ends)
    return "; ".join([text, ", ".join(others)]) if others else text


def status_lines(status: Status, given: Given, spec: str) -> Iterator[str]:
    """The live state: pool, nodes, schedule, job, tasks, and what failed."""
    if status.pool_id is not None:
        yield _labelled("pool", phrases.harmless(_pool_phrase(status)))
        yield from (f"{'':{_LABEL}}{phrases.harmless(error)}" for error in status.pool_errors)
    if status.nodes or status.pool_state is not None:
        yield _labelled("nodes", _nodes_phrase(status))
    if status.schedule is not None:
        yield _labelled("schedule", schedule_phrase(status.schedule))
    if status.job_id is not None:
        yield _labelled("job", phrases.harmless(f"{status.job_id}: {status.job_state or 'not there'}"))
    if status.job_state is not None:
        yield _labelled("tasks", counts_phrase(status.counts, status.blocked))
    if status.node_failures:
        yield f"{phrases.count(len(status.node_failures), 'node')} failed:"
        yield from node_failure_lines(status.node_failures, given, spec)
    for kind in (PREPARATION, RELEASE):
        of_kind = tuple(failure for failure in status.job_failures if failure.kind == kind)
        if of_kind:
            yield f"{kind} failed on {phrases.count(len(of_kind), 'node')}:"
            yield from node_failure_lines(of_kind, given, spec)
    if status.failures:
        yield f"{phrases.count(status.counts.failed, 'task')} failed:"
        yield from failure_lines(status.failures, given, spec)


def schedule_phrase(schedule: ScheduleState) -> str:
    """`nightly: active, the next job is due on 2027-01-31 06:00:00 UTC`."""
    text = f"{schedule.id}: {schedule.state or 'not there'}"
    if schedule.ended is not None:
        text += f", ended on {_moment(schedule.ended)}"
    elif schedule.next_run is not None:
        text += f", the next job is due on {_moment(schedule.next_run)}"
    return phrases.harmless(text)


def _moment(text: str) -> str:
    """A moment of the service, to the second."""
    try:
        return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    except ValueError:
        return text


def _pool_phrase(status: Status) -> str:
    state = status.pool_state or "not there"
    return f"{status.pool_id}: {state}" + (f", {status.allocation_state}" if status.allocation_state else "")


def _nodes_phrase(status: Status) -> str:
    there = sum(number for _, number in status.nodes)
    states = ", ".join(f"{number:,} {phrases.harmless(state)}" for state, number in status.nodes)
    return f"{there:,} of {status.target_nodes:,}" + (f": {states}" if states else "")


def _labelled(label: str, text: str) -> str:
    return f"{label:{_LABEL}}{text}"
