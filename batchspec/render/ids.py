"""Azure's rules for names, and a legal task id for any text.

Place in the pipeline: `template` offers `task_id` as a filter, `desired` and `tasks` check what was rendered. In: a
name. Out: what is wrong with it, or nothing. Never changes a name silently.

Rules: ids of pools, jobs and tasks from the REST reference ("Add Task", `id`), container and blob names from "Naming
and Referencing Containers, Blobs, and Metadata".
"""

import hashlib
import re
import unicodedata

from batchspec.render.symbolic import holds_marker, holds_surrogate

MAX_ID = 64
MAX_BLOB_NAME = 1024
SPECIAL_CONTAINERS = frozenset({"$root", "$web", "$logs"})

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NOT_ID = re.compile(r"[^A-Za-z0-9_-]+")
_SPEC_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_CONTAINER = re.compile(r"[a-z0-9](?:-?[a-z0-9])*")
_HASH_DIGITS = 8
_LONG_HASH_DIGITS = 16


def task_id(text: str) -> str:
    """A legal task id that people can read: the text itself when it is one, else its plain letters and a short hash.

    The hash, of the exact text, keeps `a b` and `a-b` apart; it is longer where letters are lost or cut off, since very
    many names may then look the same (of 100,000 Japanese ones, two would likely share 8 digits). Never empty, at most
    64 characters, the same everywhere.
    """
    if _ID.fullmatch(text):
        return text
    # Each character alone: the order of its accents, which take long to sort where there are many, goes with them.
    composed = text if text.isascii() else "".join(unicodedata.normalize("NFKD", c) for c in text)
    plain = "".join(c for c in composed if not unicodedata.combining(c))
    readable = _NOT_ID.sub("-", plain).strip("-_")
    lost = not readable or any(c.isalnum() and not c.isascii() for c in plain)
    digits = _LONG_HASH_DIGITS if lost or len(readable) > MAX_ID - _HASH_DIGITS - 1 else _HASH_DIGITS
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:digits]
    kept = readable[: MAX_ID - digits - 1].rstrip("-_")
    return f"{kept}-{digest}" if kept else digest


def id_fault(text: str) -> str | None:
    """What is wrong with this id of a pool, a job or a task; None when it is legal."""
    if _ID.fullmatch(text):
        return None
    if holds_marker(text):
        return "holds a secret or an address, which no id can"
    if not text:
        return f"an id cannot be empty; use 1 to {MAX_ID} letters, digits, - and _"
    if len(text) > MAX_ID:
        return f"has {len(text)} characters, an id at most {MAX_ID}; shorten it"
    bad = "".join(dict.fromkeys(_NOT_ID.findall(text)))
    return f"has {_named(bad)}, an id only letters, digits, - and _"


def spec_name_fault(text: str) -> str | None:
    """What is wrong with the `name` of a spec."""
    if not _SPEC_NAME.fullmatch(text):
        return "a name has lower-case letters and digits, with single - between them, such as my-run-2"
    if len(text) > MAX_ID:
        return f"has {len(text)} characters, a name at most {MAX_ID}, since pool and job are named after it"
    return None


def container_fault(text: str, *, existing: bool = False) -> str | None:
    """What is wrong with the name of a blob container."""
    if existing and text in SPECIAL_CONTAINERS:
        return None
    if not 3 <= len(text) <= 63:
        return f"has {len(text)} characters, a container's name 3 to 63"
    if not _CONTAINER.fullmatch(text):
        return "a container's name has lower-case letters and digits, with single - between them"
    return None


def blob_fault(text: str) -> str | None:
    """What is wrong with the name of a blob, which is also a relative path on the node."""
    if not text or len(text) > MAX_BLOB_NAME:
        return f"has {len(text)} characters, a blob's name 1 to {MAX_BLOB_NAME}"
    if fault := blob_name_fault(text):
        return f"{fault}; rename the file"
    if holds_surrogate(text):
        return "is not valid UTF-8; rename the file"
    if any(ord(c) < 0x20 or ord(c) in (0x7F, 0xFFFE, 0xFFFF) for c in text):
        return "holds a control character; rename the file"
    if any(part in ("", ".", "..") for part in text.split("/")):
        return "has an empty part, . or .. in its path, which is no path on a node"
    if text.endswith("."):
        return "ends in a dot, which Blob Storage drops; rename the file"
    if "\\" in text:
        return "holds a backslash, which Blob Storage takes for a slash; rename the file"
    return None


def blob_name_fault(text: str) -> str | None:
    """Why a blob that exists cannot be named in a spec, whatever is done with it; None when it can."""
    return "holds one of the characters U+E000 to U+E002, which batchspec reserves" if holds_marker(text) else None


def path_fault(text: str) -> str | None:
    """Why a blob's name is no path below a task's working directory; None when it is one."""
    if any(part in ("", ".", "..") for part in text.split("/")):
        return "has an empty part, . or .. in its path, which is no path on a node"
    return "holds a control character" if any(ord(c) < 0x20 or ord(c) == 0x7F for c in text) else None


def _named(bad: str) -> str:
    shown = " ".join("a space" if c == " " else repr(c) for c in bad[:5])
    return shown + (" ..." if len(bad) > 5 else "")
