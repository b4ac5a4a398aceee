"""A fitting value for every property of the SDK's models, and the SDK's own JSON of it.

The values are written as in a spec (snake_case, plain data). What a model needs beside a property, or excludes, is
listed here, once; everything else follows from the declared types.
"""

import datetime
import enum
import json
import typing
from collections.abc import Iterator, Mapping
from typing import Any

from azure.batch._utils.model_base import SdkJSONEncoder

from batchspec.spec.durations import duration
from tests.schemas.reflected import hints, is_model, is_optional, model, plain

Data = dict[str, Any]
Way = tuple[tuple[type, str], ...]  # models, each with the property that leads on

_IMAGE = {"publisher": "canonical", "offer": "ubuntu-24_04-lts", "sku": "server"}
_MACHINE = {"image_reference": _IMAGE, "node_agent_sku_id": "batch.node.ubuntu 24.04"}
_CONTAINERS = {**_MACHINE, "container_configuration": {"type": "dockerCompatible"}}
_ZONAL = {**_MACHINE, "node_placement_configuration": {"policy": "zonal"}}
_POOL = {"vm_size": "standard_d2s_v3", "virtual_machine_configuration": _MACHINE, "target_dedicated_nodes": 1}
_SCALED: Data = {key: value for key, value in _POOL.items() if key != "target_dedicated_nodes"} | {
    "enable_auto_scale": True,
    "auto_scale_formula": "$TargetDedicatedNodes = 1;",
}
_USERS = {"user_accounts": [{"name": name, "password": "{{ vars.word }}"} for name in ("u", "username-text")]}
_POOLS = ("BatchPoolCreateOptions", "BatchPoolSpecification")
_GALLERY = "/subscriptions/s/resourceGroups/r/providers/Microsoft.Compute/galleries/g/images/i"
_NAT = {"name": "ssh", "protocol": "tcp", "backend_port": 22}
_PREPARED = {"job_preparation_task": {"command_line": "prepare"}}
_SCALE_WORDS = ("enable_auto_scale", "auto_scale_formula", "auto_scale_evaluation_interval")

# What stands beside a property: a whole base for a model, or for one property of it.
BASES: dict[tuple[str, str], Data] = {
    ("BatchPoolCreateOptions", ""): _POOL,
    ("BatchPoolSpecification", ""): _POOL,
    **{(name, word): _SCALED for name in _POOLS for word in _SCALE_WORDS},
    **{(name, "start_task"): {**_POOL, **_USERS, "virtual_machine_configuration": _CONTAINERS} for name in _POOLS},
    **{(name, "upgrade_policy"): {**_POOL, "virtual_machine_configuration": _ZONAL} for name in _POOLS},
    ("SecurityProfile", "uefi_settings"): {"security_type": "trustedLaunch"},
    ("VirtualMachineConfiguration", ""): _MACHINE,
    ("BatchVmImageReference", ""): _IMAGE,
    ("BatchVmImageReference", "virtual_machine_image_id"): {},
    ("BatchVmImageReference", "shared_gallery_image_id"): {},
    ("BatchVmImageReference", "community_gallery_image_id"): {},
    ("BatchInboundNatPool", ""): {**_NAT, "frontend_port_range_start": 15000, "frontend_port_range_end": 15100},
    ("BatchTaskCreateOptions", ""): {"id": "one", "command_line": "run"},
    ("BatchJobCreateOptions", ""): {"id": "job"},
    ("BatchJobCreateOptions", "job_release_task"): {"id": "job", **_PREPARED},
    ("BatchJobSpecification", "job_release_task"): {"pool_info": {"pool_id": "p"}, **_PREPARED},
    ("ResourceFile", ""): {"http_url": "https://example.com/x", "file_path": "x"},
    ("ResourceFile", "storage_container_url"): {},
    ("ResourceFile", "auto_storage_container_name"): {},
    ("ResourceFile", "blob_prefix"): {"storage_container_url": "https://x.blob.core.windows.net/c"},
    ("MountConfiguration", ""): {"nfs_mount_configuration": {"source": "s", "relative_mount_path": "m"}},
    **{("MountConfiguration", word): {} for word in hints(model("MountConfiguration"))},
    ("UserIdentity", ""): {"username": "u"},
    ("UserIdentity", "auto_user"): {},
    ("BatchPoolInfo", ""): {"pool_id": "p"},
    ("BatchPoolInfo", "auto_pool_specification"): {},
    ("LinuxUserConfiguration", "uid"): {"gid": 5000},
    ("LinuxUserConfiguration", "gid"): {"uid": 5000},
    ("ContainerRegistryReference", "username"): {"password": "{{ vars.word }}"},
    ("ContainerRegistryReference", "password"): {"username": "u"},
    ("BatchNodeIdentityReference", ""): {},
    ("BatchAutoPoolSpecification", ""): {"pool_lifetime_option": "job", "pool": _POOL},
    ("RollingUpgradePolicy", "max_batch_instance_percent"): {"max_unhealthy_instance_percent": 20},
    ("AutomaticOsUpgradePolicy", "use_rolling_upgrade_policy"): {"enable_automatic_os_upgrade": True},
    ("RollingUpgradePolicy", "enable_cross_zone_upgrade"): {},
    ("AzureBlobFileSystemConfiguration", ""): {
        "account_name": "a",
        "container_name": "c",
        "relative_mount_path": "m",
        "account_key": "{{ vars.word }}",
    },
    **{
        ("AzureBlobFileSystemConfiguration", word): {
            "account_name": "a",
            "container_name": "c",
            "relative_mount_path": "m",
        }
        for word in ("account_key", "sas_key", "identity_reference")
    },
}

# Values that a type alone does not tell.
VALUES: dict[tuple[str, str], Any] = {
    **dict.fromkeys((("UserAccount", "password"),), "{{ vars.word }}"),
    **{("", word): "{{ vars.word }}" for word in ("password", "account_key", "sas_key", "ssh_private_key")},
    **{("", word): _GALLERY for word in ("virtual_machine_image_id", "shared_gallery_image_id")},
    ("", "community_gallery_image_id"): _GALLERY,
    ("", "ip_families"): ["IPv4"],
    ("", "http_url"): "https://example.com/x",
    ("", "key_url"): "https://mine.vault.azure.net/keys/disks/1",
    ("SecurityProfile", "security_type"): "trustedLaunch",
    ("", "priority"): 200,
    ("", "source_port_ranges"): ["22"],
    ("", "source_address_prefix"): "10.0.0.0/8",
    ("", "frontend_port_range_start"): 15000,
    ("", "frontend_port_range_end"): 15100,
    ("", "max_wall_clock_time"): "PT10M",
    ("", "auto_scale_formula"): "$TargetDedicatedNodes = 2;",
    ("", "enable_auto_scale"): True,
    ("", "uses_task_dependencies"): True,
    ("", "metadata"): [{"name": "n", "value": "v"}],
    ("", "file_mode"): "0755",
    ("", "license_type"): "Windows_Server",
    ("", "container_image_names"): ["busybox"],
    ("", "azure_file_url"): "https://a.file.core.windows.net/share",
    ("", "required_slots"): 1,
    ("", "auto_pool_id_prefix"): "prefix",
    ("", "max_batch_instance_percent"): 20,
    ("", "max_unhealthy_instance_percent"): 20,
    ("", "max_unhealthy_upgraded_instance_percent"): 20,
}


def value(model: type, word: str) -> Any:
    """A fitting value of a property, as a spec has it."""
    for owner in (model.__name__, ""):
        if (owner, word) in VALUES:
            return VALUES[owner, word]
    return _of(plain(hints(model)[word]), word)


def _of(kind: Any, word: str) -> Any:
    if typing.get_origin(kind) is list:
        return [_of(plain(typing.get_args(kind)[0]), word)]
    if typing.get_origin(kind) is dict:
        return {"fileUris": "a", "snake_case": "b"}
    if is_model(kind):
        return base(kind)
    if issubclass(kind, enum.Enum):
        return list(kind)[-1].value
    simple: dict[type, Any] = {
        bool: True,
        int: 3,
        str: f"{word}-text",
        datetime.timedelta: "PT10M",
        datetime.datetime: "2027-01-31T06:00:00Z",
    }
    return simple[kind]


def base(model: type, word: str = "") -> Data:
    """What must stand in a model, beside a property."""
    for key in ((model.__name__, word), (model.__name__, "")):
        if key in BASES:
            return dict(BASES[key])
    return {name: value(model, name) for name, hint in hints(model).items() if not is_optional(hint)}


def places(top: type) -> dict[str, Way]:
    """For each model that `top` can hold the shortest way to it: models and the properties that lead on."""
    found: dict[str, Way] = {top.__name__: ()}
    pending = [top]
    while pending:
        owner = pending.pop(0)
        for word, hint in hints(owner).items():
            inner = _model_in(plain(hint))
            if inner is not None and inner.__name__ not in found:
                found[inner.__name__] = (*found[owner.__name__], (owner, word))
                pending.append(inner)
    return found


def ways(top: type, name: str) -> Iterator[Way]:
    """A way to a model for each property of the models below `top` that can hold it."""
    found = places(top)
    if name == top.__name__:
        yield ()
    for outer, way in found.items():
        for word, hint in hints(model(outer)).items():
            if getattr(_model_in(plain(hint)), "__name__", "") == name:
                yield (*way, (model(outer), word))


def _model_in(kind: Any) -> type | None:
    inner = plain(typing.get_args(kind)[0]) if typing.get_origin(kind) is list else kind
    return inner if is_model(inner) else None


def whole(way: Way, owner: type, word: str) -> Data:
    """The data of the top model that holds `owner` at the end of the way, with a fitting value of its property."""
    made = {**base(owner, word), word: value(owner, word)}
    for outer, step in reversed(way):
        listed = typing.get_origin(plain(hints(outer)[step])) is list
        made = {**base(outer, step), step: [made] if listed else made}
    return made


def sent(model: type, data: Mapping[str, Any]) -> Any:
    """The JSON that the SDK sends for this data."""
    return json.loads(json.dumps(_made(model, data), cls=SdkJSONEncoder, exclude_readonly=True))


def _made(kind: Any, data: Any) -> Any:
    kind = plain(kind)
    if typing.get_origin(kind) is list:
        return [_made(typing.get_args(kind)[0], item) for item in data]
    if is_model(kind):
        declared = hints(kind)
        return kind(**{word: _made(declared[word], inner) for word, inner in data.items()})
    if kind is datetime.timedelta:
        return duration(data)
    return datetime.datetime.fromisoformat(data) if kind is datetime.datetime else data


def differences(wanted: Any, seen: Any, path: str = "") -> Iterator[str]:
    """Where what the SDK sends is not in what we send; we may send more."""
    if isinstance(wanted, dict) and isinstance(seen, dict):
        for name, inner in wanted.items():
            if name not in seen:
                yield f"{path}.{name} is missing"
            else:
                yield from differences(inner, seen[name], f"{path}.{name}")
    elif isinstance(wanted, list) and isinstance(seen, list):
        if len(seen) < len(wanted):
            yield f"{path} is shorter"
        for index, (one, other) in enumerate(zip(wanted, seen, strict=False)):
            yield from differences(one, other, f"{path}[{index}]")
    elif wanted != seen and not _same_duration(wanted, seen):
        yield f"{path} is {seen!r}, not {wanted!r}"


def _same_duration(one: Any, other: Any) -> bool:
    texts = isinstance(one, str) and isinstance(other, str) and one.startswith("P") and other.startswith("P")
    try:
        return texts and duration(one) == duration(other)
    except ValueError:
        return False


__all__ = ["Data", "Way", "base", "differences", "hints", "model", "places", "sent", "value", "ways", "whole"]
