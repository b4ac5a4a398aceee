"""`batchspec schema`: the JSON Schema of a spec, byte for byte as shipped.

In: nothing. Out: JSON on stdout.
"""

from batchspec.cli.console import Console
from batchspec.spec.schema import text


def schema(console: Console) -> int:
    """Print the schema."""
    console.raw(text())
    return 0
