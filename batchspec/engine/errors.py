"""What the service refuses, in the service's own words.

Place: raised anywhere in the engine, turned into a response at one place (`call.py`). In: a code and what was wrong.
Out: status and body. The table is the service's documented list ("Batch status and error codes"); messages that were
recorded from the real service are used as recorded.
"""

import uuid
from typing import Any

_AUTHENTICATION_FAILED = (
    "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly "
    "including the signature."
)
_CODES: dict[str, tuple[int, str]] = {
    "ConditionNotMet": (412, "The condition specified using HTTP conditional header(s) is not met."),
    "MissingRequiredHeader": (400, "A required HTTP header was not specified."),
    "MissingRequiredProperty": (400, "A required property was not specified in the request body."),
    "UnsupportedProperty": (400, "One of the properties specified in the request body is not supported."),
    "InvalidHeaderValue": (400, "The value provided for one of the HTTP headers was not in the correct format."),
    "InvalidPropertyValue": (
        400,
        "The value provided for one of the properties in the request body is invalid.",
    ),
    "MissingRequiredQueryParameter": (400, "A required query parameter was not specified for this request."),
    "UnsupportedQueryParameter": (400, "One of the query parameters specified in the request URI is not supported."),
    "InvalidQueryParameterValue": (
        400,
        "The value specified for one of the query parameters is invalid.",
    ),
    "OutOfRangeQueryParameterValue": (
        400,
        "A query parameter specified in the request URI is outside the permissible range.",
    ),
    "EmptyMetadataKey": (400, "The name of one of the metadata items in the request body is empty."),
    "InvalidRequestBody": (400, "The specified Request Body is not syntactically valid."),
    "InvalidAuthenticationInfo": (
        400,
        "The authentication information was not provided in the correct format. Verify the value of the header.",
    ),
    "MultipleConditionHeadersNotSupported": (400, "Multiple condition headers are not supported."),
    "UnsupportedRequestVersion": (400, "The api-version specified in the request is not supported."),
    "AutoScalingFormulaSyntaxError": (400, "The specified auto-scaling formula has a syntax error."),
    "AutoScalingFormulaTooLong": (400, "The specified auto-scaling formula exceeds lengths limit."),
    "InvalidAutoScalingSettings": (400, "The automatic scaling settings are not valid."),
    "TaskDependenciesNotSpecifiedOnJob": (
        400,
        "The task cannot have dependencies because the job does not have usesTaskDependencies set to true.",
    ),
    "TaskDependencyListTooLong": (400, "The list of task dependencies is too long."),
    "AuthenticationFailed": (403, _AUTHENTICATION_FAILED),
    "ResourceNotFound": (404, "The specified resource does not exist."),
    "PoolNotFound": (404, "The specified pool does not exist."),
    "NodeNotFound": (404, "The specified node does not exist."),
    "JobNotFound": (404, "The specified job does not exist."),
    "JobScheduleNotFound": (404, "The specified job schedule does not exist."),
    "TaskNotFound": (404, "The specified task does not exist."),
    "FileNotFound": (404, "The specified file does not exist."),
    "ApplicationNotFound": (404, "The specified application does not exist."),
    "NodeAgentSKUNotFound": (404, "The specified node agent SKU is invalid."),
    "NodeUserNotFound": (404, "The specified node user does not exist."),
    "CertificateNotFound": (404, "The specified certificate does not exist."),
    "UnsupportedHttpVerb": (405, "The resource doesn't support specified HTTP Verb."),
    "PoolExists": (409, "The specified pool already exists."),
    "JobExists": (409, "The specified job already exists."),
    "TaskExists": (409, "The specified task already exists."),
    "NodeUserExists": (409, "The specified node user already exists."),
    "CertificateExists": (409, "The specified certificate already exists."),
    "CertificateStateActive": (409, "The specified certificate is in the active state."),
    "OperationNotValidOnPool": (409, "The operation is not valid on the specified pool."),
    "OperationNotValidOnNode": (409, "The operation is not valid on the specified node."),
    "OperationInvalidForCurrentState": (
        409,
        "The operation is not valid for the current state of the resource.",
    ),
    "PoolBeingDeleted": (409, "The specified pool is being deleted."),
    "PoolBeingResized": (409, "The specified pool is being resized."),
    "NodeBeingCreated": (409, "The specified node is being created."),
    "NodeBeingStarted": (409, "The specified node is being started."),
    "NodeBeingRebooted": (409, "The specified node is being rebooted."),
    "NodeBeingReimaged": (409, "The specified node is being reimaged."),
    "NodeStateUnusable": (409, "The specified node is unusable."),
    "NodeAlreadyInTargetSchedulingState": (409, "The specified node is already in the target scheduling state."),
    "JobScheduleExists": (409, "The specified job schedule already exists."),
    "JobScheduleBeingTerminated": (409, "The specified job schedule is being terminated."),
    "JobScheduleBeingDeleted": (409, "The specified job schedule is being deleted."),
    "JobScheduleDisabled": (409, "The specified job schedule is disabled."),
    "JobScheduleCompleted": (409, "The specified job schedule is already in a completed state."),
    "JobWithSameIdExists": (409, "A job with the specified id already exists."),
    "JobScheduleWithSameIdExists": (409, "A job schedule with the specified id already exists."),
    "JobPreparationTaskNotSpecified": (409, "The specified job has no job preparation task."),
    "JobReleaseTaskNotSpecified": (409, "The specified job has no job release task."),
    "TaskIdSameAsJobPreparationTask": (409, "The task's id is the same as that of the job's preparation task."),
    "TaskIdSameAsJobReleaseTask": (409, "The task's id is the same as that of the job's release task."),
    "JobBeingTerminated": (409, "The specified job is being terminated."),
    "JobBeingDeleted": (409, "The specified job is being deleted."),
    "JobDisabled": (409, "The specified job is disabled."),
    "JobCompleted": (409, "The specified job is already in a completed state."),
    "JobNotActive": (409, "The specified job is not in an active state."),
    "TaskCompleted": (409, "The specified task is already in a completed state."),
    "TaskNotCompleted": (409, "The specified task is not in a completed state."),
    "TaskSucceeded": (409, "The specified task has succeeded."),
    "TaskFilesUnavailable": (409, "The task files are not available because the task has not run on a node."),
    "TaskFilesCleanedup": (409, "The task files have been cleaned up from the node."),
    "PoolQuotaReached": (409, "The pool quota for the account has been reached."),
    "InvalidApplicationPackageReferences": (409, "One or more application package references are not valid."),
    "RequestBodyTooLarge": (413, "The request body is too large and exceeds the maximum permissible limit."),
    "InvalidRange": (416, "The range specified is invalid for the current size of the resource."),
    "ActiveJobAndScheduleQuotaReached": (
        409,
        "The quota of active jobs and job schedules for the account has been reached.",
    ),
    "TooManyEnableAutoScaleRequests": (503, "Too many requests to enable auto scale on the specified pool."),
    "InternalError": (500, "Server encountered an internal error. Please retry the operation."),
}


class BatchError(Exception):
    """A request the service refuses: documented code, HTTP status, message and the `values` beside it."""

    def __init__(self, code: str, message: str | None = None, **values: str) -> None:
        self.code = code
        self.status, text = _CODES[code]
        self.message = message or text
        self.values = values
        super().__init__(f"{code}: {self.message}")


def bad_value(name: str, value: object, reason: str | None = None) -> BatchError:
    """A property of the body whose value the service does not take."""
    values = {"PropertyName": name, "PropertyValue": str(value)}
    return BatchError("InvalidPropertyValue", **values, **({"Reason": reason} if reason else {}))


def bad_query(name: str, value: str, reason: str) -> BatchError:
    """A query parameter whose value the service does not take."""
    return BatchError("InvalidQueryParameterValue", QueryParameterName=name, QueryParameterValue=value, Reason=reason)


def error_body(error: BatchError, *, base_url: str, request_id: uuid.UUID, time: str) -> dict[str, Any]:
    """The JSON body of a refusal, as recorded from the service."""
    body: dict[str, Any] = {
        "odata.metadata": f"{base_url}/$metadata#Microsoft.Azure.Batch.Protocol.Entities.Container.errors/@Element",
        "code": error.code,
        "message": {"lang": "en-US", "value": f"{error.message}\nRequestId:{request_id}\nTime:{time}"},
    }
    if error.values:
        body["values"] = [{"key": key, "value": value} for key, value in error.values.items()]
    return body
