"""What a person must be told about an imported spec: comments in it, and lines on stderr.

Place in the pipeline: everything that converts notes what it left out or changed; `written` puts the notes into the
file, the command prints them. Pure data.
"""

from dataclasses import dataclass, field

from batchspec.spec.load import At


@dataclass(slots=True)
class Notes:
    """Notes by the place that they belong to, in the order in which they were made; each once."""

    by_place: dict[At, list[str]] = field(default_factory=dict)

    def add(self, at: At, text: str) -> None:
        """Note this about the value at a place."""
        told = self.by_place.setdefault(at, [])
        if text not in told:
            told.append(text)

    def below(self, at: At) -> bool:
        """Whether there is a note about anything below a place."""
        return any(len(place) > len(at) and place[: len(at)] == at for place in self.by_place)

    def moved(self, old: At, new: At) -> dict[At, list[str]]:
        """Those at or below a place, as they would be at another."""
        return {(*new, *place[len(old) :]): told for place, told in self.by_place.items() if place[: len(old)] == old}
