"""The environment variables a program on a node sees.

Place: called by the node before it starts a program. In: where things are, what runs. Out: a complete environment.
Pure but for the engine's own environment, of which only what a machine has (PATH, locale, proxy, certificates) is
passed on: a node has none of the user's secrets.

Source: "Azure Batch compute node environment variables". The service's variables cannot be overridden by a task's;
a task's override its job's.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_PASSED_ON: Final = (  # noqa: SIM905 - words read better than quotes
    "PATH LANG LANGUAGE TZ TMPDIR USER LOGNAME SHELL LD_LIBRARY_PATH SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE "
    "CURL_CA_BUNDLE PIP_INDEX_URL PIP_CONFIG_FILE HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY http_proxy https_proxy "
    "no_proxy all_proxy DEBIAN_FRONTEND"
).split()
_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# The service's threshold below which a node's disk counts as full.
_RESERVED_DISK_BYTES = "1000000"


@dataclass(frozen=True, slots=True)
class Place:
    """The node a program runs on: its root folder and what the service calls it."""

    root: Path
    account: str
    account_url: str
    pool_id: str
    node_id: str
    is_dedicated: bool


def environment(
    place: Place,
    folder: Path,
    *settings: Iterable[Mapping[str, Any]],
    job_id: str | None = None,
    task_id: str | None = None,
    more: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Everything a program in `folder` sees; later `settings` override earlier ones, `more` is the service's too."""
    result = _of_the_machine()
    result["HOME"] = str(folder / "wd")
    for group in settings:
        result.update({item["name"]: item.get("value", "") for item in group})
    result.update(_of_the_service(place, folder))
    if job_id is not None and task_id is not None:
        result["AZ_BATCH_JOB_ID"] = job_id
        result["AZ_BATCH_TASK_ID"] = task_id
    result.update(more or {})
    return result


def _of_the_machine() -> dict[str, str]:
    result = {name: value for name in _PASSED_ON if (value := os.environ.get(name)) is not None}
    result |= {name: os.environ[name] for name in os.environ if name.startswith("LC_")}
    result.setdefault("PATH", _DEFAULT_PATH)
    return result


def _of_the_service(place: Place, folder: Path) -> dict[str, str]:
    root = str(place.root)
    return {
        "AZ_BATCH_ACCOUNT_NAME": place.account,
        "AZ_BATCH_ACCOUNT_URL": f"{place.account_url}/",
        "AZ_BATCH_POOL_ID": place.pool_id,
        "AZ_BATCH_NODE_ID": place.node_id,
        "AZ_BATCH_NODE_IS_DEDICATED": "true" if place.is_dedicated else "false",
        "AZ_BATCH_NODE_ROOT_DIR": root,
        "AZ_BATCH_NODE_SHARED_DIR": f"{root}/shared",
        "AZ_BATCH_NODE_STARTUP_DIR": f"{root}/startup",
        "AZ_BATCH_NODE_MOUNTS_DIR": f"{root}/fsmounts",
        "AZ_BATCH_TASK_DIR": str(folder),
        "AZ_BATCH_TASK_WORKING_DIR": f"{folder}/wd",
        "AZ_BATCH_CERTIFICATES_DIR": f"{folder}/certs",
        "AZ_BATCH_TASK_RESERVED_EPHEMERAL_DISK_SPACE_BYTES": _RESERVED_DISK_BYTES,
    }
