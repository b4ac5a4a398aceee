"""Containers of other storage accounts, each with the SAS that its owner gave.

Place in the pipeline: `cli` makes an `OtherContainer` of each container with a `url`, `clients` opens it beside the
target's own account, and `blobs` takes it for the container of its name. A SAS for a container allows no look at its
properties (Create a service SAS, "Permissions for a container"), so that whether it is there is told by a list of one
blob where the SAS allows that, and else assumed. Nothing is signed here: what the SAS allows is all there is.

A spec names both the address and the variable, so one from an untrusted pull request could ask for any SAS of the
environment to be sent to any host. `plan` must be safe for such specs: it sends a SAS only where the variable itself
holds the whole address, and it is the spec's. Nor does it ask just any host: one behind a firewall could be meant. A
public container, which has no SAS, must be one of Azure Storage.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

from batchspec.errors import PlanRefused, UsageError

_AZURE_STORAGE = tuple(
    f".blob.{suffix}"
    for suffix in ("core.windows.net", "storage.azure.net", "core.chinacloudapi.cn", "core.usgovcloudapi.net")
)


@dataclass(frozen=True, slots=True)
class OtherContainer:
    """`url` without query and slash at the end; `sas` is its query ("" for none), `from_env` the variable it is in.

    `withheld` says that there is a SAS which must not be sent, since nothing says that it belongs to this address, or,
    without `from_env`, that nothing says that this address may be asked at all.
    """

    url: str
    from_env: str = ""
    sas: str = field(default="", repr=False)
    withheld: bool = False

    @property
    def may_list(self) -> bool:
        """Whether a list of its blobs can be asked for."""
        return "l" in self._allowed if self.sas else not (self.from_env or self.withheld)

    @property
    def _allowed(self) -> str:
        # Without `sp` a policy of the container says what is allowed, which cannot be seen from here.
        return parse_qs(self.sas).get("sp", ["racwdl"])[0]

    def check(self, permissions: str) -> None:
        """Raises PlanRefused when the SAS does not allow this."""
        lacking = [letter for letter in permissions if letter not in self._allowed]
        if self.sas and lacking:
            raise PlanRefused(
                f"the SAS in {self.from_env} for {self.url} allows {self._allowed!r}, and {permissions!r} is needed",
                fix="ask the owner of the container for a SAS with these permissions",
            )

    @property
    def unreadable(self) -> UsageError | None:
        """Why no request can be made: the SAS that it shall have is not there, or must not be sent."""
        if self.withheld and not self.from_env:
            return UsageError(
                f"{self.url} is not on Azure Storage: `plan` asks no other host without a SAS, since the spec alone "
                "names it",
                fix="give the container a `sas: {from_env: NAME}`; `apply` asks it as it is",
            )
        if self.withheld:
            return UsageError(
                f"{self.from_env} holds a SAS without its address, which `plan` does not send to {self.url}: the spec "
                "alone says that it belongs there",
                fix=f"export {self.from_env}='{self.url}?sv=...&sig=...', the whole address",
            )
        if self.from_env and not self.sas:
            return UsageError(
                f"the environment variable {self.from_env} is not set; it holds the SAS for {self.url}",
                fix=f"export {self.from_env}='{self.url}?sv=...&sig=...'",
            )
        return None

    def refuse_unreadable(self) -> None:
        """Raises UsageError when the SAS is needed now and not there."""
        if self.unreadable is not None:
            raise self.unreadable


def other_container(url: str, from_env: str, value: str, now: datetime, *, trusted: bool = True) -> OtherContainer:
    """What the environment says of a container; whether the spec is `trusted` to say where a SAS goes.

    Raises UsageError for a value that is no SAS, that has expired, or that is for another address.
    """
    address, mark, sas = value.strip().partition("?")
    if not mark:
        address, sas = "", address
    if not sas:
        host = urlsplit(url).hostname or ""
        return OtherContainer(url, from_env, withheld=not (trusted or from_env or host.endswith(_AZURE_STORAGE)))
    found = parse_qs(sas)
    if "sig" not in found:
        raise UsageError(
            f"{from_env} is not a SAS: it has no signature",
            fix=f"expected the query of a SAS for {url}, such as sv=...&sp=rl&sig=...",
        )
    if address and address.rstrip("/") != url:
        raise UsageError(f"the SAS in {from_env} is for another address than {url}", fix="see `url` in the spec")
    ends = _moment(found.get("se", [""])[0])
    if ends is not None and ends <= now:
        raise UsageError(f"the SAS in {from_env} for {url} expired on {ends:%Y-%m-%d %H:%M} UTC", fix="get a new one")
    return OtherContainer(url, from_env, sas) if trusted or address else OtherContainer(url, from_env, withheld=True)


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
