"""Containers of other storage accounts: an address -> what is wrong with it, and the name that it goes by.

Place in the pipeline: `resources` makes a DesiredContainer with these, `cloud` opens its address. In: the URL as
rendered. Out: a name such as `data@account.blob.core.windows.net`, which no container of the target's own account can
have, since `@` may not stand in one. Pure, and never shows a query: a SAS could stand there.
"""

from urllib.parse import SplitResult, unquote, urlsplit

from batchspec.render.ids import container_fault

_EXAMPLE = "https://ACCOUNT.blob.core.windows.net/CONTAINER"


def url_fault(text: str) -> str | None:
    """What is wrong with the address of a container; None when it is one."""
    parts = _parts(text)
    if parts is None or not parts.hostname or parts.scheme not in ("http", "https"):
        return f"expected the address of a container, such as {_EXAMPLE}"
    if parts.query or parts.fragment or "@" in parts.netloc:
        way = "a SAS comes from the environment: `sas: {from_env: NAME}`"
        return f"expected an address without a query or a user, such as {_EXAMPLE}; {way}"
    if parts.scheme == "http" and not _on_this_machine(parts.hostname):
        return "must be https: a SAS and the blobs would cross the network in the clear"
    segments = [unquote(one) for one in parts.path.strip("/").split("/") if one]
    # On this machine the account is a part of the path, as emulators have it.
    if len(segments) != (2 if _on_this_machine(parts.hostname) else 1):
        return f"expected the address of one container and nothing below it, such as {_EXAMPLE}"
    return container_fault(segments[-1], existing=True)


def name_of(url: str) -> str:
    """The name that a container of another account goes by, of an address without fault."""
    parts = urlsplit(url)
    *account, container = parts.path.strip("/").split("/")
    return "@".join((container, *account, parts.netloc))


def _parts(text: str) -> SplitResult | None:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _on_this_machine(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")
