"""The pool, the job and the schedule as wholes: what they need, and what contradicts itself.

Place in the pipeline: called by `rules`. In: data. Out: Findings. Limits are those of the REST reference of
Pool - Add, Job - Add and Job Schedule - Add (api-version 2025-06-01).
"""

from collections.abc import Iterator

from batchspec.spec.checks.tree import Part, is_true, job_of, pools
from batchspec.spec.document import Finding, shown
from batchspec.spec.words import LONGEST_PREFIX, has_template

_POOL_BY_REFERENCE = ("id", "existing", "os", "identity")
_BY_REFERENCE = ("id", "existing")
_TARGETS = ("target_dedicated_nodes", "target_low_priority_nodes")


def existing(spec: Part) -> Iterator[Finding]:
    """What is used and not owned cannot be described."""
    for word, allowed in (("pool", _POOL_BY_REFERENCE), ("job", _BY_REFERENCE), ("schedule", _BY_REFERENCE)):
        part = spec.part(word)
        if is_true(part.data.get("existing")):
            for name in part.data:
                if name not in allowed:
                    message = f"cannot be set: the {word} is `existing`, so it is used as it is; remove one of the two"
                    yield Finding((*part.at, name), message, on_key=True)


def pool(spec: Part) -> Iterator[Finding]:
    """What a pool of our own must have."""
    part = spec.part("pool")
    if not isinstance(spec.data.get("pool"), dict) or part.data.get("existing", False) is not False:
        return
    if "vm_size" not in part.data:
        message = "missing; say the size of the nodes, such as standard_d2s_v3"
        yield Finding(("pool", "vm_size"), message)
    machine = part.part("virtual_machine_configuration")
    if "image" in part.data and "image_reference" in machine.data:
        at = (*machine.at, "image_reference")
        yield Finding(at, "`image` says this already; remove one of the two", on_key=True)
    elif "image" not in part.data and "image_reference" not in machine.data and not _is_unclear(part):
        message = "missing; for example {publisher: canonical, offer: ubuntu-24_04-lts, sku: server}"
        yield Finding(("pool", "image"), message)


def _is_unclear(part: Part) -> bool:
    """Whether something else than a mapping stands for the machine: a template, or what the schema tells."""
    return not isinstance(part.data.get("virtual_machine_configuration", {}), dict)


def identity(spec: Part) -> Iterator[Finding]:
    """Azure Batch's own API makes no pool with an identity, so that only an existing one can have it."""
    part = spec.part("pool")
    if "identity" in part.data and part.data.get("existing", False) is False:
        message = (
            "goes only with `existing: true`: a pool with an identity is made with Azure Resource Manager "
            "(az, Bicep, Terraform)"
        )
        yield Finding((*part.at, "identity"), message, on_key=True)


def lifetime(spec: Part) -> Iterator[Finding]:
    """What comes and goes with a job is described where the job is, and nobody names it."""
    part = spec.part("pool")
    if "lifetime" not in part.data:
        if "keep_alive" in part.data:
            message = "goes only with `lifetime`; a pool without one stays until `batchspec delete`"
            yield Finding((*part.at, "keep_alive"), message, on_key=True)
        return
    at = (*part.at, "lifetime")
    if "imported" in part.data:
        yield Finding((*part.at, "imported"), "goes only with a pool of its own, not with `lifetime`", on_key=True)
    owner = "schedule" if "schedule" in spec.data else "job"
    if not any(word in spec.data for word in ("tasks", "job", "schedule")):
        yield Finding(at, "needs `tasks`, a `job` or a `schedule` that the pool comes and goes with", on_key=True)
    elif is_true(spec.part(owner).data.get("existing")):
        message = f"goes only with a {owner} that this spec makes; for an `existing` {owner} leave out `pool`"
        yield Finding(at, message, on_key=True)
    elif part.data["lifetime"] == "job_schedule" and owner == "job":
        yield Finding(at, "'job_schedule' goes only with a `schedule`; write 'job'")
    prefix = part.data.get("id")
    if isinstance(prefix, str) and len(prefix) > LONGEST_PREFIX and not has_template(prefix):
        message = (
            f"{shown(prefix)} has {len(prefix)} characters; with `lifetime` it is a prefix of {LONGEST_PREFIX} at most"
        )
        yield Finding((*part.at, "id"), message)


def sizes(spec: Part) -> Iterator[Finding]:
    """A pool has a fixed size or a formula."""
    for part in pools(spec):
        if "autoscale" in part.data:
            continue  # the checks by model tell what it excludes
        automatic = part.data.get("enable_auto_scale")
        if is_true(automatic):
            for word in _TARGETS:
                if word in part.data:
                    message = "with `enable_auto_scale` the formula decides the size; remove one of the two"
                    yield Finding((*part.at, word), message, on_key=True)
            if "auto_scale_formula" not in part.data:
                yield Finding((*part.at, "auto_scale_formula"), "missing; `enable_auto_scale` needs a formula")
        elif automatic in (None, False):
            for word in ("auto_scale_formula", "auto_scale_evaluation_interval"):
                if word in part.data:
                    yield Finding((*part.at, word), "needs `enable_auto_scale: true` beside it", on_key=True)


def job(spec: Part) -> Iterator[Finding]:
    """A job needs a pool, one; the jobs of a schedule too."""
    part, info = job_of(spec), job_of(spec).part("pool_info")
    if "pool_info" in part.data:
        ways = [word for word in ("pool_id", "auto_pool_specification") if word in info.data]
        if len(ways) == 2:
            message = "`pool_id` and `auto_pool_specification` exclude each other; remove one"
            yield Finding((*info.at, ways[1]), message, on_key=True)
        elif ways and "pool" in spec.data and (ways[0] != "pool_id" or "lifetime" in spec.part("pool").data):
            yield Finding((*info.at, ways[0]), "this spec has a `pool` for its job; remove one of the two", on_key=True)
        return
    wanting = next((word for word in ("schedule", "tasks", "job") if spec.data.get(word) not in (None, [])), None)
    owner = spec.part("schedule" if wanting == "schedule" else "job")
    unclear = not isinstance(owner.data.get("job_specification", {}), dict)
    if wanting and "pool" not in spec.data and not is_true(owner.data.get("existing")) and not unclear:
        message = f"missing; the {wanting} need a pool: describe one, or name one with `existing: true`"
        yield Finding(("pool",), message if wanting == "tasks" else message.replace("need a", "needs a"))


def dependencies(spec: Part) -> Iterator[Finding]:
    """`needs` is made with Batch's task dependencies, which must then be on."""
    part = spec.part("job")
    wanted = any("needs" in task.data or "depends_on" in task.data for task in spec.parts("tasks"))
    if wanted and part.data.get("uses_task_dependencies") is False:
        yield Finding(("job", "uses_task_dependencies"), "tasks here depend on others (`needs`), so this must be true")
