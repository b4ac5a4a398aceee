"""The route table: operation, method, path, what handles it, success status, shape of the body.

Place: built once by `server.py`. A line is an operation of the REST API under its SDK name; what is not here does not
exist at this endpoint. `{path:path}` takes a file's path both as one percent-encoded segment and as several.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from batchspec.engine.account_api import AccountApi
from batchspec.engine.admin_api import AdminApi
from batchspec.engine.call import Handler
from batchspec.engine.certificate_api import CertificateApi
from batchspec.engine.file_api import FileApi
from batchspec.engine.job_api import JobApi
from batchspec.engine.node_access_api import NodeAccessApi
from batchspec.engine.node_api import NodeApi
from batchspec.engine.pool_api import PoolApi
from batchspec.engine.scaling_api import ScalingApi
from batchspec.engine.schedule_api import ScheduleApi
from batchspec.engine.task_api import TaskApi


@dataclass(frozen=True, slots=True)
class Line:
    """One operation; without `strict`, unknown properties of the body are ignored (a PUT takes whole resources)."""

    name: str
    method: str
    path: str
    handler: Handler
    status: int
    shape: str | None = None
    strict: bool = True


@dataclass(frozen=True, slots=True)
class Apis:
    """All handlers of the engine."""

    account: AccountApi
    pools: PoolApi
    scaling: ScalingApi
    nodes: NodeApi
    access: NodeAccessApi
    certificates: CertificateApi
    jobs: JobApi
    schedules: ScheduleApi
    tasks: TaskApi
    task_files: FileApi
    node_files: FileApi


_POOL = "/pools/{pool}"
_NODE = "/pools/{pool}/nodes/{node}"
_CERTIFICATE = "/certificates(thumbprintAlgorithm={algorithm},thumbprint={thumbprint})"
_JOB = "/jobs/{job}"
_SCHEDULE = "/jobschedules/{schedule}"
_TASK = "/jobs/{job}/tasks/{task}"


def lines(apis: Apis) -> Sequence[Line]:
    """Every operation, in the order in which paths are matched."""
    jobs = (*_jobs(apis.jobs), *_schedules(apis.schedules), *_tasks(apis))
    return (*_account(apis), *_pools(apis.pools), *_scaling(apis.scaling), *_nodes(apis), *jobs)


def admin_lines(api: AdminApi) -> Sequence[Line]:
    """The engine's own operations, outside of the service's paths."""
    faults, quotas = "/.batchspec/faults", "/.batchspec/quotas"
    return (
        Line("list_faults", "GET", faults, api.faults, 200),
        Line("add_fault", "POST", faults, api.add_fault, 201, "EngineFault"),
        Line("reset_faults", "DELETE", faults, api.reset_faults, 200),
        Line("reset_fault", "DELETE", f"{faults}/{{fault}}", api.reset_fault, 200),
        Line("change_quotas", "PATCH", quotas, api.change_quotas, 200, "EngineQuotas"),
        Line("preempt_nodes", "POST", "/.batchspec/preempt", api.preempt, 200, "EnginePreemption"),
    )


def _account(apis: Apis) -> tuple[Line, ...]:
    return (
        Line("list_supported_images", "GET", "/supportedimages", apis.account.supported_images, 200),
        Line("list_pool_node_counts", "GET", "/nodecounts", apis.pools.node_counts, 200),
        Line("list_applications", "GET", "/applications", apis.account.applications, 200),
        Line("get_application", "GET", "/applications/{application}", apis.account.application, 200),
        Line("list_pool_usage_metrics", "GET", "/poolusagemetrics", apis.account.usage, 200),
        Line("get_all_pools_lifetime_statistics", "GET", "/lifetimepoolstats", apis.account.lifetime_statistics, 200),
        Line("get_all_jobs_lifetime_statistics", "GET", "/lifetimejobstats", apis.account.lifetime_statistics, 200),
        *_certificates(apis.certificates),
    )


def _certificates(api: CertificateApi) -> tuple[Line, ...]:
    """What api-versions until 2024-07-01.20.0 have."""
    return (
        Line("create_certificate", "POST", "/certificates", api.create, 201, "Certificate"),
        Line("list_certificates", "GET", "/certificates", api.list, 200),
        Line("get_certificate", "GET", _CERTIFICATE, api.get, 200),
        Line("delete_certificate", "DELETE", _CERTIFICATE, api.delete, 202),
        Line("cancel_certificate_deletion", "POST", f"{_CERTIFICATE}/canceldelete", api.cancel_delete, 204),
    )


def _pools(api: PoolApi) -> tuple[Line, ...]:
    return (
        Line("create_pool", "POST", "/pools", api.create, 201, "BatchPoolCreateOptions"),
        Line("list_pools", "GET", "/pools", api.list, 200),
        Line("get_pool", "GET", _POOL, api.get, 200),
        Line("pool_exists", "HEAD", _POOL, api.exists, 200),
        Line("update_pool", "PATCH", _POOL, api.update, 200, "BatchPoolUpdateOptions"),
        Line("delete_pool", "DELETE", _POOL, api.delete, 202),
        Line("resize_pool", "POST", f"{_POOL}/resize", api.resize, 202, "BatchPoolResizeOptions"),
        Line("stop_pool_resize", "POST", f"{_POOL}/stopresize", api.stop_resize, 202),
        Line(
            "replace_pool_properties",
            "POST",
            f"{_POOL}/updateproperties",
            api.replace,
            204,
            "BatchPoolReplaceOptions",
        ),
        Line("remove_nodes", "POST", f"{_POOL}/removenodes", api.remove_nodes, 202, "BatchNodeRemoveOptions"),
    )


def _scaling(api: ScalingApi) -> tuple[Line, ...]:
    on, tried = "BatchPoolEnableAutoScaleOptions", "BatchPoolEvaluateAutoScaleOptions"
    return (
        Line("enable_pool_auto_scale", "POST", f"{_POOL}/enableautoscale", api.enable, 200, on),
        Line("disable_pool_auto_scale", "POST", f"{_POOL}/disableautoscale", api.disable, 200),
        Line("evaluate_pool_auto_scale", "POST", f"{_POOL}/evaluateautoscale", api.evaluate, 200, tried),
    )


def _nodes(apis: Apis) -> tuple[Line, ...]:
    api, files = apis.nodes, apis.node_files
    off, reboot, reimage = "BatchNodeDisableSchedulingOptions", "BatchNodeRebootOptions", "BatchNodeReimageOptions"
    return (
        Line("list_nodes", "GET", f"{_POOL}/nodes", api.list, 200),
        Line("get_node", "GET", _NODE, api.get, 200),
        Line("reboot_node", "POST", f"{_NODE}/reboot", api.reboot, 202, reboot),
        Line("reimage_node", "POST", f"{_NODE}/reimage", api.reimage, 202, reimage),
        Line("disable_node_scheduling", "POST", f"{_NODE}/disablescheduling", api.disable_scheduling, 200, off),
        Line("enable_node_scheduling", "POST", f"{_NODE}/enablescheduling", api.enable_scheduling, 200),
        Line("start_node", "POST", f"{_NODE}/start", api.start, 202),
        Line("deallocate_node", "POST", f"{_NODE}/deallocate", api.deallocate, 202, "BatchNodeDeallocateOptions"),
        *_node_access(apis.access),
        *_files("node", f"{_NODE}/files", files),
    )


def _node_access(api: NodeAccessApi) -> tuple[Line, ...]:
    users, logs = f"{_NODE}/users", f"{_NODE}/uploadbatchservicelogs"
    return (
        Line("create_node_user", "POST", users, api.add_user, 201, "BatchNodeUserCreateOptions"),
        Line("replace_node_user", "PUT", f"{users}/{{user}}", api.replace_user, 200, "BatchNodeUserReplaceOptions"),
        Line("delete_node_user", "DELETE", f"{users}/{{user}}", api.delete_user, 200),
        Line("get_node_remote_login_settings", "GET", f"{_NODE}/remoteloginsettings", api.remote_login, 200),
        Line("get_remote_desktop", "GET", f"{_NODE}/rdp", api.remote_desktop, 200),
        Line("list_node_extensions", "GET", f"{_NODE}/extensions", api.extensions, 200),
        Line("get_node_extension", "GET", f"{_NODE}/extensions/{{extension}}", api.extension, 200),
        Line("upload_node_logs", "POST", logs, api.upload_logs, 200, "UploadBatchServiceLogsOptions"),
    )


def _jobs(api: JobApi) -> tuple[Line, ...]:
    update = "BatchJobUpdateOptions"
    return (
        Line("create_job", "POST", "/jobs", api.create, 201, "BatchJobCreateOptions"),
        Line("list_jobs", "GET", "/jobs", api.list, 200),
        Line("get_job", "GET", _JOB, api.get, 200),
        Line("update_job", "PATCH", _JOB, api.update, 200, update),
        Line("replace_job", "PUT", _JOB, api.replace, 200, update, strict=False),
        Line("delete_job", "DELETE", _JOB, api.delete, 202),
        Line("terminate_job", "POST", f"{_JOB}/terminate", api.terminate, 202, "BatchJobTerminateOptions"),
        Line("disable_job", "POST", f"{_JOB}/disable", api.disable, 202, "BatchJobDisableOptions"),
        Line("enable_job", "POST", f"{_JOB}/enable", api.enable, 202),
        Line("get_job_task_counts", "GET", f"{_JOB}/taskcounts", api.task_counts, 200),
        Line(
            "list_job_preparation_and_release_task_status",
            "GET",
            f"{_JOB}/jobpreparationandreleasetaskstatus",
            api.preparation_status,
            200,
        ),
    )


def _schedules(api: ScheduleApi) -> tuple[Line, ...]:
    update = "BatchJobScheduleUpdateOptions"
    return (
        Line("create_job_schedule", "POST", "/jobschedules", api.create, 201, "BatchJobScheduleCreateOptions"),
        Line("list_job_schedules", "GET", "/jobschedules", api.list, 200),
        Line("get_job_schedule", "GET", _SCHEDULE, api.get, 200),
        Line("job_schedule_exists", "HEAD", _SCHEDULE, api.exists, 200),
        Line("update_job_schedule", "PATCH", _SCHEDULE, api.update, 200, update),
        Line("replace_job_schedule", "PUT", _SCHEDULE, api.replace, 200, update, strict=False),
        Line("delete_job_schedule", "DELETE", _SCHEDULE, api.delete, 202),
        Line("terminate_job_schedule", "POST", f"{_SCHEDULE}/terminate", api.terminate, 202),
        Line("enable_job_schedule", "POST", f"{_SCHEDULE}/enable", api.enable, 204),
        Line("disable_job_schedule", "POST", f"{_SCHEDULE}/disable", api.disable, 204),
        Line("list_jobs_from_schedule", "GET", f"{_SCHEDULE}/jobs", api.jobs, 200),
    )


def _tasks(apis: Apis) -> tuple[Line, ...]:
    api = apis.tasks
    return (
        Line("create_task", "POST", f"{_JOB}/tasks", api.create, 201, "BatchTaskCreateOptions"),
        Line("list_tasks", "GET", f"{_JOB}/tasks", api.list, 200),
        Line(
            "create_task_collection",
            "POST",
            f"{_JOB}/addtaskcollection",
            api.create_collection,
            200,
            "BatchTaskGroup",
        ),
        Line("get_task", "GET", _TASK, api.get, 200),
        Line("replace_task", "PUT", _TASK, api.replace, 200, "TaskUpdate", strict=False),
        Line("delete_task", "DELETE", _TASK, api.delete, 200),
        Line("list_subtasks", "GET", f"{_TASK}/subtasksinfo", api.subtasks, 200),
        Line("terminate_task", "POST", f"{_TASK}/terminate", api.terminate, 204),
        Line("reactivate_task", "POST", f"{_TASK}/reactivate", api.reactivate, 204),
        *_files("task", f"{_TASK}/files", apis.task_files),
    )


def _files(scope: str, path: str, api: FileApi) -> tuple[Line, ...]:
    one = f"{path}/{{path:path}}"
    return (
        Line(f"list_{scope}_files", "GET", path, api.list, 200),
        Line(f"download_{scope}_file", "GET", one, api.read, 200),
        Line(f"get_{scope}_file_properties", "HEAD", one, api.properties, 200),
        Line(f"delete_{scope}_file", "DELETE", one, api.delete, 200),
    )
