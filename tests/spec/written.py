"""Specs written out for one test: a text becomes a file, and what is found in it becomes lines."""

import textwrap
from pathlib import Path

from batchspec.errors import SpecInvalid
from batchspec.spec.document import Document
from batchspec.spec.load import load
from batchspec.spec.model import Spec
from batchspec.spec.read import read

POOL = "pool: {vm_size: standard_d2s_v3, image: {publisher: canonical, offer: ubuntu-24_04-lts, sku: server}}"
ACCOUNT_KEY = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJCrze8SNFZ4kA=="
SAS = "https://x.blob.core.windows.net/c?sv=2024-11-04&sr=c&sig=Zm9vYmFyYmF6Zm9vYmFyYmF6Zm9vYmFyYmF6MTIzNA%3D%3D"


def file(folder: Path, content: str | bytes) -> Path:
    """The content in a file; text is dedented."""
    path = folder / "spec.yaml"
    path.write_bytes(content if isinstance(content, bytes) else textwrap.dedent(content).encode())
    return path


def document(folder: Path, content: str | bytes) -> Document:
    """The content as a document."""
    return load(file(folder, content), "s")


def problems(folder: Path, content: str | bytes) -> list[str]:
    """Every problem that reading the content finds, as `line:column: path: message`."""
    try:
        _, found = read(file(folder, content), "s")
    except SpecInvalid as error:
        found = list(error.problems)
    return [str(problem).removeprefix("s:") for problem in found]


def spec(folder: Path, content: str) -> Spec:
    """The content as a spec, which must be valid."""
    built, found = read(file(folder, content), "s")
    assert found == []
    assert built is not None
    return built
