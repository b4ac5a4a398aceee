"""Which services a command works on, and with which credentials.

Place in the pipeline: `cli` calls `target` first and prints what it says; `connect` opens the services. In come the
`--target` flag and the environment, out goes a `Target`; no network, no SDK. Credentials are never in a spec; the
names are those of the Azure CLI. Keys are never in `repr`.

The rule that shapes this: a missing secret must not turn a cloud run into a green local one. So without
AZURE_BATCH_ENDPOINT the local engine is assumed only when nothing else points to Azure or to CI.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from batchspec.errors import UsageError

BATCH_ENDPOINT, BATCH_ACCOUNT, BATCH_KEY = "AZURE_BATCH_ENDPOINT", "AZURE_BATCH_ACCOUNT", "AZURE_BATCH_ACCESS_KEY"
STORAGE_ACCOUNT, STORAGE_KEY = "AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_KEY"
STORAGE_CONNECTION = "AZURE_STORAGE_CONNECTION_STRING"
TARGET_VARIABLE = "BATCHSPEC_TARGET"

# The suffix of a Batch endpoint tells the cloud: its blob suffix and the scope of a token for Batch.
_CLOUDS = {
    ".batch.chinacloudapi.cn": ("core.chinacloudapi.cn", "https://batch.chinacloudapi.cn/.default"),
    ".batch.usgovcloudapi.net": ("core.usgovcloudapi.net", "https://batch.core.usgovcloudapi.net/.default"),
}
_PUBLIC = ("core.windows.net", "https://batch.core.windows.net//.default")
_HOW = {
    BATCH_ENDPOINT: "az batch account list --query '[].accountEndpoint'",
    BATCH_ACCOUNT: "az batch account list --query '[].name'",
    BATCH_KEY: "az batch account keys list --name NAME --resource-group GROUP",
    STORAGE_ACCOUNT: "az storage account list --query '[].name'",
    STORAGE_KEY: "az storage account keys list --account-name NAME",
    STORAGE_CONNECTION: "az storage account show-connection-string --name NAME",
}


@dataclass(frozen=True, slots=True)
class BatchAccount:
    """Where Azure Batch is; `key` is None for Microsoft Entra, and then `scope` is what a token is asked for."""

    endpoint: str
    name: str
    key: str | None = field(default=None, repr=False)
    scope: str = _PUBLIC[1]


@dataclass(frozen=True, slots=True)
class StorageAccount:
    """Where the blobs are: `endpoint` without a slash at the end; `key` is None for Microsoft Entra."""

    endpoint: str
    name: str
    key: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Target:
    """What a command works on. The accounts are None for the local engine until it has been started."""

    kind: Literal["local", "azure"]
    shown_as: str
    batch: BatchAccount | None = None
    storage: StorageAccount | None = None

    @property
    def place(self) -> str:
        """What tells accounts apart, the same for everybody: "local", or both addresses."""
        if self.batch is None or self.storage is None:
            return "local"
        return f"{self.batch.endpoint} {self.storage.endpoint}".lower()


def target(flag: str | None, environ: Mapping[str, str]) -> Target:
    """The target that the flag, else BATCHSPEC_TARGET, else the environment names. Raises UsageError."""
    chosen = _chosen(flag, environ)
    if chosen == "local":
        return Target("local", "the local engine")
    return _azure(environ)


def is_loopback(endpoint: str) -> bool:
    """Whether an endpoint is on this machine."""
    host = urlsplit(endpoint).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


def _chosen(flag: str | None, environ: Mapping[str, str]) -> str:
    said, where = (flag, "--target") if flag is not None else (environ.get(TARGET_VARIABLE) or None, TARGET_VARIABLE)
    if said is not None:
        if said not in ("local", "azure"):
            raise UsageError(f"{where}: {said!r} is neither 'local' nor 'azure'")
        return said
    if environ.get(BATCH_ENDPOINT, "").strip():
        return "azure"
    reason = _why_ask(environ)
    if reason:
        raise UsageError(
            f"{reason}, but {BATCH_ENDPOINT} is not, so the target must be said",
            fix=f"add --target local or --target azure (or set {TARGET_VARIABLE}); for Azure set {BATCH_ENDPOINT} too: "
            + _HOW[BATCH_ENDPOINT],
        )
    return "local"


def _why_ask(environ: Mapping[str, str]) -> str:
    pointing = sorted(name for name in environ if name.startswith(("AZURE_BATCH_", "AZURE_STORAGE_")))
    if BATCH_ENDPOINT in pointing:
        pointing.remove(BATCH_ENDPOINT)
        if not pointing:
            return f"{BATCH_ENDPOINT} is there and empty"
    if pointing:
        return f"{', '.join(pointing)} {'is' if len(pointing) == 1 else 'are'} set"
    in_ci = environ.get("CI", "").strip().lower() not in ("", "0", "false", "no")
    return "CI is set" if in_ci else ""


def _azure(environ: Mapping[str, str]) -> Target:
    given = {name: value.strip() for name, value in environ.items() if name in _HOW}
    missing = _missing(given)
    if missing:
        how = "; ".join(f"{name}: {_HOW[name]}" for name in missing)
        are = "is" if len(missing) == 1 else "are"
        raise UsageError(f"{' and '.join(missing)} {are} not set, which the target azure needs", fix=how)
    batch = _batch(given)
    storage = _storage_from_string(given) if given.get(STORAGE_CONNECTION) else _storage_from_names(given)
    _refuse_token_over_http(batch, storage)
    return Target("azure", f"Azure Batch ({batch.endpoint})", batch, storage)


def _missing(given: Mapping[str, str]) -> list[str]:
    missing = [] if given.get(BATCH_ENDPOINT) else [BATCH_ENDPOINT]
    if given.get(BATCH_KEY) and not given.get(BATCH_ACCOUNT):
        missing.append(BATCH_ACCOUNT)
    # A variable that is there and empty is a secret that did not arrive, not a wish for Entra.
    if BATCH_KEY in given and not given[BATCH_KEY]:
        missing.append(BATCH_KEY)
    if not given.get(STORAGE_CONNECTION):
        if not given.get(STORAGE_ACCOUNT):
            missing.append(STORAGE_ACCOUNT)
        if STORAGE_KEY in given and not given[STORAGE_KEY]:
            missing.append(STORAGE_KEY)
    return missing


def _batch(given: Mapping[str, str]) -> BatchAccount:
    endpoint = _endpoint(BATCH_ENDPOINT, given[BATCH_ENDPOINT])
    host = urlsplit(endpoint).hostname or ""
    key = _key(BATCH_KEY, given.get(BATCH_KEY))
    return BatchAccount(endpoint, given.get(BATCH_ACCOUNT) or host.partition(".")[0], key, _cloud(host)[1])


def _storage_from_names(given: Mapping[str, str]) -> StorageAccount:
    name = given[STORAGE_ACCOUNT]
    if not name.isascii() or not name.isalnum():
        raise UsageError(f"{STORAGE_ACCOUNT}: {name!r} is not the name of a storage account (letters and digits only)")
    suffix = _cloud(urlsplit(_endpoint(BATCH_ENDPOINT, given[BATCH_ENDPOINT])).hostname or "")[0]
    return StorageAccount(f"https://{name}.blob.{suffix}", name, _key(STORAGE_KEY, given.get(STORAGE_KEY)))


def _storage_from_string(given: Mapping[str, str]) -> StorageAccount:
    pairs = [part.partition("=") for part in given[STORAGE_CONNECTION].split(";") if part.strip()]
    parts = {name.strip().lower(): value.strip() for name, _, value in pairs}
    if not parts.get("accountname") or not parts.get("accountkey"):
        raise UsageError(
            f"{STORAGE_CONNECTION} has no AccountName or no AccountKey, and without the key no SAS can be made",
            fix=f"{_HOW[STORAGE_CONNECTION]}; or set {STORAGE_ACCOUNT} alone to use Microsoft Entra",
        )
    name = parts["accountname"]
    scheme = parts.get("defaultendpointsprotocol", "https")
    usual = f"{scheme}://{name}.blob.{parts.get('endpointsuffix', _PUBLIC[0])}"
    endpoint = _endpoint(STORAGE_CONNECTION, parts.get("blobendpoint") or usual)
    return StorageAccount(endpoint, name, _key(STORAGE_CONNECTION, parts["accountkey"]))


def _endpoint(variable: str, text: str) -> str:
    if "//" not in text:
        text = f"{'http' if is_loopback(f'//{text}') else 'https'}://{text}"
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        raise UsageError(f"{variable}: {text!r} is not a URL: {error}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or "@" in text:
        raise UsageError(f"{variable}: {parts.scheme}://{parts.hostname or ''} is not the URL of an account")
    if parts.scheme == "http" and not is_loopback(text):
        raise UsageError(f"{variable}: {text!r} must be https: bodies and SAS would cross the network in the clear")
    return text.rstrip("/")


def _key(variable: str, text: str | None) -> str | None:
    if not text:
        return None
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise UsageError(f"{variable} is not an account key (base64)", fix=_HOW[variable]) from error
    return text


def _cloud(host: str) -> tuple[str, str]:
    return next((cloud for suffix, cloud in _CLOUDS.items() if host.endswith(suffix)), _PUBLIC)


def _refuse_token_over_http(batch: BatchAccount, storage: StorageAccount) -> None:
    for endpoint, key, variable in (
        (batch.endpoint, batch.key, BATCH_KEY),
        (storage.endpoint, storage.key, STORAGE_KEY),
    ):
        if key is None and endpoint.startswith("http:"):
            raise UsageError(f"{endpoint} without {variable}: a token is never sent over plain http")
