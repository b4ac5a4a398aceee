"""What a run tells while it goes on: events, and the sink that the stages are given.

Place in the pipeline: `apply`, `watch`, `fetch` and `delete` send events; `cli` prints them (live on a terminal, plain
lines elsewhere). Events are facts with numbers, never formatted text with units or colours, and hold no secrets.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

Stage = Literal[
    "containers", "uploads", "pool", "job", "schedule", "tasks", "wait", "release", "download", "cleanup", "delete"
]


@dataclass(frozen=True, slots=True)
class Started:
    """A stage begins. `total` items (0 when unknown) and `total_bytes` where bytes move."""

    stage: Stage
    total: int = 0
    total_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Advanced:
    """How far a stage is, in absolute numbers; `item` is what was just done, or empty.

    For `pool`: `done` of `total` nodes are usable (idle or running), `detail` the counts of nodes by state.
    For `wait`: `done` of `total` tasks completed, `detail` has active, running, completed, succeeded, failed.
    """

    stage: Stage
    done: int
    total: int = 0
    done_bytes: int = 0
    total_bytes: int = 0
    item: str = ""
    detail: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Finished:
    """A stage ended well: `summary` is one phrase ("3 created", "4 of 4", "2 of 2 nodes idle"), `seconds` it took."""

    stage: Stage
    summary: str
    seconds: float
    done_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Noted:
    """Something a person should know now: a reconnect, a reboot, a node that failed; one line, no newline."""

    text: str
    warning: bool = False


Event = Started | Advanced | Finished | Noted


class Reporter(Protocol):
    """Where events go; must not block and must not raise."""

    def __call__(self, event: Event, /) -> None:
        """Take one event."""
        ...


def silent(event: Event) -> None:
    """A reporter that drops everything."""
