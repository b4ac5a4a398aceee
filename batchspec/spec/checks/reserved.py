"""Names that are batchspec's own, and values that would not arrive as written.

Place in the pipeline: called by `rules`. In: data, and the document for what was written. Out: Findings.
"""

from collections.abc import Iterator

from batchspec.spec.checks.tree import Part, commanded, jobs, pools
from batchspec.spec.document import At, Document, Finding, shown
from batchspec.spec.reserved import METADATA_PREFIX, TASK_HASH_SETTING
from batchspec.spec.words import has_template

_SETTINGS = ("environment_settings", "common_environment_settings")


def environment(spec: Part) -> Iterator[Finding]:
    """Names of environment variables."""
    for holder in (*commanded(spec), *jobs(spec)):
        for word in _SETTINGS:
            yield from _settings(holder, word)


def named(holder: Part, word: str) -> Iterator[Finding]:
    """The names of one mapping or list of settings, or of metadata."""
    yield from _metadata(holder) if word == "metadata" else _settings(holder, word)


def _settings(holder: Part, word: str) -> Iterator[Finding]:
    yield from _twice(holder, word)
    for at, name, on_key in _names(holder, word):
        if name.upper() == TASK_HASH_SETTING:
            yield Finding(at, f"{TASK_HASH_SETTING} is set by batchspec; choose another name", on_key=on_key)
        elif not name or "=" in name:
            yield Finding(at, f"{shown(name)} cannot be the name of an environment variable", on_key=on_key)


def _twice(holder: Part, word: str) -> Iterator[Finding]:
    """Names that a list has twice (a mapping cannot)."""
    first: dict[str, int] = {}
    for item in holder.parts(word):
        name, index = item.data.get("name"), int(item.at[-1])
        if isinstance(name, str) and not has_template(name) and first.setdefault(name, index) != index:
            yield Finding((*item.at, "name"), f"{shown(name)} is set by {word}[{first[name]}] too; remove one of them")


def metadata(spec: Part) -> Iterator[Finding]:
    """Names of metadata."""
    for holder in (*pools(spec), *jobs(spec), spec.part("schedule")):
        yield from _metadata(holder)


def _metadata(holder: Part) -> Iterator[Finding]:
    for at, name, on_key in _names(holder, "metadata"):
        if name.lower().startswith(METADATA_PREFIX):
            message = f"names that begin with `{METADATA_PREFIX}` are set by batchspec; choose another name"
            yield Finding(at, message, on_key=on_key)


def _names(holder: Part, word: str) -> Iterator[tuple[At, str, bool]]:
    """The names in a list of `{name, value}` or in a mapping; whether the name is a key."""
    for name in holder.part(word).data:
        yield (*holder.at, word, name), name, True
    for item in holder.parts(word):
        if isinstance(item.data.get("name"), str):
            yield (*item.at, "name"), item.data["name"], False


def rounded(spec: Part, document: Document) -> Iterator[Finding]:
    """Numbers and truth values in a mapping of texts that YAML would change: 24.10 is 24.1, True is true."""
    for holder in (*commanded(spec), *pools(spec), *jobs(spec), spec.part("schedule")):
        for word in (*_SETTINGS, "metadata"):
            for name, value in holder.part(word).data.items():
                at = (*holder.at, word, name)
                written = document.written(at)
                arrives = shown(value)
                if isinstance(value, (bool, int, float)) and written is not None and written != arrives:
                    yield Finding(at, f'{written} would become {arrives}; write it in quotes: "{written}"')
