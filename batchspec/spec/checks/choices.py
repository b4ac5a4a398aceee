"""Words that exclude or need each other.

Place in the pipeline: called by `rules`. In: data. Out: Findings, on the word that is one too many, or on the mapping
that lacks one.
"""

from collections.abc import Iterator, Sequence

from batchspec.spec.checks.tree import Part, commanded, generators
from batchspec.spec.document import Finding, shown
from batchspec.spec.words import COMMAND_WORDS, ENVIRONMENT_NAME, GENERATORS

_SOURCES = ("upload", "container", "http_url", "storage_container_url", "auto_storage_container_name")
_IMAGE_PARTS = ("publisher", "offer", "sku")


def one_of(part: Part, words: Sequence[str], lacking: str | None) -> Iterator[Finding]:
    """Exactly one of these words; with `lacking` None, at most one."""
    present = [word for word in words if word in part.data]
    for extra in present[1:]:
        yield Finding((*part.at, extra), f"`{present[0]}` and `{extra}` exclude each other; remove one", on_key=True)
    if not present and lacking is not None:
        yield Finding((*part.at, words[0]), lacking)


def says_all(part: Part, word: str, others: Sequence[str]) -> Iterator[Finding]:
    """One word beside which none of the others may stand: told once, at the first of them."""
    if present := [other for other in others if other in part.data]:
        named = ", ".join(f"`{other}`" for other in present)
        removed = "one" if len(present) == 1 else f"`{word}` or the others"
        message = f"`{word}` and {named} exclude each other; remove {removed}"
        yield Finding((*part.at, present[0]), message, on_key=True)


def only_with(part: Part, words: Sequence[str], *owners: str) -> Iterator[Finding]:
    """Words that mean something only beside one of `owners`."""
    if any(owner in part.data for owner in owners):
        return
    for word in words:
        if word in part.data:
            named = " or ".join(f"`{owner}`" for owner in owners)
            yield Finding((*part.at, word), f"goes only with {named}, which is not here", on_key=True)


def commands(spec: Part) -> Iterator[Finding]:
    """Exactly one command for everything that runs one."""
    for part in commanded(spec):
        yield from command(part)


def command(part: Part) -> Iterator[Finding]:
    """The same for one task."""
    lacking = "missing; write `command` (shell text), `commands` (a list of them) or `command_line` (as it is)"
    yield from one_of(part, COMMAND_WORDS, lacking)
    for word in COMMAND_WORDS:
        for at, text in part.texts(word):
            if not text.strip():
                yield Finding(at, "is empty; a command needs at least one word")


def for_each(spec: Part) -> Iterator[Finding]:
    """Exactly one generator under `for_each`."""
    for part in generators(spec):
        if not part.data:
            yield Finding(part.at, f"is empty; expected one of {', '.join(GENERATORS)}")
        elif any(word in part.data for word in GENERATORS):
            yield from one_of(part, GENERATORS, None)
            yield from only_with(part, ("prefix", "pattern"), "container")
        if isinstance(part.data.get("range"), dict):
            yield from _range(part.part("range"))


def _range(part: Part) -> Iterator[Finding]:
    ends = [word for word in ("stop", "end") if word in part.data]
    if not ends:
        message = "lacks its end; write `stop` (the first number not in it) or `end` (the last in it)"
        yield Finding(part.at, message)
    yield from one_of(part, ends, None)


def resource_file(part: Part) -> Iterator[Finding]:
    """One source for each resource file."""
    dangling = any(word in part.data for word in ("file", "prefix", "blob_prefix"))  # each says what it goes with
    lacking = None if dangling else f"missing; a resource file needs one of {', '.join(_SOURCES)}"
    yield from one_of(part, _SOURCES, lacking)
    yield from only_with(part, ("file",), "upload", "container")
    yield from only_with(part, ("prefix",), "container")
    if "container" in part.data:
        yield from one_of(part, ("file", "prefix"), None)
    yield from only_with(part, ("blob_prefix",), "storage_container_url", "auto_storage_container_name")
    if "http_url" in part.data and "file_path" not in part.data:
        yield Finding((*part.at, "file_path"), "missing; with `http_url` it says where the file goes")


def output_file(part: Part) -> Iterator[Finding]:
    """One destination for each output file: ours or Azure's."""
    yield from one_of(part, ("container", "destination"), "missing; say the key of a container, or `destination`")
    yield from one_of(part, ("upload_condition", "upload_options"), None)
    if "destination" in part.data:
        yield from only_with(part, ("path", "upload_headers", "identity_reference"), "container")


def other_accounts(spec: Part) -> Iterator[Finding]:
    """A container of another account: its address says everything, and it is nobody's but theirs."""
    for _, part in spec.named("containers"):
        yield from only_with(part, ("sas",), "url")
        if "url" not in part.data:
            continue
        yield from one_of(part, ("url", "name"), None)
        if part.data.get("existing", False) is False:
            message = "needs `existing: true` beside it: a container of another account is never made or deleted"
            yield Finding((*part.at, "url"), message, on_key=True)
        name = part.part("sas").data.get("from_env")
        if isinstance(name, str) and not ENVIRONMENT_NAME.fullmatch(name):
            yield Finding((*part.at, "sas", "from_env"), f"{shown(name)} is not the name of an environment variable")


def image(spec: Part) -> Iterator[Finding]:
    """The words of the image shorthand."""
    part = spec.part("pool").part("image")
    if "id" in part.data:
        yield from says_all(part, "id", (*_IMAGE_PARTS, "version"))
    elif part.data:
        for word in _IMAGE_PARTS:
            if word not in part.data:
                message = "missing; an image has a publisher, an offer and a sku (or an `id`)"
                yield Finding((*part.at, word), message)
