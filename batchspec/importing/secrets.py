"""Secrets that must not be written into a spec, and those that the service does not tell -> secret variables.

Place in the pipeline: `texts` and `words` ask for a variable; `describe` writes `vars`. In: where a secret stands, and
its value where it is known. Out: the expression to write instead. The values are kept as digests, only to give equal
ones the same variable; never written.
"""

import hashlib
import re
from dataclasses import dataclass, field

from batchspec.importing.notes import Notes
from batchspec.importing.pieces import Code, Text
from batchspec.spec.load import At

# Environment settings whose names say that their values are secret, whatever they look like.
_SAYS_SO = re.compile(
    r"(?i)(?:^|[_-])(?:password|passwd|pwd|passphrase|secret|token|credentials?|(?:connection|conn)_?string"
    r"|(?:api|access|account|private|secret|storage|shared|auth|master|sas)_?key|sas)[_-]?\d*\Z"
)


@dataclass(slots=True)
class Secrets:
    """The secret variables of a spec: `variables` are environment variables by name."""

    notes: Notes
    variables: dict[str, str] = field(default_factory=dict)
    _names: dict[tuple[str, str], str] = field(default_factory=dict)

    def hidden(self, wish: str, value: str, at: At) -> Text:
        """What to write instead of a value that the service told; `wish` is a name for the variable."""
        digest = hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
        name = self._names.get((wish, digest)) or self._new(wish)
        self._names[wish, digest] = name
        kept = f"the value, which is not written here, comes from the environment variable {self.variables[name]}"
        self.notes.add(at, kept)
        return Text((Code(f"vars.{name}"),))

    def untold(self, wish: str, at: At) -> Text:
        """What to write for a secret that the service never tells."""
        name = self._new(wish)
        kept = f"the service never tells it: `apply` takes it from the environment variable {self.variables[name]}"
        self.notes.add(at, kept)
        return Text((Code(f"vars.{name}"),))

    def _new(self, wish: str) -> str:
        base = re.sub(r"[^a-z0-9]+", "_", wish.lower()).strip("_") or "secret"
        base = base if base[0].isalpha() else f"secret_{base}"
        name = next(
            one
            for one in (base, *(f"{base}_{n}" for n in range(2, len(self.variables) + 3)))
            if one not in self.variables
        )
        self.variables[name] = name.upper()
        return name


def says_secret(name: str) -> bool:
    """Whether the name of an environment setting says that its value must not be written."""
    return _SAYS_SO.search(name) is not None
