"""What differs and why: one `Change` per resource.

Place in the pipeline: `plan` makes these from `Desired` and `Observed`; `apply` carries them out; `cli` prints them.
Changes are data: they say what, why (property, old, new) and how; they hold no secret and do nothing.
"""

from dataclasses import dataclass, field
from typing import Literal

from batchspec.render.placeholder import Json

Action = Literal["create", "update", "replace", "delete", "keep"]
Kind = Literal["container", "upload", "pool", "job", "task", "download"]


@dataclass(frozen=True, slots=True)
class Reason:
    """Why: `text` in words; for a property also its dotted REST `path` with the `old` and `new` value."""

    text: str
    path: str = ""
    old: Json = None
    new: Json = None


@dataclass(frozen=True, slots=True)
class Change:
    """What shall happen to one resource.

    `kind` and `id` name it: a container by its name, an upload by `container/blob`, a download by `container/blob`.
    `id` of a task is its task id. `key` is the spec's key of a container (of an upload: the upload's key), else "".
    `size` is bytes of an upload or download.
    """

    action: Action
    kind: Kind
    id: str
    reasons: tuple[Reason, ...] = ()
    key: str = ""
    size: int = 0
    steps: tuple[str, ...] = field(default=())
