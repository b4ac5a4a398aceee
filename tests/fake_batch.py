"""An Azure Batch account in memory: the port `BatchService`, honest about ids, states, marks and refusals.

Nothing runs by itself: pools get idle nodes at once (unless `grow` is false), tasks stay active until `finish` is
called, or end at once when `run` is given. Tests arrange state by writing into `pools`, `nodes`, `jobs`, `tasks`,
`preparations`, `files` and `node_files`.
"""

import copy
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from batchspec.reconcile.ports import Added, TextPart
from batchspec.render.model import JsonObject
from tests.fake_calls import Body, Calls, at_most, matches, refused, selected, utc_text

POOL_DEFAULTS: Body = {
    "taskSlotsPerNode": 1,
    "taskSchedulingPolicy": {"nodeFillType": "Spread", "jobDefaultOrder": "none"},
    "resizeTimeout": "PT15M",
    "enableAutoScale": False,
    "enableInterNodeCommunication": False,
    "targetDedicatedNodes": 0,
    "targetLowPriorityNodes": 0,
}
JOB_DEFAULTS: Body = {
    "priority": 0,
    "maxParallelTasks": -1,
    "usesTaskDependencies": False,
    "allowTaskPreemption": False,
    "constraints": {"maxWallClockTime": "P10675199DT2H48M5.4775807S", "maxTaskRetryCount": 0},
    "onAllTasksComplete": "noaction",
    "onTaskFailure": "noaction",
}
TASK_DEFAULTS: Body = {
    "userIdentity": {"autoUser": {"scope": "pool", "elevationLevel": "nonadmin"}},
    "constraints": {
        "maxWallClockTime": "P10675199DT2H48M5.4775807S",
        "retentionTime": "P7D",
        "maxTaskRetryCount": 0,
    },
    "requiredSlots": 1,
}
# As GET /nodecounts writes them; a node's own state is the same word in lower case.
NODE_STATES = ("creating", "idle", "offline", "rebooting", "running", "starting", "startTaskFailed", "unusable")


@dataclass
class FakeBatch(Calls):
    """The account. `run` maps (job id, task body) to an exit code, or None to leave the task active.

    `slow_deletes` is how many reads still see a deleted pool, job or schedule as `deleting`; `evaluates` gives the
    results or the error of a formula. Schedules make a job when `begin_job` is called.
    """

    pools: dict[str, Body] = field(default_factory=dict)
    nodes: dict[str, list[Body]] = field(default_factory=dict)
    jobs: dict[str, Body] = field(default_factory=dict)
    schedules: dict[str, Body] = field(default_factory=dict)
    tasks: dict[str, dict[str, Body]] = field(default_factory=dict)
    files: dict[tuple[str, str, str], bytes] = field(default_factory=dict)
    node_files: dict[tuple[str, str, str], bytes] = field(default_factory=dict)
    preparations: dict[str, list[Body]] = field(default_factory=dict)
    images: list[Body] = field(default_factory=list)
    run: Callable[[str, Body], int | None] | None = None
    grow: bool = True
    slow_deletes: int = 0
    clock_ahead: timedelta | None = timedelta(0)
    evaluates: Callable[[str], Body] = field(default=lambda formula: {"results": "$TargetDedicatedNodes=1"})
    _dying: dict[tuple[str, str], int] = field(default_factory=dict)

    # pools and nodes

    async def get_pool(self, pool_id: str) -> JsonObject | None:
        await self._enter("get_pool", pool_id, write=False)
        self._tick("pool", pool_id)
        return copy.deepcopy(self.pools.get(pool_id))

    async def list_pools(self, *, select: str = "") -> AsyncIterator[JsonObject]:
        await self._enter("list_pools", "", write=False)
        for _, pool in sorted(self.pools.items()):
            yield selected(copy.deepcopy(pool), select)

    async def create_pool(self, body: JsonObject) -> None:
        pool_id = str(body["id"])
        await self._enter("create_pool", pool_id, write=True)
        if pool_id in self.pools:
            dying = self.pools[pool_id]["state"] == "deleting"
            raise refused("create pool", pool_id, 409, "PoolBeingDeleted" if dying else "PoolExists")
        pool = POOL_DEFAULTS | copy.deepcopy(body) | {"state": "active", "allocationState": "steady"}
        self.pools[pool_id] = self._stamped(pool, created=True)
        self._fill(pool_id)
        self._leave("create_pool")

    async def update_pool(self, pool_id: str, patch: JsonObject, *, if_match: str | None = None) -> None:
        await self._enter("update_pool", pool_id, write=True)
        pool = self._pool("update pool", pool_id)
        _check_etag(pool, if_match, "update pool", pool_id)
        self._stamped(pool | copy.deepcopy(patch), into=pool)
        self._leave("update_pool")

    async def resize_pool(self, pool_id: str, body: JsonObject) -> None:
        await self._enter("resize_pool", pool_id, write=True)
        pool = self._pool("resize pool", pool_id)
        if pool["allocationState"] != "steady":
            raise refused("resize pool", pool_id, 409, "PoolBeingResized")
        targets = {key: value for key, value in body.items() if key.startswith("target")}
        if not targets:
            raise refused("resize pool", pool_id, 400, "MissingRequiredProperty")
        self._stamped(pool | targets, into=pool)
        self._fill(pool_id)
        self._leave("resize_pool")

    async def set_autoscale(self, pool_id: str, body: JsonObject | None) -> None:
        await self._enter("set_autoscale", pool_id, write=True)
        pool = self._pool("set autoscale of pool", pool_id)
        self._stamped(pool | (body or {}) | {"enableAutoScale": body is not None}, into=pool)
        self._leave("set_autoscale")

    async def evaluate_autoscale(self, pool_id: str, formula: str) -> JsonObject:
        await self._enter("evaluate_autoscale", pool_id, write=False)
        if not self._pool("evaluate autoscale formula of pool", pool_id)["enableAutoScale"]:
            raise refused("evaluate autoscale formula of pool", pool_id, 409, "OperationInvalidForCurrentState")
        return {"timestamp": utc_text(self.now()), **self.evaluates(formula)}

    async def remove_nodes(self, pool_id: str, node_ids: Sequence[str]) -> None:
        await self._enter("remove_nodes", pool_id, write=True)
        at_most(node_ids, 100, "remove nodes of pool", pool_id)
        pool = self._pool("remove nodes of pool", pool_id)
        left = [node for node in self.nodes.get(pool_id, []) if node["id"] not in node_ids]
        self.nodes[pool_id] = left
        pool["targetDedicatedNodes"] = sum(bool(node["isDedicated"]) for node in left)
        pool["targetLowPriorityNodes"] = len(left) - pool["targetDedicatedNodes"]
        self._count_nodes(pool_id)
        self._leave("remove_nodes")

    async def delete_pool(self, pool_id: str) -> bool:
        await self._enter("delete_pool", pool_id, write=True)
        there = pool_id in self.pools
        if there and not self._dies_slowly("pool", pool_id, self.pools[pool_id]):
            del self.pools[pool_id]
        self.nodes.pop(pool_id, None)
        self._leave("delete_pool")
        return there

    async def list_nodes(self, pool_id: str, *, filter: str = "", select: str = "") -> AsyncIterator[JsonObject]:
        await self._enter("list_nodes", pool_id, write=False)
        for node in self.nodes.get(pool_id, []):
            if matches(node, filter):
                yield selected(copy.deepcopy(node), select)

    async def node_counts(self, pool_id: str) -> JsonObject | None:
        await self._enter("node_counts", pool_id, write=False)
        if pool_id not in self.pools:
            return None
        nodes = self.nodes.get(pool_id, [])
        return {
            "poolId": pool_id,
            "dedicated": _counted([node for node in nodes if node["isDedicated"]]),
            "lowPriority": _counted([node for node in nodes if not node["isDedicated"]]),
        }

    async def reboot_node(self, pool_id: str, node_id: str, option: str) -> None:
        await self._enter("reboot_node", f"{pool_id}/{node_id}", write=True)
        found = [node for node in self.nodes.get(pool_id, []) if node["id"] == node_id]
        if not found:
            raise refused("reboot node", f"{pool_id}/{node_id}", 404, "NodeNotFound")
        found[0].update(self._booted(pool_id))
        self._leave("reboot_node")

    async def list_images(self) -> AsyncIterator[JsonObject]:
        await self._enter("list_images", "", write=False)
        for image in self.images:
            yield copy.deepcopy(image)

    # jobs

    async def get_job(self, job_id: str) -> JsonObject | None:
        await self._enter("get_job", job_id, write=False)
        self._tick("job", job_id)
        return copy.deepcopy(self.jobs.get(job_id))

    async def list_jobs(self, *, select: str = "") -> AsyncIterator[JsonObject]:
        await self._enter("list_jobs", "", write=False)
        for _, job in sorted(self.jobs.items()):
            yield selected(copy.deepcopy(job), select)

    async def create_job(self, body: JsonObject) -> None:
        job_id = str(body["id"])
        await self._enter("create_job", job_id, write=True)
        if job_id in self.jobs:
            dying = self.jobs[job_id]["state"] == "deleting"
            raise refused("create job", job_id, 409, "JobBeingDeleted" if dying else "JobExists")
        job = JOB_DEFAULTS | copy.deepcopy(body) | {"state": "active"}
        job["executionInfo"] = {"startTime": utc_text(self.now()), "poolId": job["poolInfo"].get("poolId", "")}
        self.jobs[job_id] = self._stamped(job, created=True)
        self.tasks.setdefault(job_id, {})
        if "jobManagerTask" in job:
            self._add(job_id, copy.deepcopy(job["jobManagerTask"]))
        self._leave("create_job")

    async def update_job(self, job_id: str, patch: JsonObject, *, if_match: str | None = None) -> None:
        await self._enter("update_job", job_id, write=True)
        job = self._open_job("update job", job_id)
        _check_etag(job, if_match, "update job", job_id)
        self._stamped(job | copy.deepcopy(patch), into=job)
        self._end_job_if_done(job_id)
        self._leave("update_job")

    async def delete_job(self, job_id: str) -> bool:
        await self._enter("delete_job", job_id, write=True)
        there = job_id in self.jobs
        if there and not self._dies_slowly("job", job_id, self.jobs[job_id]):
            del self.jobs[job_id]
        self.tasks.pop(job_id, None)
        self.preparations.pop(job_id, None)
        self._leave("delete_job")
        return there

    async def list_preparations(self, job_id: str, *, filter: str = "") -> AsyncIterator[JsonObject]:
        await self._enter("list_preparations", job_id, write=False)
        for status in self.preparations.get(job_id, []):
            if matches(status, filter):
                yield copy.deepcopy(status)

    # job schedules

    async def get_schedule(self, schedule_id: str) -> JsonObject | None:
        await self._enter("get_schedule", schedule_id, write=False)
        self._tick("schedule", schedule_id)
        return copy.deepcopy(self.schedules.get(schedule_id))

    async def list_schedules(self, *, select: str = "") -> AsyncIterator[JsonObject]:
        await self._enter("list_schedules", "", write=False)
        for _, schedule in sorted(self.schedules.items()):
            yield selected(copy.deepcopy(schedule), select)

    async def create_schedule(self, body: JsonObject) -> None:
        schedule_id = str(body["id"])
        await self._enter("create_schedule", schedule_id, write=True)
        if schedule_id in self.schedules:
            dying = self.schedules[schedule_id]["state"] == "deleting"
            code = "JobScheduleBeingDeleted" if dying else "JobScheduleExists"
            raise refused("create job schedule", schedule_id, 409, code)
        schedule = copy.deepcopy(body) | {"state": "active", "executionInfo": {}}
        self.schedules[schedule_id] = self._stamped(schedule, created=True)
        self._leave("create_schedule")

    async def update_schedule(self, schedule_id: str, patch: JsonObject, *, if_match: str | None = None) -> None:
        await self._enter("update_schedule", schedule_id, write=True)
        if schedule_id not in self.schedules:
            raise refused("update job schedule", schedule_id, 404, "JobScheduleNotFound")
        schedule = self.schedules[schedule_id]
        if schedule["state"] == "completed":
            raise refused("update job schedule", schedule_id, 409, "JobScheduleCompleted")
        _check_etag(schedule, if_match, "update job schedule", schedule_id)
        self._stamped(schedule | copy.deepcopy(patch), into=schedule)
        self._leave("update_schedule")

    async def delete_schedule(self, schedule_id: str) -> bool:
        await self._enter("delete_schedule", schedule_id, write=True)
        there = schedule_id in self.schedules
        if there and not self._dies_slowly("schedule", schedule_id, self.schedules[schedule_id]):
            del self.schedules[schedule_id]
        for job_id in [one for one in self.jobs if one.startswith(f"{schedule_id}:")]:
            del self.jobs[job_id]
            self.tasks.pop(job_id, None)
        self._leave("delete_schedule")
        return there

    async def list_jobs_of_schedule(self, schedule_id: str, *, select: str = "") -> AsyncIterator[JsonObject]:
        await self._enter("list_jobs_of_schedule", schedule_id, write=False)
        for job_id, job in sorted(self.jobs.items()):
            if job_id.startswith(f"{schedule_id}:"):
                yield selected(copy.deepcopy(job), select)

    def begin_job(self, schedule_id: str) -> str:
        """What time does: the schedule makes its next job, whose id this is."""
        schedule = self.schedules[schedule_id]
        job_id = f"{schedule_id}:job-{1 + sum(one.startswith(f'{schedule_id}:') for one in self.jobs)}"
        job = JOB_DEFAULTS | copy.deepcopy(schedule["jobSpecification"]) | {"id": job_id, "state": "active"}
        job["executionInfo"] = {"startTime": utc_text(self.now()), "poolId": job["poolInfo"].get("poolId", "auto")}
        self.jobs[job_id] = self._stamped(job, created=True)
        self.tasks.setdefault(job_id, {})
        schedule["executionInfo"]["recentJob"] = {"id": job_id, "url": f"https://account/jobs/{job_id}"}
        return job_id

    async def task_counts(self, job_id: str) -> JsonObject | None:
        await self._enter("task_counts", job_id, write=False)
        if job_id not in self.jobs:
            return None
        tasks = list(self.tasks.get(job_id, {}).values())
        counts = {state: sum(task["state"] == state for task in tasks) for state in ("active", "running", "completed")}
        failed = sum(task["executionInfo"].get("result") == "failure" for task in tasks)
        all_counts = counts | {"succeeded": counts["completed"] - failed, "failed": failed}
        return {"taskCounts": dict(all_counts), "taskSlotCounts": dict(all_counts)}

    # tasks

    async def list_tasks(self, job_id: str, *, filter: str = "", select: str = "") -> AsyncIterator[JsonObject]:
        await self._enter("list_tasks", job_id, write=False)
        for _, task in sorted(self.tasks.get(job_id, {}).items()):
            if matches(task, filter):
                yield selected(copy.deepcopy(task), select)

    async def get_task(self, job_id: str, task_id: str) -> JsonObject | None:
        await self._enter("get_task", f"{job_id}/{task_id}", write=False)
        return copy.deepcopy(self.tasks.get(job_id, {}).get(task_id))

    async def add_tasks(self, job_id: str, bodies: Sequence[JsonObject]) -> list[Added]:
        await self._enter("add_tasks", job_id, write=True)
        at_most(bodies, 100, "add tasks to job", job_id)
        self._open_job("add tasks to job", job_id)
        results = [self._add(job_id, copy.deepcopy(body)) for body in bodies]
        self._end_job_if_done(job_id)
        self._leave("add_tasks")
        return results

    async def update_task(self, job_id: str, task_id: str, body: JsonObject) -> None:
        await self._enter("update_task", f"{job_id}/{task_id}", write=True)
        task = self._task("update task", job_id, task_id)
        if task["state"] == "completed":
            raise refused("update task", f"{job_id}/{task_id}", 409, "TaskCompleted")
        self._stamped(task | {"constraints": body.get("constraints", TASK_DEFAULTS["constraints"])}, into=task)
        self._leave("update_task")

    async def delete_task(self, job_id: str, task_id: str) -> bool:
        await self._enter("delete_task", f"{job_id}/{task_id}", write=True)
        there = self.tasks.get(job_id, {}).pop(task_id, None) is not None
        self._leave("delete_task")
        return there

    async def reactivate_task(self, job_id: str, task_id: str) -> None:
        await self._enter("reactivate_task", f"{job_id}/{task_id}", write=True)
        self._open_job("reactivate task", job_id)
        task = self._task("reactivate task", job_id, task_id)
        if task["state"] != "completed":
            raise refused("reactivate task", f"{job_id}/{task_id}", 409, "TaskNotCompleted")
        if task["executionInfo"].get("result") == "success":
            raise refused("reactivate task", f"{job_id}/{task_id}", 409, "TaskSucceeded")
        again = {"state": "active", "executionInfo": {"retryCount": 0, "requeueCount": 0}}
        self._stamped(task | again, into=task)
        self._run(job_id, task)
        self._leave("reactivate_task")

    async def read_task_file(
        self, job_id: str, task_id: str, name: str, *, start: int = 0, tail: int | None = None, limit: int = 1 << 20
    ) -> TextPart | None:
        await self._enter("read_task_file", f"{job_id}/{task_id}/{name}", write=False)
        return _part(self.files.get((job_id, task_id, name)), start, tail, limit)

    async def read_node_file(
        self, pool_id: str, node_id: str, name: str, *, start: int = 0, tail: int | None = None, limit: int = 1 << 20
    ) -> TextPart | None:
        await self._enter("read_node_file", f"{pool_id}/{node_id}/{name}", write=False)
        return _part(self.node_files.get((pool_id, node_id, name)), start, tail, limit)

    def finish(self, job_id: str, task_id: str, *, exit_code: int = 0, code: str = "FailureExitCode") -> None:
        """End a task: succeeded with exit code 0, else failed with `code`."""
        task = self.tasks[job_id][task_id]
        moment = utc_text(self.now())
        info: Body = {"startTime": moment, "endTime": moment, "exitCode": exit_code, "retryCount": 0, "requeueCount": 0}
        info["result"] = "failure" if exit_code else "success"
        if exit_code:
            info["failureInfo"] = {"category": "usererror", "code": code, "message": "failed", "details": []}
        ended = {"state": "completed", "previousState": "running", "executionInfo": info, "stateTransitionTime": moment}
        self._stamped(task | ended, into=task)
        self._end_job_if_done(job_id)

    # inside

    def _pool(self, operation: str, pool_id: str) -> Body:
        if pool_id not in self.pools:
            raise refused(operation, pool_id, 404, "PoolNotFound")
        return self.pools[pool_id]

    def _open_job(self, operation: str, job_id: str) -> Body:
        if job_id not in self.jobs:
            raise refused(operation, job_id, 404, "JobNotFound")
        if self.jobs[job_id]["state"] in ("completed", "deleting"):
            code = {"completed": "JobCompleted", "deleting": "JobBeingDeleted"}[self.jobs[job_id]["state"]]
            raise refused(operation, job_id, 409, code)
        return self.jobs[job_id]

    def _task(self, operation: str, job_id: str, task_id: str) -> Body:
        if task_id not in self.tasks.get(job_id, {}):
            raise refused(operation, f"{job_id}/{task_id}", 404, "TaskNotFound")
        return self.tasks[job_id][task_id]

    def _add(self, job_id: str, body: Body) -> Added:
        tasks = self.tasks.setdefault(job_id, {})
        if body["id"] in tasks:
            return Added(body["id"], "TaskExists", "The specified task already exists.")
        info = {"retryCount": 0, "requeueCount": 0}
        task = TASK_DEFAULTS | body | {"state": "active", "executionInfo": info}
        tasks[body["id"]] = self._stamped(task, created=True)
        self._run(job_id, tasks[body["id"]])
        return Added(body["id"], "", "")

    def _run(self, job_id: str, task: Body) -> None:
        exit_code = None if self.run is None else self.run(job_id, task)
        if exit_code is not None:
            self.finish(job_id, task["id"], exit_code=exit_code)

    def _end_job_if_done(self, job_id: str) -> None:
        job = self.jobs.get(job_id)
        if job is None or job["onAllTasksComplete"] != "terminatejob" or job["state"] != "active":
            return
        if all(task["state"] == "completed" for task in self.tasks.get(job_id, {}).values()):
            job["state"] = "completed"
            job["executionInfo"] |= {"endTime": utc_text(self.now()), "terminateReason": "AllTasksComplete"}

    def _fill(self, pool_id: str) -> None:
        pool = self.pools[pool_id]
        nodes = self.nodes.setdefault(pool_id, [])
        for suffix, key in (("d", "targetDedicatedNodes"), ("p", "targetLowPriorityNodes")):
            mine = [node for node in nodes if node["id"].endswith(f"_{suffix}")]
            for surplus in mine[pool[key] :]:
                nodes.remove(surplus)
            for number in range(len(mine), pool[key] if self.grow else 0):
                node = {"id": f"tvmps_{pool_id}{number}_{suffix}", "isDedicated": suffix == "d"}
                nodes.append(node | self._booted(pool_id))
        self._count_nodes(pool_id)

    def _count_nodes(self, pool_id: str) -> None:
        nodes = self.nodes.get(pool_id, [])
        dedicated = sum(bool(node["isDedicated"]) for node in nodes)
        self.pools[pool_id] |= {"currentDedicatedNodes": dedicated, "currentLowPriorityNodes": len(nodes) - dedicated}

    def _booted(self, pool_id: str) -> Body:
        moment = utc_text(self.now())
        node: Body = {"state": "idle", "lastBootTime": moment, "stateTransitionTime": moment}
        if "startTask" in self.pools.get(pool_id, {}):
            node["startTaskInfo"] = {"state": "completed", "startTime": moment, "exitCode": 0, "result": "success"}
        return node

    def _stamped(self, body: Body, *, created: bool = False, into: Body | None = None) -> Body:
        moment = utc_text(self.now())
        stamp: Body = {"eTag": self._etag().strip('"'), "lastModified": moment}
        if created:
            stamp |= {"creationTime": moment, "stateTransitionTime": moment}
        stamped = body | stamp
        if into is not None:
            into.update(stamped)
        return stamped

    def _dies_slowly(self, kind: str, name: str, body: Body) -> bool:
        if not self.slow_deletes:
            return False
        body["state"] = "deleting"
        self._dying.setdefault((kind, name), self.slow_deletes)
        return True

    def _tick(self, kind: str, name: str) -> None:
        left = self._dying.get((kind, name))
        if left == 0:
            {"pool": self.pools, "job": self.jobs, "schedule": self.schedules}[kind].pop(name, None)
            del self._dying[kind, name]
        elif left is not None:
            self._dying[kind, name] = left - 1


def _check_etag(body: Body, if_match: str | None, operation: str, resource: str) -> None:
    if if_match is not None and if_match.strip('"') != body["eTag"]:
        raise refused(operation, resource, 412, "ConditionNotMet")


def _counted(nodes: Sequence[Body]) -> dict[str, Any]:
    counts: dict[str, Any] = dict.fromkeys(NODE_STATES, 0)
    words = {word.lower(): word for word in NODE_STATES}
    for node in nodes:
        word = words.get(str(node["state"]), str(node["state"]))
        counts[word] = counts.get(word, 0) + 1
    return counts | {"total": len(nodes)}


def _part(content: bytes | None, start: int, tail: int | None, limit: int) -> TextPart | None:
    if content is None:
        return None
    size = len(content)
    first = max(0, size - tail) if tail is not None else min(start, size)
    piece = content[first : first + limit]
    return TextPart(text=piece.decode("utf-8", "replace"), start=first, end=first + len(piece), size=size)
