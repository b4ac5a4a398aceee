"""Addresses in what the service holds -> containers of the spec.

Place in the pipeline: `texts` and `files` ask what an address is of; `describe` writes the containers that were asked
for. In: addresses, the containers of the target's storage account. Out: keys of `containers`. Never keeps a SAS; what
it allows is read from it (`sp`, or the name of a policy that batchspec made), since batchspec makes its own.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

from batchspec.render.others import url_fault
from batchspec.spec.checks.names import KEY, container_fault

# As `cloud.sas` names the policies that it makes: by what they allow.
_POLICY = re.compile(r"batchspec-([racwdxltmeopi]+)\Z")
_LOOPBACK = re.compile(r"(https?://(?:127\.0\.0\.1|localhost)):\d+(?=/)")


@dataclass(frozen=True, slots=True)
class Address:
    """What an address names: a container by its key, and a blob in it ("" for the container itself).

    `rest` is what follows the container's address, as it was written. `signed` tells whether there was a SAS, `allows`
    the letters of what it allows; None when that is not known.
    """

    key: str
    blob: str
    rest: str
    signed: bool
    allows: str | None


@dataclass(slots=True)
class Storage:
    """The containers of one account, and those that a spec refers to.

    `base` is the account's address with a slash at its end; `owners` the spec that made each container that is there
    (None for nobody); `owner` the spec that is written, None when nothing of it is there yet. `keys` are those of the
    containers referred to by name, `others` those of other accounts by address.
    """

    base: str
    owners: Mapping[str, str | None]
    name: str
    owner: str | None
    keys: dict[str, str] = field(default_factory=dict)
    others: dict[str, str] = field(default_factory=dict)

    def address(self, url: str) -> Address | None:
        """What an address names; None when it is of no container that a spec can name."""
        plain, mark, query = url.partition("?")
        signed = "sig=" in query
        rest = self._below(plain)
        if rest is None:
            return self._other(plain, query) if signed else None
        container, _, blob = rest.partition("/")
        if container_fault(container):
            return None
        below = rest[len(container) :] + ("" if signed else mark + query)
        return Address(self.key(container), unquote(blob), below, signed, _allowed(query))

    def key(self, container: str) -> str:
        """The key of a container of this account, which is written into the spec from now on."""
        if container not in self.keys:
            self.keys[container] = self._free(container.removeprefix(f"{self.name}-"))
        return self.keys[container]

    def own(self, container: str) -> bool:
        """Whether the container is there and carries the mark of the spec that is written."""
        return self.owner is not None and self.owners.get(container) == self.owner

    def _below(self, url: str) -> str | None:
        """What follows the account's address; the local engine's port may have been another one."""
        for base, given in ((self.base, url), (_LOOPBACK.sub(r"\1", self.base), _LOOPBACK.sub(r"\1", url))):
            if given.startswith(base):
                return given[len(base) :]
        return None

    def _other(self, plain: str, query: str) -> Address | None:
        parts = urlsplit(plain)
        segments = parts.path.lstrip("/").split("/")
        depth = 2 if parts.hostname in ("127.0.0.1", "localhost") else 1
        url = f"{parts.scheme}://{parts.netloc}/{'/'.join(segments[:depth])}"
        if len(segments) < depth or url_fault(url):
            return None
        if url not in self.others:
            self.others[url] = self._free(segments[depth - 1])
        blob = "/".join(segments[depth:])
        return Address(self.others[url], unquote(blob), f"/{blob}" if blob else "", True, _allowed(query))

    def _free(self, wish: str) -> str:
        key = re.sub(r"[^a-z0-9]+", "_", wish.lower()).strip("_")
        key = key if KEY.fullmatch(key) else f"container_{key}".rstrip("_")
        taken = {*self.keys.values(), *self.others.values()}
        return next(one for one in (key, *(f"{key}_{n}" for n in range(2, len(taken) + 3))) if one not in taken)


def _allowed(query: str) -> str | None:
    fields = parse_qs(query)
    if "sp" in fields:
        return fields["sp"][0]
    policy = _POLICY.match(fields.get("si", [""])[0])
    return policy.group(1) if policy else None
