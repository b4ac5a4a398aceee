"""Declarations of variables: type, default, allowed values, secrets.

Place in the pipeline: called by `rules`. In: data. Out: Findings. Values from outside are checked by `variables`.
"""

from collections.abc import Iterator

from batchspec.spec.checks.tree import Part
from batchspec.spec.document import Finding, shown
from batchspec.spec.types import fits, type_in_words
from batchspec.spec.words import ENVIRONMENT_NAME, VAR_TYPES


def variables(spec: Part) -> Iterator[Finding]:
    """Every variable in its long form."""
    for _, part in spec.named("vars"):
        if "secret" in part.data or "from_env" in part.data:
            yield from _secret(part)
        yield from _default(part)


def _secret(part: Part) -> Iterator[Finding]:
    if part.data.get("secret") is not True:
        if "from_env" in part.data and part.data.get("secret", False) is False:
            yield Finding(
                (*part.at, "from_env"), "goes only with `secret: true`; others are given by --var", on_key=True
            )
        return
    if "default" in part.data:
        yield Finding((*part.at, "default"), "a secret has no default; it comes from `from_env`", on_key=True)
    if part.data.get("type", "string") != "string":
        yield Finding((*part.at, "type"), "a secret is a string")
    name = part.data.get("from_env")
    if name is None:
        yield Finding((*part.at, "from_env"), "missing; name the environment variable that holds the secret")
    elif isinstance(name, str) and not ENVIRONMENT_NAME.fullmatch(name):
        yield Finding((*part.at, "from_env"), f"{shown(name)} is not the name of an environment variable")


def _default(part: Part) -> Iterator[Finding]:
    kind, default, allowed = part.data.get("type"), part.data.get("default"), part.data.get("allowed")
    known = isinstance(kind, str) and kind in VAR_TYPES
    if known and default is not None and not fits(default, str(kind)):
        yield Finding((*part.at, "default"), f"expected {type_in_words(str(kind))} (`type`), got {shown(default)}")
    if not isinstance(allowed, list):
        return
    for index, one in enumerate(allowed):
        if known and not fits(one, str(kind)):
            message = f"expected {type_in_words(str(kind))} (`type`), got {shown(one)}"
            yield Finding((*part.at, "allowed", index), message)
    if default is not None and default not in allowed:
        yield Finding((*part.at, "default"), f"{shown(default)} is not one of the values under `allowed`")
