"""What the docstrings of azure-batch's models say of limits and alternatives, sentence by sentence: for each a spec
that breaks it, or why none can.

A sentence is known by its beginning. When a new version of the SDK says something new, the test that walks the
docstrings (`tests/spec/test_documented.py`) fails until it stands here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from batchspec.spec.document import dotted
from tests.schemas.reflected import MODELS

WORD = "<the documented property>"
_PROPERTY = re.compile(r":ivar (\w+): (.*?)\n\s*:vartype", re.DOTALL)
_ADDED = re.compile(r"\s*(?:Required|Known values are: .*|Is one of .*)\.?\s*$")
_SENTENCE = re.compile(r"(?<=[.;])\s+(?=[A-Z`(])|<br\s*/><br\s*/>\s*")
_LIMIT = re.compile(
    r"(?:maximum|minimum) (?:value|length|size|of|number of [A-Za-z ]+ is \d)|at (?:most|least) \w+|between -?\d"
    r"|\bcan ?not\b|mutually|\bmust\b|up to (?:a |\d)|(?:longer|more|less|greater) than|range(?:s?| from) -?\d"
    r"|\bonly (?:be|valid|when|if|in)\b|\b(?:set|used|valid|able).* only\b|only (?:be )?(?:applies|specified)"
    r"|not supported|[Aa]llowed|[Aa]cceptable|limited to|together|not both|may not|[Vv]alid values|is required"
    r"|limits? |should (?:not )?be (?:more|less|between|specified)|\bunique (?:within|and)|distinct"
)


@dataclass(frozen=True, slots=True)
class Broken:
    """What is written in the model so that the sentence does not hold (None: left out), and the word that is told.

    `told` is a path below the model, by default the first word written. `whole` is a spec of its own, `told` then its
    path.
    """

    data: dict[str, Any] = field(default_factory=dict)
    told: str = ""
    whole: str = ""


def sentences() -> Iterator[tuple[str, str, str]]:
    """Model, property ("" for the model itself) and each sentence of its documentation that may tell a limit."""
    for name, model in MODELS.items():
        documentation = model.__doc__ or ""
        for word, text in [("", documentation.split(":ivar")[0]), *_PROPERTY.findall(documentation)]:
            for sentence in _SENTENCE.split(_ADDED.sub("", " ".join(text.split()))):
                if _LIMIT.search(sentence):
                    yield name, word, sentence


def _values(*values: Any) -> tuple[Broken, ...]:
    return tuple(Broken({WORD: value}) for value in values)


_LONG = "x" * 1025
_FORMULA = {"enable_auto_scale": True, "auto_scale_formula": "$TargetDedicatedNodes = 1;"}
_NOT_SCALED = {"enable_auto_scale": None, "target_dedicated_nodes": 1}
_SHORT_EVALUATION = Broken({"auto_scale_evaluation_interval": "PT4M59S", **_FORMULA, "target_dedicated_nodes": None})
_LONG_EVALUATION = Broken({"auto_scale_evaluation_interval": "PT168H1S", **_FORMULA, "target_dedicated_nodes": None})
_NO_FORMULA = Broken(
    {"enable_auto_scale": True, "target_dedicated_nodes": None, "auto_scale_formula": None}, "auto_scale_formula"
)
_URL = {"http_url": "https://example.com/x", "file_path": "x"}
_STORAGE = {"storage_container_url": "https://x.blob.core.windows.net/c"}
_NAT = {"protocol": "tcp", "backend_port": 23, "frontend_port_range_start": 1000, "frontend_port_range_end": 1100}
_AUTO_POOL = {
    "pool_lifetime_option": "job",
    "pool": {
        "vm_size": "standard_d2s_v3",
        "virtual_machine_configuration": {
            "image_reference": {"publisher": "canonical", "offer": "ubuntu", "sku": "server"},
            "node_agent_sku_id": "batch.node.ubuntu 24.04",
        },
    },
}
_RULE = {"priority": 150, "access": "allow", "source_address_prefix": "*"}
_BLOB = {"account_key": "{{ vars.word }}", "sas_key": None, "identity_reference": None}
_HEAD = """\
version: 1
name: documented
vars: {word: {secret: true, from_env: WORD}}
"""
_POOL = "vm_size: standard_d2s_v3, image: {publisher: canonical, offer: ubuntu, sku: server}"
_DOCKER = "virtual_machine_configuration: {container_configuration: {type: dockerCompatible}}"


def _spec(told: str, *lines: str) -> Broken:
    return Broken(whole=_HEAD + "\n".join(lines) + "\n", told=told)


def _machine(told: str, written: str, image: str = "publisher: canonical, offer: ubuntu, sku: server") -> Broken:
    pool = f"vm_size: standard_d2s_v3, image: {{{image}}}, virtual_machine_configuration: {{{written}}}"
    return _spec(f"pool.virtual_machine_configuration.{told}", f"pool: {{{pool}}}")


def _nats(told: str, *nats: str) -> Broken:
    written = "".join(f"\n        - {nat}" for nat in nats)
    lines = f"pool:\n  {_POOL.replace(', image', chr(10) + '  image')}\n  network_configuration:\n"
    return _spec(
        f"pool.network_configuration.endpoint_configuration.inbound_nat_pools{told}",
        f"{lines}    endpoint_configuration:\n      inbound_nat_pools:{written}",
    )


def _nat(name: str, port: int, start: int, end: int, rules: str = "") -> str:
    ports = f"frontend_port_range_start: {start}, frontend_port_range_end: {end}"
    return f"{{name: {name}, protocol: tcp, backend_port: {port}, {ports}{rules}}}"


_ONE, _OTHER = _nat("a", 22, 1000, 1100), _nat("b", 23, 1200, 1300)
_CONTAINER_JOB = "job: {job_manager_task: {id: m, command: x}}"

_ENCRYPTED = "os_disk.managed_disk.security_profile.security_encryption_type"
_CONFIDENTIAL = (
    _machine(_ENCRYPTED, "os_disk: {managed_disk: {security_profile: {security_encryption_type: VMGuestStateOnly}}}"),
    _machine(_ENCRYPTED, "security_profile: {security_type: confidentialvm}"),
)
_FORTY_FIVE = [
    {**_NAT, "name": f"n{one}", "backend_port": one, "frontend_port_range_start": one * 100}
    | {"frontend_port_range_end": one * 100 + 44}
    for one in range(1, 7)
]

# By the beginning of a sentence: what breaks it.
HELD: dict[str, tuple[Broken, ...]] = {
    "The ID can contain any combination": _values("a b", "x" * 65, ""),
    "The display name need not be unique": _values(_LONG),
    "The name need not be unique and can": _values(_LONG),
    "It need not be unique and can contain": _values(_LONG),
    "This property must be specified.": (
        _spec("pool.image", "pool: {vm_size: standard_d2s_v3}"),
        _spec(
            "job.pool_info.auto_pool_specification.pool.virtual_machine_configuration",
            "job: {pool_info: {auto_pool_specification: {pool_lifetime_option: job, pool: {vm_size: s}}}}",
        ),
    ),
    "The minimum value is 5 minutes.": _values("PT4M59S"),
    "The minimum value is 1 minute.": _values("PT59S"),
    "If you specify a value less than 5 minutes, the Batch": _values("PT4M59S"),
    "This property must not be specified if enableAutoScale is set to true.": (
        Broken({"target_dedicated_nodes": None, "target_low_priority_nodes": None, WORD: 1, **_FORMULA}, WORD),
    ),
    "This property must not be specified if enableAutoScale is set to false.": (
        Broken({"auto_scale_formula": "$TargetDedicatedNodes = 1;", **_NOT_SCALED}),
    ),
    "If true, the autoScaleFormula": (_NO_FORMULA,),
    "It is required if enableAutoScale": (_NO_FORMULA,),
    "The minimum and maximum value are 5 minutes and 168": (_SHORT_EVALUATION, _LONG_EVALUATION),
    "If you specify a value less than 5 minutes or greater": (_SHORT_EVALUATION, _LONG_EVALUATION),
    "There is a maximum of 10 Package": _values([{"application_id": f"a{number}"} for number in range(11)]),
    "The maximum value is the smaller of 4 times": _values(257),
    "This property must not be specified if the imageReference": (
        _machine("windows_configuration", "windows_configuration: {enable_automatic_updates: false}"),
    ),
    "This only applies to Images that contain": (_machine("license_type", "license_type: Windows_Server"),),
    "All regular Tasks and Job manager Tasks": (
        _spec("tasks[0].container_settings", f"pool: {{{_POOL}, {_DOCKER}}}", "tasks: [{id: a, command: b}]"),
        _spec("job.job_manager_task.container_settings", f"pool: {{{_POOL}, {_DOCKER}}}", _CONTAINER_JOB),
    ),
    "If the Pool that will run this Task has containerConfiguration": (
        _spec("tasks[0].container_settings", f"pool: {{{_POOL}, {_DOCKER}}}", "tasks: [{id: a, command: b}]"),
        _spec("job.job_manager_task.container_settings", f"pool: {{{_POOL}, {_DOCKER}}}", _CONTAINER_JOB),
    ),
    "If the Pool that will run this Task doesn't": (
        _spec(
            "tasks[0].container_settings",
            f"pool: {{{_POOL}}}",
            "tasks: [{id: a, command: b, container_settings: {image_name: c}}]",
        ),
        _spec(
            "job.job_manager_task.container_settings",
            f"pool: {{{_POOL}}}",
            "job: {job_manager_task: {id: m, command: x, container_settings: {image_name: c}}}",
        ),
    ),
    "This property is mutually exclusive with other ImageReference": (
        Broken({WORD: "x", "publisher": "p"}, "publisher"),
        Broken({WORD: "x", "version": "latest"}, "version"),
    ),
    "This property is mutually exclusive with other properties and": (
        Broken({WORD: "x", "publisher": "p"}, "publisher"),
        Broken({WORD: "x", "version": "latest"}, "version"),
    ),
    "The value must be between 0 and 63": _values(-1, 64),
    "If attaching multiple disks, each should have": (
        _machine(
            "data_disks[1].logical_unit_number",
            "data_disks: [{logical_unit_number: 1, disk_size_gb: 9}, {logical_unit_number: 1, disk_size_gb: 9}]",
        ),
    ),
    "Specifies the security profile settings": _CONFIDENTIAL,
    "It is set to VMGuestStateOnly for encryption": _CONFIDENTIAL,
    "Disk encryption configuration is not supported": (
        _machine(
            "disk_encryption_configuration",
            "node_agent_sku_id: n, disk_encryption_configuration: {targets: [osdisk]}",
            image="id: /x",
        ),
    ),
    "It can be used only when the pool is configured with": (
        Broken(
            {"targets": ["temporarydisk"], WORD: {"key_url": "https://v.vault.azure.net/keys/k/1"}},
            "customer_managed_key",
        ),
    ),
    "Version segment of the Url is required": _values("https://v.vault.azure.net/keys/k"),
    "The maximum number of inbound NAT Pools": _values(_FORTY_FIVE),
    "This cannot be specified if the IPAddressProvisioningType": (
        _spec(
            "pool.network_configuration.endpoint_configuration.inbound_nat_pools",
            f"pool: {{{_POOL}, network_configuration: {{",
            "    public_ip_address_configuration: {ip_address_provisioning_type: nopublicipaddresses},",
            f"    endpoint_configuration: {{inbound_nat_pools: [{_ONE}]}}}}}}",
        ),
    ),
    "The name must be unique within a Batch Pool": (_nats("[1].name", _ONE, _nat("A", 23, 1200, 1300)),),
    "Names must start with a letter or number": _values("-a", "a-", "a b", "x" * 78),
    "This must be unique within a Batch Pool": (_nats("[1].backend_port", _ONE, _nat("b", 22, 1200, 1300)),),
    "Acceptable values are between 1 and 65535 except": _values(0, 65536, 29876, 29877),
    "Acceptable values range between 1 and 65534 except": (
        Broken({"frontend_port_range_start": 0, "frontend_port_range_end": 100}),
        Broken({"frontend_port_range_end": 65535, "frontend_port_range_start": 60000}),
        Broken({"frontend_port_range_end": 50000, "frontend_port_range_start": 49000}),
        Broken({"frontend_port_range_end": 56000, "frontend_port_range_start": 55000}),
    ),
    "All ranges within a Pool must be distinct": (
        _nats("[1].frontend_port_range_start", _ONE, _nat("b", 23, 1100, 1200)),
    ),
    "Each range must contain at least 40 ports": (
        Broken({"frontend_port_range_end": 1038, "frontend_port_range_start": 1000}),
    ),
    "The maximum number of rules that can be specified": _values([{**_RULE, "priority": 150 + n} for n in range(26)]),
    "Priorities within a Pool must be unique": (
        _nats(
            "[0].network_security_group_rules[1].priority",
            _nat(
                *("a", 22, 1000, 1100),
                rules=", network_security_group_rules: ["
                '{priority: 150, access: allow, source_address_prefix: "*"}, '
                '{priority: 150, access: deny, source_address_prefix: "10.0.0.1"}]',
            ),
        ),
    ),
    "Allowed priorities are 150 to 4096": _values(149, 4097),
    "Valid values are a single IP address": _values("10.10.10.10.10", "a b"),
    "Valid values are '*'": (Broken({WORD: ["a"]}, "source_port_ranges[0]"),),
    "The ports must be in the range of 0": (Broken({WORD: ["65536"]}, "source_port_ranges[0]"),),
    "Each entry in this collection must not overlap": (Broken({WORD: ["22", "20-30"]}, "source_port_ranges[1]"),),
    "The number of IPs specified here limits": (
        _spec(
            "pool.network_configuration.public_ip_address_configuration.ip_address_ids",
            f"pool: {{{_POOL}, target_dedicated_nodes: 101, network_configuration:",
            "    {public_ip_address_configuration: {ip_address_ids: [a]}}}",
        ),
    ),
    "For example, a pool needing 250 dedicated": (
        _spec(
            "pool.network_configuration.public_ip_address_configuration.ip_address_ids",
            f"pool: {{{_POOL}, target_low_priority_nodes: 250, network_configuration:",
            "    {public_ip_address_configuration: {ip_address_ids: [a, b]}}}",
        ),
    ),
    "The autoStorageContainerName, storageContainerUrl and": (
        Broken({**_STORAGE, **_URL, "auto_storage_container_name": None}),
        Broken({"auto_storage_container_name": "c", **_STORAGE, "http_url": None, "file_path": None}),
        Broken({"upload": None, "http_url": None, "file_path": "x"} | dict.fromkeys((*_STORAGE, WORD))),
    ),
    "The property is valid only when autoStorageContainerName": (
        Broken({"blob_prefix": "p", **_URL, "storage_container_url": None}),
    ),
    "If the httpUrl property is specified, the filePath": (
        Broken({"file_path": None, "http_url": "https://example.com/x"}),
    ),
    "The specified relative path cannot break out": _values("../x", "a/../../x", "/x"),
    "Specify either the userName or autoUser": (Broken({"auto_user": {}, "username": "u"}),),
    "The userName and autoUser properties": (
        Broken({"auto_user": {}, "username": "u"}),
        Broken({"auto_user": None, "username": None}, "username"),
    ),
    "Names can contain any Unicode characters up to": _values("x" * 21),
    "This property can only be specified if the user is on a": (
        _spec(
            "pool.user_accounts[0].windows_user_configuration",
            f"pool: {{{_POOL}, user_accounts: [",
            '    {name: a, password: "{{ vars.word }}", windows_user_configuration: {login_mode: batch}}]}',
        ),
    ),
    "The uid and gid properties must be": (
        Broken({"uid": 1, "gid": None}, "gid"),
        Broken({"gid": 1, "uid": None}, "uid"),
    ),
    "This property is mutually exclusive with all other": (
        Broken(
            {
                "nfs_mount_configuration": {"source": "s", "relative_mount_path": "m"},
                "azure_blob_file_system_configuration": {
                    "account_name": "a",
                    "container_name": "c",
                    "relative_mount_path": "m",
                    "account_key": "{{ vars.word }}",
                },
                "cifs_mount_configuration": None,
                "azure_file_share_configuration": None,
            },
        ),
    ),
    "This property is mutually exclusive with both": (
        Broken({**_BLOB, "sas_key": "{{ vars.word }}"}, "sas_key"),
        Broken({**_BLOB, "identity_reference": {"resource_id": "r"}}, "identity_reference"),
        Broken({**_BLOB, "account_key": None}, "account_key"),
    ),
    "If this is set to true for Windows based pools": (
        _spec(
            "pool.virtual_machine_configuration.windows_configuration.enable_automatic_updates",
            f"pool: {{{_POOL}, os: windows,",
            "    virtual_machine_configuration: {windows_configuration: {enable_automatic_updates: true}},",
            "    upgrade_policy: {mode: automatic, automatic_os_upgrade_policy: {enable_automatic_os_upgrade: true}}}",
        ),
    ),
    "This field is able to be set to true or false only": (
        _spec(
            "pool.upgrade_policy.rolling_upgrade_policy.enable_cross_zone_upgrade",
            f"pool: {{{_POOL}, upgrade_policy: {{mode: rolling, rolling_upgrade_policy:",
            "    {enable_cross_zone_upgrade: true}}}",
        ),
    ),
    "The value of this field should be between 5": _values(4, 101),
    "If both maxBatchInstancePercent and maxUnhealthy": (
        Broken({"max_batch_instance_percent": 21, "max_unhealthy_instance_percent": 20}),
    ),
    "The value of this field should be between 0": _values(-1, 101),
    "Priority values can range from -1000": _values(-1001, 1001),
    "Please contact support for more information) The value of": _values(-2, 0),
    "A Job Release Task cannot be specified without": (
        Broken({"job_release_task": {"command_line": "x"}, "job_preparation_task": None}),
    ),
    "For multi-instance Tasks, this must be 1": (
        Broken({"required_slots": 2, "multi_instance_settings": {"coordination_command_line": "x"}}),
    ),
    "You may not specify a timeout longer than 15": _values("PT15M1S"),
    "You must specify either the Pool ID or the auto Pool": (
        Broken({"pool_id": None, "auto_pool_specification": None}, "pool_id"),
        Broken({"auto_pool_specification": _AUTO_POOL, "pool_id": "p"}),
    ),
    "The prefix can be up to 20": _values("x" * 21),
    "The taskIds collection is limited to 64000": (
        Broken({"task_ids": [f"{number:064}" for number in range(1001)]}, "task_ids"),
    ),
}

_ELSEWHERE = "only the account, the network, the registry or the node can tell"
_BEHAVIOUR = "says what the service does, not what may be written"
_NEVER = "what it excludes cannot be written at all"

# By the beginning of a sentence: why no spec can break it, or why it is not held where it is written.
NO_LIMIT: dict[str, str] = {
    "The ID is case-preserving": "ids of tasks are compared without case when they are rendered; others live elsewhere",
    "If enableAutoScale is set to false, then": "warned of when it is rendered: no nodes can be what is meant",
    "If false, at least one of targetDedicatedNodes": "as above",
    "When creating a pool, the package's application ID": "the service takes the short id too",
    "There is a maximum size for the list of resource files": "held when it is rendered",
    "If this occurs, the collection of ResourceFiles": "as above",
    "You must specify a Compute Node agent SKU": "looked up, or held by preflight",
    "You must ensure that the Pool": "held by preflight",
    "A Task can only be scheduled to run on a compute": "held by preflight",
    "If the taskIds collection exceeds": "follows from the limit of 64,000",
    "If any invalid values are provided": "follows from the rules for the name",
    **dict.fromkeys(
        (
            "Enabling inter-node communication limits",
            "The disk is not formatted after being attached",
            "This read-only field differs",
            "Examples of recovery operations include",
            "The command line does not run under",
            "For example, if the maximum retry count",
            "If the pool is running Windows a value of Task",
            "If not specified, the default value is -1",
            "If the Job does not specify a Job Manager Task",
            "If this property is not specified, there is no time limit",
            "If this is not specified, there is no time limit",
            "For multi-instance Tasks, the files will only",
            "For multi-instance Tasks, the resource files will only",
            "It does not occupy a scheduling slot",
            "If you want non-default behavior on exit code 0",
            "Any Task that is explicitly specified or within",
            "All Tasks in this list must complete",
            "All Tasks in all ranges must complete",
            "The time interval, starting from the time at which",
            "If the schedule is recurring, and the startWindow",
            "A Job Schedule can have at most one active Job",
            "Because a Job Schedule can have at most one",
        ),
        _BEHAVIOUR,
    ),
    **dict.fromkeys(
        (
            "This property must be specified if the Compute Nodes",
            "This cannot be updated",
            "Existing disks cannot be attached",
            "For multi-instance Tasks, this property is not supported",
        ),
        _NEVER,
    ),
    **dict.fromkeys(
        (
            "The Azure Compute Gallery Image must have replicas",
            "It can be set only in UserSubscription mode",
            "The resource must be in the same subscription",
            "If any Images must be downloaded from a private",
            "This reference must be included in the pool",
            "The virtual network must be in the same region",
            "The 'MicrosoftAzureBatch' service principal must",
            "The specified subnet must allow communication",
            "If the specified VNet has any associated",
            "This URL must be readable and listable",
            "If the URL points to Azure Blob Storage, it must",
            "The private key must not be password protected",
            "If a referenced Application Package cannot be",
            "If a referenced Package cannot be installed",
            "If not using a managed identity, the URL must",
            "The identity must have write access",
            "Official document on allowed headers",
        ),
        _ELSEWHERE,
    ),
}


def held(sentence: str) -> str:
    """The entry of HELD that a sentence begins with, or ""."""
    return next((entry for entry in HELD if sentence.startswith(entry)), "")


def path(at: tuple[str | int, ...], below: str) -> str:
    """A path as messages have it."""
    return dotted(at) + ("" if below.startswith("[") else ".") + below
