"""A body that the service returns -> the words of a spec that describe it: the inverse of `render.wire`.

Place in the pipeline: `describe` converts the pool, the job, the schedule and each task with this. In: a REST body, the
model that it is one of. Out: properties under the spec's names, texts as `Text`; notes about everything that could not
be taken over as it is. Pure.

What the service fills in, what only it can say (states, times, counts) and batchspec's own marks are left out. What
this version of the schema does not know is left out too, with a note. The order is that of `_FIRST`, then the body's.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from batchspec.importing.commands import command
from batchspec.importing.files import output_file, resource_file
from batchspec.importing.notes import Notes
from batchspec.importing.pieces import Text, Value, Words, text
from batchspec.importing.places import Place, place_of
from batchspec.importing.secrets import Secrets, says_secret
from batchspec.importing.texts import Texts, cannot_be_written
from batchspec.render.model import JsonObject
from batchspec.render.shell import Os
from batchspec.render.symbolic import Json
from batchspec.spec.checks.secrets import SECRET_PROPERTIES
from batchspec.spec.load import At
from batchspec.spec.reserved import METADATA_PREFIX, TASK_HASH_SETTING

# What the service says of a resource and nobody can ask for, by the name on the wire (BatchPool, BatchJob, BatchTask
# and BatchJobSchedule of azure-batch 15.1, and what older api-versions returned).
_ONLY_READ = frozenset(
    (
        *("url", "eTag", "lastModified", "creationTime", "state", "stateTransitionTime", "previousState", "stats"),
        *("previousStateTransitionTime", "allocationState", "allocationStateTransitionTime", "resizeErrors"),
        *("currentDedicatedNodes", "currentLowPriorityNodes", "autoScaleRun", "executionInfo", "nodeInfo"),
        *("odata.metadata", "exactVersion", "currentNodeCommunicationMode", "targetNodeCommunicationMode"),
    )
)
_FIRST = (
    *("id", "display_name", "os", "vm_size", "image", "virtual_machine_configuration"),
    *("target_dedicated_nodes", "target_low_priority_nodes", "enable_auto_scale", "auto_scale_formula"),
    *("auto_scale_evaluation_interval", "task_slots_per_node", "command", "commands", "command_line"),
    *("name", "resource_files", "output_files", "environment_settings"),
)
_ORDER = {name: position for position, name in enumerate(_FIRST)}
_NAMED = ("environment_settings", "common_environment_settings", "metadata")
_TARGETS = ("targetDedicatedNodes", "targetLowPriorityNodes")
_IMAGE = {"publisher", "offer", "sku"}


@dataclass(slots=True)
class Converter:
    """Converts the bodies of one spec. `looked_up` says that the node agent was left to be looked up, as it is ours."""

    texts: Texts
    secrets: Secrets
    notes: Notes
    os: Os
    looked_up: bool = False
    _held: frozenset[At] = frozenset()

    def body(self, model: str, body: JsonObject, at: At, held: Collection[str] = ()) -> Words:
        """The properties of one of the SDK's models; those that are `held` (by REST name) were sent with a secret."""
        place = place_of(model)
        self._held = frozenset((*at, place.names[rest]) for rest in held if rest in place.names)
        return self._fields(body, place, at)

    def _may_be_secret(self, at: At) -> bool:
        return any(at[: len(held)] == held for held in self._held)

    def _fields(self, body: Mapping[str, Json], place: Place, at: At) -> Words:
        made: Words = {}
        for rest, value in self._told(body, place, at):
            name = place.names[rest]
            inner = place.property(name)
            if rest == "commandLine" and "command" in place.shape.properties and isinstance(value, str):
                made |= self._command(value, (*at, name), alone=not body.get("environmentSettings"))
            elif rest == "virtualMachineConfiguration" and "image" in place.shape.properties:
                made |= self._machine(value, inner, at)
            elif name in _NAMED and isinstance(value, list):
                named = self._named(value, inner, (*at, name))
                made |= {name: named} if named or not value else {}
            else:
                converted = self._value(value, inner, (*at, name))
                made |= {} if converted is None else {name: converted}
        made |= self._untold(made, place, at)
        return {name: made[name] for name in sorted(made, key=lambda name: _ORDER.get(name, len(_ORDER)))}

    def _told(self, body: Mapping[str, Json], place: Place, at: At) -> Iterator[tuple[str, Json]]:
        """What a person said, or might have said: all but what the service adds."""
        targets = _TARGETS if body.get("enableAutoScale") is True else ()
        for rest, value in body.items():
            if value is None or (rest in _ONLY_READ and rest not in place.names):
                continue
            if rest in _TARGETS and "vmSize" in body:
                # With a formula they are what it made of them; a pool of fixed size needs one, and be it 0.
                if not targets and (value or (rest == _TARGETS[0] and not body.get(_TARGETS[1]))):
                    yield rest, value
            elif rest == "identity" and place.model == "BatchPoolCreateOptions":
                self.notes.add(at, _IDENTITY)
            elif rest not in place.names:
                self.notes.add(at, f"left out: {rest}, which this version of batchspec does not know")
            elif not _same(value, place.filled_in.get(rest)):
                yield rest, value

    def _value(self, value: Json, place: Place, at: At) -> Value:
        """A value as it is written; None when it is left out."""
        if isinstance(value, str):
            return self._text(value, place, at)
        if isinstance(value, list):
            items = [self._item(one, place.items, (*at, index)) for index, one in enumerate(value)]
            return [one for one in items if one is not None]
        if isinstance(value, dict) and place.shape.properties:
            made = self._fields(value, place, at)
            return made if made or not value else None
        if isinstance(value, dict):
            found = {key: self._value(inner, place, (*at, key)) for key, inner in value.items()}
            return {key: inner for key, inner in found.items() if inner is not None}
        return value

    def _item(self, value: Json, place: Place, at: At) -> Value:
        short = {"ResourceFile": resource_file, "OutputFile": output_file}.get(place.model)
        if short is not None and isinstance(value, dict) and "container" in place.shape.properties:
            entry = short(value, self.texts.storage)
            if entry is not None:
                return entry
        return self._value(value, place, at)

    def _text(self, value: str, place: Place, at: At) -> Value:
        if cannot_be_written(value):
            self.notes.add(at[:-1], f"left out: {at[-1]}, which holds characters that cannot stand in a spec")
            return None
        choice = place.choice(value)
        if choice is None:
            self.notes.add(at[:-1], f"left out: {at[-1]}, whose value this version of batchspec does not know")
            return None
        return self.texts.of(choice, at)

    def _command(self, line: str, at: At, *, alone: bool) -> Words:
        """`alone` says that no settings stand beside it, in which a secret could be instead."""
        if cannot_be_written(line):
            self.notes.add(at[:-1], "its command line holds characters that cannot stand in a spec")
            return {"command": text("exit 1")}
        if at in self._held or (alone and self._may_be_secret(at)):
            return {"command_line": self.secrets.hidden("_".join(map(str, at[-2:])), line, at)}
        word, made = command(self.texts.of(line, at), self.os)
        if word != at[-1] and at in self.notes.by_place:
            for note in self.notes.by_place.pop(at):
                self.notes.add((*at[:-1], word), note)
        return {word: [*made] if isinstance(made, list) else made}

    def _named(self, items: list[Json], place: Place, at: At) -> Value:
        """Settings and metadata as a mapping where that says all, else as Azure's list."""
        pairs = [item for item in items if isinstance(item, dict) and not _is_ours(str(item.get("name")))]
        names = [str(pair.get("name")) for pair in pairs]
        simple = all(pair.keys() == {"name", "value"} and isinstance(pair["value"], str) for pair in pairs)
        if not simple or len(set(names)) != len(names) or not all(names) or any(map(cannot_be_written, names)):
            made = [self._pair(pair, place.items, (*at, index)) for index, pair in enumerate(pairs)]
            return [one for one in made if one]
        found = {
            name: self._setting(name, str(pair["value"]), (*at, name)) for name, pair in zip(names, pairs, strict=True)
        }
        return {name: value for name, value in found.items() if value is not None}

    def _pair(self, pair: Mapping[str, Json], place: Place, at: At) -> Words:
        name, value = pair.get("name"), pair.get("value")
        made: Words = {}
        if isinstance(name, str) and not cannot_be_written(name):
            made["name"] = text(name)
            if isinstance(value, str):
                made |= {"value": self._setting(name, value, (*at, "value"))}
        return {key: inner for key, inner in made.items() if inner is not None}

    def _setting(self, name: str, value: str, at: At) -> Text | None:
        if cannot_be_written(value):
            self.notes.add(at[:-1], f"left out: {name}, which holds characters that cannot stand in a spec")
            return None
        made = self.texts.of(value, at, wish=name)
        secret = says_secret(name) or (at[-2] != "metadata" and self._may_be_secret(at))
        return self.secrets.hidden(name, value, at) if value and made.plain and secret else made

    def _machine(self, value: Json, place: Place, at: At) -> Words:
        """The image under our word, and what is left of the machine's configuration."""
        machine = dict(value) if isinstance(value, dict) else {}
        image = machine.get("imageReference")
        if self.looked_up and isinstance(image, dict) and "publisher" in image:
            machine.pop("nodeAgentSKUId", None)
        short = _image(image) if isinstance(image, dict) else None
        if short is not None:
            del machine["imageReference"]
        rest = self._fields(machine, place, (*at, "virtual_machine_configuration"))
        made: Words = {} if short is None else {"image": {**short}}
        return {**made, "virtual_machine_configuration": rest} if rest or short is None else made

    def _untold(self, made: Words, place: Place, at: At) -> Words:
        """Variables for secrets that must be there and that the service never tells."""
        wanted = place.required & SECRET_PROPERTIES
        if place.model == "ContainerRegistryReference" and "username" in made and "identity_reference" not in made:
            wanted |= {"password"}
        if place.model == "AzureBlobFileSystemConfiguration" and "identity_reference" not in made:
            wanted |= {"account_key"} if not made.keys() & {"account_key", "sas_key"} else set()
        owner = next(
            (made[name] for name in ("name", "username", "account_name", "azure_file_url") if name in made), None
        )
        prefix = owner.plain if isinstance(owner, Text) and owner.plain else str(at[-1])
        return {name: self.secrets.untold(f"{prefix}_{name}", (*at, name)) for name in sorted(wanted - made.keys())}


_IDENTITY = (
    "the pool has a managed identity, which only Azure Resource Manager can give it: to use this very pool write "
    "{id, existing: true, identity: RESOURCE_ID}"
)


def _image(image: Mapping[str, Json]) -> dict[str, Text] | None:
    given = {name: value for name, value in image.items() if isinstance(value, str) and name != "exactVersion"}
    if given.keys() == {"virtualMachineImageId"}:
        return {"id": text(given["virtualMachineImageId"])}
    if given.keys() - {"version"} != _IMAGE or any(map(cannot_be_written, given.values())):
        return None
    made = {name: text(given[name]) for name in ("publisher", "offer", "sku")}
    return made if given.get("version", "latest") == "latest" else {**made, "version": text(given["version"])}


def _is_ours(name: str) -> bool:
    return name.lower().startswith(METADATA_PREFIX) or name.upper() == TASK_HASH_SETTING


def _same(value: Json, filled_in: Json) -> bool:
    """Whether a value is what the service fills in; words ignore case there."""
    if isinstance(value, str) and isinstance(filled_in, str):
        return value.casefold() == filled_in.casefold()
    if isinstance(value, dict) and isinstance(filled_in, dict):
        return value.keys() == filled_in.keys() and all(_same(one, filled_in[key]) for key, one in value.items())
    return type(value) is type(filled_in) and value == filled_in
