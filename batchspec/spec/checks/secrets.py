"""Secrets written into a spec.

Place in the pipeline: called by `rules`. In: data. Out: Findings that never show the secret or a part of it.
"""

from collections.abc import Iterator

from batchspec.spec.checks.tree import Part
from batchspec.spec.document import At, Finding
from batchspec.spec.leaks import secret_in
from batchspec.spec.words import has_template

# Properties of Azure's models that hold a secret, whatever it looks like.
SECRET_PROPERTIES = frozenset({"password", "account_key", "sas_key", "ssh_private_key"})

_FREE_NAMES = frozenset({"vars", "environment_settings", "common_environment_settings", "metadata", "for_each"})
_INSTEAD = "remove it from the file, make it invalid (rotate it), and use a variable {secret: true, from_env: NAME}"
_SAS_INSTEAD = "batchspec makes SAS itself: use `upload:`, `container:` or containers.<key>.sas_url(...)"


def secrets(spec: Part) -> Iterator[Finding]:
    """Every text, and every key, that looks like a secret or stands where one belongs."""
    yield from _in(spec.data, ())


def _in(value: object, at: At) -> Iterator[Finding]:
    if isinstance(value, str):
        if kind := secret_in(value):
            instead = f"{_INSTEAD}; {_SAS_INSTEAD}" if kind == "a SAS" else _INSTEAD
            yield Finding(at, f"{kind} is written here; {instead}")
        elif _belongs_to_secret(at) and value and not has_template(value):
            yield Finding(at, "a secret is written here; use a variable: {secret: true, from_env: NAME} under `vars`")
    elif isinstance(value, dict):
        for key, inner in value.items():
            if kind := secret_in(key):
                yield Finding((*at, key), f"{kind} is written here; {_INSTEAD}", on_key=True)
            else:
                yield from _in(inner, (*at, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _in(inner, (*at, index))


def _belongs_to_secret(at: At) -> bool:
    return bool(at) and at[-1] in SECRET_PROPERTIES and _FREE_NAMES.isdisjoint(at)
