"""References by key or name: what is named must be there.

Place in the pipeline: called by `rules`. In: data. Out: Findings. A reference with a template is left to `render`.
"""

from collections.abc import Iterator, Mapping

from batchspec.spec.checks.tree import Part, generators, is_true
from batchspec.spec.checks.walk import models
from batchspec.spec.document import At, Finding, shown
from batchspec.spec.suggest import did_you_mean
from batchspec.spec.words import has_template


def references(spec: Part) -> Iterator[Finding]:
    """Every container and every upload that something refers to."""
    containers, uploads = spec.part("containers").data, spec.part("uploads").data
    users = [part for _, part in spec.named("uploads")] + list(spec.parts("downloads")) + list(generators(spec))
    users += [part for name, part in models(spec) if name in ("ResourceFile", "OutputFile")]
    for part in users:
        yield from _unknown(part, "container", containers, "containers")
        yield from _unknown(part, "upload", uploads, "uploads")


def _unknown(part: Part, word: str, known: Mapping[str, object], where: str) -> Iterator[Finding]:
    key = part.data.get(word)
    if isinstance(key, str) and key not in known and not has_template(key):
        yield Finding((*part.at, word), _no_such(word, key, known, where))


def _no_such(word: str, key: str, known: Mapping[str, object], where: str) -> str:
    meant = did_you_mean(key, known)
    there = f"; there are {', '.join(map(shown, known))}" if known and not meant else ""
    return f"no {word} {shown(key)} under `{where}`{meant}{there if len(known) <= 8 else ''}"


def needs(spec: Part) -> Iterator[Finding]:
    """Names under `needs`: each a template's, none its own, no circle."""
    edges: dict[str, list[tuple[At, str]]] = {}
    tasks = list(spec.parts("tasks"))
    known = {task.data["name"]: None for task in tasks if isinstance(task.data.get("name"), str)}
    for task in tasks:
        wanted = list(task.texts("needs"))
        for at, name in wanted:
            if name not in known and not has_template(name) and not any(map(has_template, known)):
                message = f"no task template has the name {shown(name)}{did_you_mean(name, known)}"
                yield Finding(at, message if known else f"{message}; give the template a `name`")
        own = task.data.get("name")
        if isinstance(own, str):
            edges.setdefault(own, wanted)
    yield from _circles(edges)


def _circles(edges: Mapping[str, list[tuple[At, str]]]) -> Iterator[Finding]:
    """One finding for each `needs` that leads back to where it stands."""
    done: set[str] = set()
    for start in edges:
        path: list[str] = [start]
        pending = [iter(edges[start])]
        while pending and start not in done:
            at, name = next(pending[-1], ((), ""))
            if not at:
                pending.pop()
                done.add(path.pop())
            elif name in path:
                circle = " -> ".join([*path[path.index(name) :], name])
                yield Finding(at, f"waits for itself: {circle}; no task of these could ever start")
            elif name in edges and name not in done:
                path.append(name)
                pending.append(iter(edges[name]))


def cleanup(spec: Part) -> Iterator[Finding]:
    """Entries of `cleanup.after_success`."""
    containers = spec.part("containers")
    for at, entry in spec.part("cleanup").texts("after_success"):
        if has_template(entry):
            continue
        kind, dot, key = entry.partition(".")
        if entry in ("job", "schedule", "pool"):
            if is_true(spec.part(entry).data.get("existing")):
                yield Finding(at, f"the {entry} is `existing`: this spec does not own it and may not delete it")
            elif entry == "job" and "schedule" in spec.data:
                yield Finding(at, "the jobs of a schedule go with it; write 'schedule' instead")
            elif entry != "job" and entry not in spec.data:
                yield Finding(at, f"this spec has no {entry}; remove the entry")
            elif entry == "pool" and "lifetime" in spec.part("pool").data:
                owner = "schedule" if "schedule" in spec.data else "job"
                yield Finding(at, f"the pool has a `lifetime`: it goes with its {owner}; write '{owner}' instead")
        elif kind == "container" and dot:
            if key not in containers.data:
                yield Finding(at, _no_such("container", key, containers.data, "containers"))
            elif is_true(containers.part(key).data.get("existing")):
                yield Finding(
                    at, f"container {shown(key)} is `existing`: this spec does not own it and may not delete it"
                )
        else:
            work = "schedule" if "schedule" in spec.data else "job"
            known = [work, "pool", *(f"container.{key}" for key in containers.data)]
            meant = did_you_mean(entry, known) or f"; write `container.{entry}`" * (entry in containers.data)
            yield Finding(at, f"{shown(entry)} is not `container.<key>`, `{work}` or `pool`{meant}")
