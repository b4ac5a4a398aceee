"""Texts that the service holds -> texts of a spec: addresses become references to containers, secrets variables.

Place in the pipeline: `words` and `files` pass every text through here. In: a text. Out: `Text`. A SAS never gets
through: where it cannot be made anew by a template, the address stands without it, and a note says so.
"""

import re

from batchspec.importing.notes import Notes
from batchspec.importing.pieces import Code, Text, joined, text
from batchspec.importing.secrets import Secrets
from batchspec.importing.storage import Storage
from batchspec.render.symbolic import holds_marker
from batchspec.spec.leaks import secret_in
from batchspec.spec.load import At

# An address in the middle of other text ends where no address goes on, or where shells and lists would end it.
_URL = re.compile(r"https?://[^\s'\"`<>\\^{}|;,()\[\]]+")
_QUERY = re.compile(r"\?[^\s'\"`<>\\^{}|;,()\[\]]*")
NO_SAS = (
    "the SAS of this address is not written here, and no template makes one for a single blob: "
    "use {container: KEY, file: NAME} under resource_files"
)
_FOREIGN_SAS = (
    "the SAS of this address is not written here: declare the container under `containers` with "
    "{existing: true, url: ..., sas: {from_env: NAME}}"
)
_ASSUMED = "its SAS is bound to a policy that cannot be read from here; `rl` (read and list) is assumed"


class Texts:
    """Converts texts of one spec."""

    def __init__(self, storage: Storage, secrets: Secrets, notes: Notes) -> None:
        self.storage = storage
        self.secrets = secrets
        self.notes = notes

    def of(self, value: str, at: At, *, wish: str = "") -> Text:
        """A text as it must be written; `wish` names the variable that would stand for a secret."""
        if "://" not in value and secret_in(value) is None:
            return text(value)
        made = self._addresses(value, at)
        if any(secret_in(piece) for piece in made.literals):
            return self.secrets.hidden(wish or _wish(at), value, at)
        return made

    def _addresses(self, value: str, at: At) -> Text:
        pieces: list[str | Code] = []
        end = 0
        for match in _URL.finditer(value):
            pieces += [value[end : match.start()], *self._address(match.group(), at)]
            end = match.end()
        return joined([*pieces, value[end:]])

    def _address(self, url: str, at: At) -> list[str | Code]:
        found = self.storage.address(url)
        if found is None:
            if "sig=" not in url:
                return [url]
            self.notes.add(at, _FOREIGN_SAS)
            return [_QUERY.sub("", url)]
        if not found.signed or found.blob:
            if found.signed:
                self.notes.add(at, NO_SAS)
            return [Code(f"containers.{found.key}.url"), found.rest]
        if found.allows is None:
            self.notes.add(at, _ASSUMED)
        return [Code(f"containers.{found.key}.sas_url('{found.allows or 'rl'}')"), found.rest]


def cannot_be_written(value: str) -> bool:
    """Whether a text holds what no spec can: NUL, characters that batchspec reserves, or what is not Unicode text."""
    return "\0" in value or holds_marker(value) or any("\ud800" <= one <= "\udfff" for one in value)


def _wish(at: At) -> str:
    return "_".join(str(part) for part in at[-2:] if isinstance(part, str))
