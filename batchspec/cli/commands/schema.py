"""`batchspec schema`: a JSON Schema, byte for byte as shipped: of a spec, of a plan in a file, or of JSON output.

In: which. Out: JSON on stdout.
"""

from batchspec.cli.console import Console
from batchspec.spec.schema import FILE_NAME, OTHERS, text


def schema(console: Console, of: str) -> int:
    """Print the schema of a `spec`, `plan` or `output`."""
    console.raw(text(OTHERS.get(of, FILE_NAME)))
    return 0
