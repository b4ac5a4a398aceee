"""Where things are below a node's root.

Place: asked by the node's programs, the views and the file operations. In: a node's root, ids. Out: paths. Pure.

Source: "Files and directories in Azure Batch": `workitems/<job>/job-1/<task>`; the jobs of a schedule, whose ids are
`<schedule>:job-N`, are in `workitems/<schedule>/job-N/<task>`. A job's id cannot contain a colon otherwise.
"""

from pathlib import Path


def job_path(job_id: str) -> str:
    """A job's folder, relative to its node's root."""
    schedule, _, number = job_id.partition(":")
    return f"workitems/{schedule}/{number or 'job-1'}"


def job_remains(job_id: str) -> str:
    """What is removed with a job, relative to its node's root; nobody else has anything below it."""
    return job_path(job_id).removesuffix("/job-1") if ":" not in job_id else job_path(job_id)


def job_folder(root: Path, job_id: str) -> Path:
    """A job's folder below its node's root."""
    return root / job_path(job_id)


def task_folder(root: Path, job_id: str, task_id: str) -> Path:
    """A task's folder below its node's root."""
    return job_folder(root, job_id) / task_id
