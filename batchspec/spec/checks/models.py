"""What the documentation of Azure's models says of one mapping: alternatives, pairs, ranges; wherever it is written.

Place in the pipeline: called by `rules`. In: data. Out: Findings. The rules are those of the docstrings of azure-batch
15.1 ("mutually exclusive", "exactly one must be specified", "together or not at all" ...); limits of single values are
in the schema. What is a template is passed over, here and in the modules beside.
"""

from collections.abc import Callable, Iterator, Mapping

from batchspec.spec.checks import machines, network
from batchspec.spec.checks.choices import command, one_of, only_with, output_file, resource_file, says_all
from batchspec.spec.checks.tree import Part, is_true, number
from batchspec.spec.checks.walk import models as every_model
from batchspec.spec.document import Finding, shown
from batchspec.spec.formula import named
from batchspec.spec.suggest import did_you_mean
from batchspec.spec.words import has_template

_FILE_SYSTEMS = (
    *("azure_blob_file_system_configuration", "nfs_mount_configuration"),
    *("cifs_mount_configuration", "azure_file_share_configuration"),
)
_MARKETPLACE = ("publisher", "offer", "sku")
_IMAGE_IDS = ("virtual_machine_image_id", "shared_gallery_image_id", "community_gallery_image_id")
_LICENSES = ("Windows_Server", "Windows_Client")
_DEPENDENCY_CHARACTERS = 64_000


def by_model(spec: Part) -> Iterator[Finding]:
    """Every rule about one model, at every place where that model stands."""
    for name, part in every_model(spec):
        for rule in _RULES.get(name, ()):
            yield from rule(part)


def has_rules(name: str) -> bool:
    """Whether there is a rule about a model."""
    return name in _RULES


def of_model(name: str, part: Part) -> Iterator[Finding]:
    """What is wrong with one mapping that a template gave, without what stands below it in models of their own."""
    for rule in (*_RULES.get(name, ()), *_COMMANDS.get(name, ())):
        yield from rule(part)


def _image_reference(part: Part) -> Iterator[Finding]:
    ids = [word for word in _IMAGE_IDS if word in part.data]
    yield from one_of(part, ids, None)
    if ids:
        yield from says_all(part, ids[0], (*_MARKETPLACE, "version"))
        return
    for word in _MARKETPLACE:
        if word not in part.data:
            message = "missing; an image has a publisher, an offer and a sku, or the id of an image of a gallery"
            yield Finding((*part.at, word), message)


def _machine(part: Part) -> Iterator[Finding]:
    yield from _distinct(part, "data_disks", "logical_unit_number")
    license_type = part.data.get("license_type")
    if isinstance(license_type, str) and not has_template(license_type) and license_type not in _LICENSES:
        message = f"{shown(license_type)} is not one of {', '.join(_LICENSES)}{did_you_mean(license_type, _LICENSES)}"
        yield Finding((*part.at, "license_type"), message)
    disks = part.part("disk_encryption_configuration")
    targets = disks.data.get("targets")
    if "customer_managed_key" in disks.data and isinstance(targets, list) and not _may_hold(targets, "osdisk"):
        yield Finding((*disks.at, "customer_managed_key"), "encrypts the OS disk: add osdisk to `targets`", on_key=True)


def _may_hold(items: list[object], item: str) -> bool:
    return item in items or any(map(has_template, items))


def _distinct(part: Part, words: str, word: str) -> Iterator[Finding]:
    """Values that must differ between the items of a list."""
    first: dict[object, int] = {}
    for item in part.parts(words):
        value, index = item.data.get(word), int(item.at[-1])
        if not isinstance(value, (str, int)) or has_template(value):
            continue
        if first.setdefault(value, index) != index:
            yield Finding((*item.at, word), f"{shown(value)} is that of {words}[{first[value]}] too; they must differ")


def _accounts(pool: Part) -> Iterator[Finding]:
    """A node has one user of each name."""
    yield from _distinct(pool, "user_accounts", "name")


def _registry(part: Part) -> Iterator[Finding]:
    if "identity_reference" in part.data:
        yield from one_of(part, ("identity_reference", "username"), None)
        yield from one_of(part, ("identity_reference", "password"), None)
    else:
        yield from _together(part, "username", "password")


def _together(part: Part, *words: str) -> Iterator[Finding]:
    """All of these words or none."""
    present = [word for word in words if word in part.data]
    for word in words:
        if present and word not in part.data:
            yield Finding((*part.at, word), f"missing; `{present[0]}` needs it beside it")


def _user(part: Part) -> Iterator[Finding]:
    yield from one_of(part, ("username", "auto_user"), "missing; say `username` or `auto_user`")


def _mount(part: Part) -> Iterator[Finding]:
    yield from one_of(part, _FILE_SYSTEMS, f"missing; a mount is one of {', '.join(_FILE_SYSTEMS)}")


def _blob_mount(part: Part) -> Iterator[Finding]:
    lacking = "missing; say `account_key`, `sas_key` or `identity_reference`"
    yield from one_of(part, ("account_key", "sas_key", "identity_reference"), lacking)


def _rolling(part: Part) -> Iterator[Finding]:
    word, limit = "max_batch_instance_percent", "max_unhealthy_instance_percent"
    batch, unhealthy = number(part, word), number(part, limit)
    if batch is not None and unhealthy is not None and batch > unhealthy:
        yield Finding((*part.at, word), f"{batch} is more than `{limit}` ({unhealthy}); the most is {unhealthy}")


def _release(part: Part) -> Iterator[Finding]:
    yield from only_with(part, ("job_release_task",), "job_preparation_task")
    if part.data.get("max_parallel_tasks") == 0:
        yield Finding((*part.at, "max_parallel_tasks"), "0 would run nothing; write -1 for no limit, or at least 1")


def _pool_info(part: Part) -> Iterator[Finding]:
    lacking = "missing; say the pool's id, or describe one under `auto_pool_specification`"
    yield from one_of(part, ("pool_id", "auto_pool_specification"), lacking)


def _range(part: Part) -> Iterator[Finding]:
    start, end = number(part, "start"), number(part, "end")
    if start is not None and end is not None and start > end:
        yield Finding((*part.at, "end"), f"{end} is less than `start` ({start}); a range goes up, both ends included")


def _exit_conditions(part: Part) -> Iterator[Finding]:
    yield from _distinct(part, "exit_codes", "code")


def _dependencies(part: Part) -> Iterator[Finding]:
    size = sum(len(text) for _, text in part.texts("task_ids"))
    if size > _DEPENDENCY_CHARACTERS:
        message = (
            f"has {size:,} characters of ids, Azure Batch takes {_DEPENDENCY_CHARACTERS:,}; "
            "name the template under `needs`, or use `task_id_ranges`"
        )
        yield Finding((*part.at, "task_ids"), message)


def _path_and_mode(part: Part) -> Iterator[Finding]:
    mode = part.data.get("file_mode")
    if isinstance(mode, str) and not has_template(mode) and not _is_octal(mode):
        yield Finding((*part.at, "file_mode"), f'{shown(mode)} is no file mode; write octal digits such as "0755"')
    path = part.data.get("file_path")
    if isinstance(path, str) and not has_template(path) and (path.startswith("/") or ".." in path.split("/")):
        yield Finding((*part.at, "file_path"), f"{shown(path)} leaves the task's working directory")


def _is_octal(mode: str) -> bool:
    return 3 <= len(mode) <= 4 and set(mode) <= set("01234567")


def _security(part: Part) -> Iterator[Finding]:
    yield from only_with(part, ("uefi_settings",), "security_type")


def _upgrades(part: Part) -> Iterator[Finding]:
    """Azure upgrades the image, or Windows itself; not both."""
    automatic = part.part("upgrade_policy").part("automatic_os_upgrade_policy")
    windows = part.part("virtual_machine_configuration").part("windows_configuration")
    if is_true(automatic.data.get("enable_automatic_os_upgrade")) and is_true(
        windows.data.get("enable_automatic_updates")
    ):
        at = (*windows.at, "enable_automatic_updates")
        yield Finding(at, "must be false with `upgrade_policy` and its `enable_automatic_os_upgrade: true`")
    rolling = part.part("upgrade_policy").part("rolling_upgrade_policy")
    placement = part.part("virtual_machine_configuration").part("node_placement_configuration").data.get("policy")
    if "enable_cross_zone_upgrade" in rolling.data and placement in (None, "regional"):
        at = (*rolling.at, "enable_cross_zone_upgrade")
        yield Finding(at, "goes only with `node_placement_configuration: {policy: zonal}`", on_key=True)


def _described(part: Part) -> Iterator[Finding]:
    """A pool that comes with a job has no `image` of ours, but Azure's words alone."""
    machine = part.part("virtual_machine_configuration")
    example = "{publisher: canonical, offer: ubuntu-24_04-lts, sku: server}"
    if "virtual_machine_configuration" not in part.data:
        yield Finding(machine.at, f"missing; for example {{image_reference: {example}}}")
    elif machine.data and "image_reference" not in machine.data:
        yield Finding((*machine.at, "image_reference"), f"missing; for example {example}")


def _scaled(part: Part) -> Iterator[Finding]:
    """`autoscale` stands for Azure's three words, and for a fixed size."""
    if "autoscale" in part.data:
        for word in _SIZE_WORDS:
            if word in part.data:
                yield Finding((*part.at, word), "`autoscale` decides this; remove one of the two", on_key=True)
    given = part.part("autoscale")
    known = {word: value for word, value in given.data.items() if not has_template(value)}
    for word, message in named.problems(known):
        if word in known or word not in given.data:
            yield Finding((*given.at, word), message, on_key=word != "formula")


_SIZE_WORDS = (
    *("enable_auto_scale", "auto_scale_formula", "auto_scale_evaluation_interval"),
    *("target_dedicated_nodes", "target_low_priority_nodes", "resize_timeout"),
)
_POOL_RULES = (_scaled, _upgrades, _accounts, network.pool, machines.agent, machines.encryption, machines.addresses)
_RULES: Mapping[str, tuple[Callable[[Part], Iterator[Finding]], ...]] = {
    "BatchPoolCreateOptions": _POOL_RULES,
    "BatchPoolSpecification": (*_POOL_RULES, _described),
    "BatchJobCreateOptions": (_release,),
    "BatchJobSpecification": (_release,),
    "BatchPoolInfo": (_pool_info,),
    "BatchVmImageReference": (_image_reference,),
    "VirtualMachineConfiguration": (_machine, machines.confidential),
    "DiskCustomerManagedKey": (machines.key,),
    "SecurityProfile": (_security,),
    "ContainerRegistryReference": (_registry,),
    "UserIdentity": (_user,),
    "LinuxUserConfiguration": (lambda part: _together(part, "uid", "gid"),),
    "MountConfiguration": (_mount,),
    "AzureBlobFileSystemConfiguration": (_blob_mount,),
    "RollingUpgradePolicy": (_rolling,),
    "BatchInboundNatPool": (network.nat_pool,),
    "NetworkSecurityGroupRule": (network.rule,),
    "ExitConditions": (_exit_conditions,),
    "ExitCodeRangeMapping": (_range,),
    "BatchTaskIdRange": (_range,),
    "BatchTaskDependencies": (_dependencies,),
    "ResourceFile": (resource_file, _path_and_mode),
    "OutputFile": (output_file,),
}
_TASKS = ("BatchStartTask", "BatchJobManagerTask", "BatchJobPreparationTask", "BatchJobReleaseTask")
_COMMANDS = dict.fromkeys(_TASKS, (command,))
