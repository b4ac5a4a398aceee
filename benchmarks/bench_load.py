"""What a poll costs with 100,000 tasks in one job, in times of the same with 1,000; and the engine's memory then.

A poll is what clients do while they wait: task counts, a page of tasks by filter, one task. There are 100 pools and
1,000 jobs beside. Measured in one run, through the official SDK; the median of some calls. Prints a line each.
"""

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from azure.batch import BatchClient, models

from benchmarks.own_engine import own_engine

FEW, MANY = 1_000, 100_000
POOLS, JOBS = 100, 1_000
CALLS = 15
RATIO_LIMIT = 10.0
MEMORY_LIMIT_MB = 300


def fill(client: BatchClient) -> None:
    """Pools without nodes, jobs without tasks, and two jobs with few and many tasks."""
    machine = models.VirtualMachineConfiguration(
        image_reference=models.BatchVmImageReference(publisher="canonical", offer="ubuntu-24_04-lts", sku="server"),
        node_agent_sku_id="batch.node.ubuntu 24.04",
    )
    for number in range(POOLS):
        options = models.BatchPoolCreateOptions(
            id=f"pool-{number}",
            vm_size="standard_d2s_v3",
            virtual_machine_configuration=machine,
            target_dedicated_nodes=0,
        )
        client.create_pool(options)
    for number in range(JOBS):
        info = models.BatchPoolInfo(pool_id=f"pool-{number % POOLS}")
        client.create_job(models.BatchJobCreateOptions(id=f"job-{number}", pool_info=info))
    for job, number in (("job-0", FEW), ("job-1", MANY)):
        tasks = [models.BatchTaskCreateOptions(id=f"t{index}", command_line="true") for index in range(number)]
        client.create_tasks(job, tasks)


def median_ms(call: Callable[[], object]) -> float:
    """The median time of a call."""
    times = []
    for _ in range(CALLS):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1000


def page(client: BatchClient, job: str, condition: str) -> list[models.BatchTask]:
    """The first page of tasks."""
    return list(next(client.list_tasks(job, filter=condition, max_results=100).by_page(), []))


def memory_mb(process: int) -> int:
    """What the engine's process holds, at most so far."""
    line = next(line for line in Path(f"/proc/{process}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) // 1024


def main() -> int:
    """Print each ratio and the memory; 1 when one is above its limit."""
    failed = False
    with own_engine() as (client, process):
        fill(client)
        polls: dict[str, Callable[[str], object]] = {
            "task counts": client.get_job_task_counts,
            "active tasks, a page": lambda job: page(client, job, "state eq 'active'"),
            "unfinished tasks, a page": lambda job: page(client, job, "state ne 'completed'"),
            "failed tasks": lambda job: page(client, job, "executionInfo/result eq 'failure'"),
            "one task": lambda job: client.get_task(job, "t500"),
        }
        for name, poll in polls.items():
            few, many = (median_ms(lambda poll=poll, job=job: poll(job)) for job in ("job-0", "job-1"))  # type: ignore[misc]
            failed |= many / few > RATIO_LIMIT
            print(f"{name}: {few:.1f} ms with {FEW} tasks, {many:.1f} ms with {MANY}, ratio {many / few:.1f}")
        used = memory_mb(process)
    print(f"memory of the engine: {used} MB (at most {MEMORY_LIMIT_MB})")
    return int(failed or used > MEMORY_LIMIT_MB)


if __name__ == "__main__":
    sys.exit(main())
