"""Desired -> the object that `batchspec render` prints.

Place in the pipeline: beside `desired`; `cli` writes what it gives as YAML or JSON. In: Desired. Out: JSON whose
symbols people can read, tasks as a stream. Shows no secret, since it is given none.
"""

import itertools
from collections.abc import Iterator

from batchspec.errors import UsageError
from batchspec.render.model import Desired, DesiredJob, DesiredPool, DesiredSchedule, DesiredUpload
from batchspec.render.suggest import suggestion
from batchspec.render.symbolic import Json, display
from batchspec.render.tasks import TaskStream


def document(
    desired: Desired, *, task: str | None = None, limit: int | None = None
) -> tuple[dict[str, Json], Iterator[Json]]:
    """What `batchspec render` prints: the object without `tasks`, and the stream of tasks that belongs there.

    Symbols are shown as people read them; pool, job and tasks are else the exact bodies. `task` selects one by its id
    (UsageError when there is none), `limit` the first so many. Where a generator wants blobs that have not been listed,
    one `{for_each, template}` stands for all its tasks, with the template as it is written.
    """
    head: dict[str, Json] = {
        "containers": [
            {"name": one.name, "key": one.key, "existing": one.existing, "keep": one.keep}
            for one in desired.containers.values()
        ],
        "uploads": [_shown_upload(desired, one) for one in desired.uploads.values()],
        "pool": _shown_body(desired.pool),
        "schedule": _shown_body(desired.schedule),
        "job": _shown_body(desired.job),
    }
    return head, itertools.islice(_shown_tasks(desired, task), limit)


def _shown_upload(desired: Desired, upload: DesiredUpload) -> Json:
    container = desired.containers[upload.container].name
    files: list[Json] = [{"name": file.name, "size": file.size} for file in upload.files]
    return {"key": upload.key, "container": container, "prune": upload.prune, "files": files}


def _shown_body(part: DesiredPool | DesiredJob | DesiredSchedule | None) -> Json:
    if part is None:
        return None
    return {"id": part.id, "existing": True} if part.body is None else display(part.body)


def _shown_tasks(desired: Desired, task: str | None) -> Iterator[Json]:
    if task is None:
        whole = desired.tasks
        yield from map(display, whole.shown() if isinstance(whole, TaskStream) else (one.body for one in whole()))
        return
    stream = desired.tasks.select(task) if isinstance(desired.tasks, TaskStream) else desired.tasks()
    found = next((one for one in stream if one.id == task), None)
    if found is None:
        some = [one.id for one in itertools.islice(desired.tasks(), 1000)]
        more = "; tasks made of blobs are known only when a service has listed them" if desired.unlisted else ""
        raise UsageError(f"there is no task '{task}'{suggestion(task, some)}{more}")
    yield display(found.body)
