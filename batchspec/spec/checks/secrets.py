"""Secrets written into a spec.

Place in the pipeline: called by `rules`. In: data. Out: Findings that never show the secret or a part of it.
"""

from collections.abc import Iterator, Mapping

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


def _in(parent: Mapping[str, object] | list[object], at: At) -> Iterator[Finding]:
    # A spec may hold 250,000 values: a path is made only for those that need it.
    for step, value in parent.items() if isinstance(parent, dict) else enumerate(parent):
        if isinstance(step, str) and (kind := secret_in(step)):
            yield Finding((*at, step), f"{kind} is written here; {_INSTEAD}", on_key=True)
        elif isinstance(value, (dict, list)):
            yield from _in(value, (*at, step))
        elif not isinstance(value, str):
            continue
        elif kind := secret_in(value):
            instead = f"{_INSTEAD}; {_SAS_INSTEAD}" if kind == "a SAS" else _INSTEAD
            yield Finding((*at, step), f"{kind} is written here; {instead}")
        elif step in SECRET_PROPERTIES and value and not has_template(value) and _FREE_NAMES.isdisjoint(at):
            message = "a secret is written here; use a variable: {secret: true, from_env: NAME} under `vars`"
            yield Finding((*at, step), message)
