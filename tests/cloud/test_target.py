"""Which target a flag and an environment name, and what is said when they do not."""

import subprocess
import sys

import pytest

from batchspec.cloud.target import BatchAccount, StorageAccount, Target, target
from batchspec.errors import UsageError

KEY = "c2VjcmV0LWtleS1vZi10aGUtYWNjb3VudA=="
BATCH = {
    "AZURE_BATCH_ENDPOINT": "https://acct.westeurope.batch.azure.com",
    "AZURE_BATCH_ACCOUNT": "acct",
    "AZURE_BATCH_ACCESS_KEY": KEY,
}
STORAGE = {"AZURE_STORAGE_ACCOUNT": "stor", "AZURE_STORAGE_KEY": KEY}
LOCAL = Target("local", "the local engine")


@pytest.mark.parametrize(
    ("flag", "environ"),
    [
        (None, {}),
        (None, {"CI": "false", "PATH": "/bin"}),
        ("local", {"CI": "true"}),
        ("local", {**BATCH, **STORAGE}),
        (None, {"CI": "true", "BATCHSPEC_TARGET": "local"}),
        (None, {**BATCH, "BATCHSPEC_TARGET": "local"}),
        ("local", {"BATCHSPEC_TARGET": "azure"}),
        (None, {"BATCHSPEC_TARGET": ""}),
    ],
)
def test_the_local_engine_is_the_target_when_said_or_when_nothing_points_elsewhere(
    flag: str | None, environ: dict[str, str]
) -> None:
    assert target(flag, environ) == LOCAL


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"CI": "true"}, "CI is set"),
        ({"CI": "1"}, "CI is set"),
        ({"AZURE_BATCH_ACCOUNT": "acct"}, "AZURE_BATCH_ACCOUNT is set"),
        ({"AZURE_BATCH_ACCESS_KEY": ""}, "AZURE_BATCH_ACCESS_KEY is set"),
        (STORAGE, "AZURE_STORAGE_ACCOUNT, AZURE_STORAGE_KEY are set"),
        ({"AZURE_STORAGE_CONNECTION_STRING": "x", "CI": "true"}, "AZURE_STORAGE_CONNECTION_STRING is set"),
        ({"AZURE_BATCH_ENDPOINT": ""}, "AZURE_BATCH_ENDPOINT is there and empty"),
    ],
)
def test_a_missing_endpoint_never_falls_back_to_local_when_something_points_to_azure_or_ci(
    environ: dict[str, str], named: str
) -> None:
    with pytest.raises(UsageError, match=r"the target must be said") as raised:
        target(None, environ)
    assert str(raised.value).startswith(named)
    assert "--target local" in raised.value.fix
    assert raised.value.exit_code == 2


@pytest.mark.parametrize(
    ("flag", "environ", "message"),
    [
        ("cloud", {}, "--target: 'cloud' is neither 'local' nor 'azure'"),
        ("", {}, "--target: '' is neither 'local' nor 'azure'"),
        (None, {"BATCHSPEC_TARGET": "Local"}, "BATCHSPEC_TARGET: 'Local' is neither 'local' nor 'azure'"),
    ],
)
def test_an_unknown_target_is_a_usage_error(flag: str | None, environ: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError) as raised:
        target(flag, environ)
    assert str(raised.value) == message


def test_keys_give_shared_key_for_both_services() -> None:
    assert target(None, {**BATCH, **STORAGE}) == Target(
        "azure",
        "Azure Batch (https://acct.westeurope.batch.azure.com)",
        BatchAccount("https://acct.westeurope.batch.azure.com", "acct", KEY),
        StorageAccount("https://stor.blob.core.windows.net", "stor", KEY),
    )


def test_without_keys_entra_is_used() -> None:
    found = target("azure", {"AZURE_BATCH_ENDPOINT": "acct.westeurope.batch.azure.com/", "AZURE_STORAGE_ACCOUNT": "st"})
    assert found.batch == BatchAccount("https://acct.westeurope.batch.azure.com", "acct", None)
    assert found.storage == StorageAccount("https://st.blob.core.windows.net", "st", None)


def test_the_batch_endpoint_tells_the_cloud() -> None:
    found = target(None, {"AZURE_BATCH_ENDPOINT": "a.usgovvirginia.batch.usgovcloudapi.net", **STORAGE})
    assert found.batch is not None
    assert found.batch.scope == "https://batch.core.usgovcloudapi.net/.default"
    assert found.storage == StorageAccount("https://stor.blob.core.usgovcloudapi.net", "stor", KEY)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            f"DefaultEndpointsProtocol=https;AccountName=s;AccountKey={KEY};EndpointSuffix=core.chinacloudapi.cn",
            StorageAccount("https://s.blob.core.chinacloudapi.cn", "s", KEY),
        ),
        (f"accountname=s;accountkey={KEY};", StorageAccount("https://s.blob.core.windows.net", "s", KEY)),
        (
            f"AccountName=s;AccountKey={KEY};BlobEndpoint=http://127.0.0.1:10000/s;",
            StorageAccount("http://127.0.0.1:10000/s", "s", KEY),
        ),
    ],
)
def test_a_connection_string_wins_and_its_endpoint_is_used(text: str, expected: StorageAccount) -> None:
    assert target(None, {**BATCH, **STORAGE, "AZURE_STORAGE_CONNECTION_STRING": text}).storage == expected


@pytest.mark.parametrize(
    ("environ", "missing"),
    [
        ({}, "AZURE_BATCH_ENDPOINT and AZURE_STORAGE_ACCOUNT are not set"),
        ({**STORAGE}, "AZURE_BATCH_ENDPOINT is not set"),
        ({**BATCH}, "AZURE_STORAGE_ACCOUNT is not set"),
        ({**BATCH, "AZURE_STORAGE_KEY": KEY}, "AZURE_STORAGE_ACCOUNT is not set"),
        ({**BATCH, **STORAGE, "AZURE_BATCH_ACCOUNT": " "}, "AZURE_BATCH_ACCOUNT is not set"),
        ({**BATCH, **STORAGE, "AZURE_BATCH_ACCESS_KEY": ""}, "AZURE_BATCH_ACCESS_KEY is not set"),
        ({**BATCH, **STORAGE, "AZURE_STORAGE_KEY": ""}, "AZURE_STORAGE_KEY is not set"),
    ],
)
def test_what_is_missing_for_azure_is_named_with_how_to_get_it(environ: dict[str, str], missing: str) -> None:
    with pytest.raises(UsageError) as raised:
        target("azure", environ)
    assert str(raised.value) == f"{missing}, which the target azure needs"
    assert "az " in raised.value.fix


@pytest.mark.parametrize(
    ("changed", "part"),
    [
        ({"AZURE_BATCH_ENDPOINT": "http://acct.batch.azure.com"}, "must be https"),
        ({"AZURE_BATCH_ENDPOINT": "ftp://acct.batch.azure.com"}, "is not the URL of an account"),
        ({"AZURE_BATCH_ENDPOINT": "https://acct:99999"}, "is not a URL"),
        ({"AZURE_BATCH_ENDPOINT": "https://"}, "is not the URL of an account"),
        ({"AZURE_BATCH_ENDPOINT": "https://user:word@host"}, "is not the URL of an account"),
        ({"AZURE_BATCH_ACCESS_KEY": "not base64!"}, "is not an account key"),
        ({"AZURE_STORAGE_ACCOUNT": "a/b"}, "is not the name of a storage account"),
        (
            {"AZURE_STORAGE_CONNECTION_STRING": "BlobEndpoint=https://x;SharedAccessSignature=sig=hidden"},
            "no AccountKey",
        ),
    ],
)
def test_values_that_cannot_be_right_are_usage_errors_without_the_secret(changed: dict[str, str], part: str) -> None:
    with pytest.raises(UsageError, match=part) as raised:
        target("azure", {**BATCH, **STORAGE, **changed})
    assert "hidden" not in str(raised.value)
    assert "word" not in str(raised.value)
    assert "not base64!" not in str(raised.value)


def test_a_token_is_never_sent_over_plain_http() -> None:
    with pytest.raises(UsageError, match="never sent over plain http"):
        target("azure", {"AZURE_BATCH_ENDPOINT": "127.0.0.1:4000", **STORAGE})


def test_no_repr_shows_a_key() -> None:
    assert KEY not in repr(target(None, {**BATCH, **STORAGE}))


def test_deciding_the_target_imports_no_sdk() -> None:
    code = (
        "import sys, batchspec.cloud.connect as c; c.target(None, {});"
        "print([m for m in sys.modules if m.partition('.')[0] in ('azure', 'aiohttp')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
