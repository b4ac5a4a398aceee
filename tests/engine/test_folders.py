"""Where jobs and tasks are on a node."""

from pathlib import Path

import pytest

from batchspec.engine.folders import job_path, job_remains, task_folder


@pytest.mark.parametrize(
    ("job_id", "path", "remains"),
    [
        ("job", "workitems/job/job-1", "workitems/job"),
        ("schedule:job-7", "workitems/schedule/job-7", "workitems/schedule/job-7"),
    ],
)
def test_a_job_has_its_folder_below_its_own_name_or_its_schedules(job_id: str, path: str, remains: str) -> None:
    assert job_path(job_id) == path
    assert job_remains(job_id) == remains
    assert task_folder(Path("/n"), job_id, "t") == Path(f"/n/{path}/t")
