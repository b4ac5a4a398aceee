"""The words of a spec that are ours, where more than one module needs them.

Place in the pipeline: `rules`, `build`, `variables` and the schema's generator read them. Pure data. What each word
means stands in the schema, where editors show it.
"""

import re
from typing import Any, TypeGuard

from batchspec.spec.model import VarType

COMMAND_WORDS = ("command", "commands", "command_line")
GENERATORS = ("upload", "container", "items", "rows", "range", "matrix", "zip")
ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Of the id of an auto pool (docstring of BatchAutoPoolSpecification.auto_pool_id_prefix).
LONGEST_PREFIX = 20
VAR_TYPES: tuple[VarType, ...] = ("string", "integer", "number", "boolean", "list", "object")


def is_long_form(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether a variable is declared with words; any mapping is (a default that is one stands in `default`)."""
    return isinstance(value, dict)


def has_template(value: object) -> bool:
    """Whether a text is rendered at all."""
    return isinstance(value, str) and ("{{" in value or "{%" in value)
