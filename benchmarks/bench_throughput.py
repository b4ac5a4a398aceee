"""How long the engine takes for 1,000 trivial tasks on 2 slots, in times of `xargs -P2` for the same commands.

Measured in one run, in turns: from the first add to the last completion with the pool idle at the start, through the
official SDK, on an engine of its own; against `xargs -P2` with `/bin/sh -c`. Prints the best of some runs of each.
"""

import subprocess
import sys
import time
import uuid

from azure.batch import BatchClient, models

from benchmarks.own_engine import own_engine

TASKS = 1_000
RUNS = 3
LIMIT = 4.0
COMMAND = "true"
POLL_S = 0.1
DEADLINE_S = 300.0


def xargs_seconds() -> float:
    """`xargs` starting the commands, two at a time."""
    lines = "\n".join([COMMAND] * TASKS)
    start = time.perf_counter()
    command = ("xargs", "-P2", "-d", "\n", "-n1", "/bin/sh", "-c")
    subprocess.run(command, input=lines, text=True, capture_output=True, check=True)
    return time.perf_counter() - start


def engine_seconds(client: BatchClient) -> float:
    """The same as tasks of a new job on the pool, which is idle."""
    job_id = f"job-{uuid.uuid4()}"
    pool = models.BatchPoolInfo(pool_id="pool")
    client.create_job(models.BatchJobCreateOptions(id=job_id, pool_info=pool))
    tasks = [models.BatchTaskCreateOptions(id=f"t{i}", command_line=f"/bin/sh -c {COMMAND}") for i in range(TASKS)]
    start = time.perf_counter()
    client.create_tasks(job_id, tasks)
    while client.get_job_task_counts(job_id).task_counts.succeeded < TASKS:
        if time.perf_counter() - start > DEADLINE_S:
            raise TimeoutError(f"the tasks have not succeeded after {DEADLINE_S} s")
        time.sleep(POLL_S)
    elapsed = time.perf_counter() - start
    client.begin_delete_job(job_id).result()
    return elapsed


def add_pool(client: BatchClient) -> None:
    """A pool of one node with two slots; returns when it is idle."""
    machine = models.VirtualMachineConfiguration(
        image_reference=models.BatchVmImageReference(publisher="canonical", offer="ubuntu-24_04-lts", sku="server"),
        node_agent_sku_id="batch.node.ubuntu 24.04",
    )
    client.create_pool(
        models.BatchPoolCreateOptions(
            id="pool",
            vm_size="standard_d2s_v3",
            virtual_machine_configuration=machine,
            target_dedicated_nodes=1,
            task_slots_per_node=2,
        )
    )
    end = time.perf_counter() + DEADLINE_S
    while [node.state for node in client.list_nodes("pool")] != ["idle"]:
        if time.perf_counter() > end:
            raise TimeoutError("the pool has not become idle")
        time.sleep(POLL_S)


def main() -> int:
    """Print both times and their ratio; 1 when the ratio is above the limit."""
    with own_engine() as (client, _):
        add_pool(client)
        pairs = [(xargs_seconds(), engine_seconds(client)) for _ in range(RUNS)]
    xargs, engine = (min(times) for times in zip(*pairs, strict=True))
    ratio = engine / xargs
    print(f"xargs {xargs:.2f} s, engine {engine:.2f} s, ratio {ratio:.2f} (at most {LIMIT:.1f})")
    return int(ratio > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
