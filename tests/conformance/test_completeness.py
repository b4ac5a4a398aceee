"""The suite as a whole: it has every operation of the SDK, and knows the engine only as a service."""

import re
from pathlib import Path

import pytest
from azure.batch import BatchClient
from azure.batch.aio import BatchClient as AioBatchClient

from tests.conformance import openapi
from tests.conformance.account import ON_AZURE

SOURCES = {path.name: path.read_text() for path in Path(__file__).parent.glob("*.py")}
NO_OPERATION = {"close", "send_request"}


@pytest.mark.parametrize("kind", [BatchClient, AioBatchClient])
def test_every_operation_of_the_sdk_is_in_the_suite(kind: type) -> None:
    operations = {name for name in dir(kind) if not name.startswith("_")} - NO_OPERATION

    called = set(re.findall(r"\bclient\.(\w+)", "".join(SOURCES.values())))

    assert operations - called == set()


def test_nothing_here_imports_the_engine() -> None:
    assert [name for name, text in SOURCES.items() if re.search(r"(?m)^\s*(from|import) batchspec", text)] == []


@pytest.mark.parametrize("version", openapi.VERSIONS)
def test_answers_are_judged_by_the_openapi(version: str) -> None:
    if openapi.document(version) is None:
        pytest.skip(f"Microsoft's OpenAPI {version} is not beside this repository: no schema was checked")
    assert len(openapi.operations(version)) > 70


def test_the_suite_runs_against_azure() -> None:
    if not ON_AZURE:
        pytest.skip("AZURE_BATCH_ENDPOINT is not set: the suite runs against the local engine")
