"""What the engine commands print of the engine's answer."""

import shlex

from batchspec.cli.commands.engine import show, variables
from batchspec.render.symbolic import Json
from tests.cli.made import console, shown

ANSWER: dict[str, Json] = {
    "state": "running",
    "started": True,
    "pid": 42,
    "version": "0.1.0",
    "batch": {"endpoint": "http://127.0.0.1:1", "account": "batchspec", "key": "KEY=="},
    "storage": {"endpoint": "http://127.0.0.1:2/x", "account": "x", "key": "KEY2==", "connection_string": "a=b;c='d'"},
    "state_dir": "/s",
    "log": "/s/log",
    "notes": ["the port was taken"],
}


def test_env_prints_only_the_six_standard_variables_quoted_for_the_shell() -> None:
    one = console()
    show(one, "env", ANSWER)

    lines = shown(one)[0].splitlines()
    assert [shlex.split(line)[0] for line in lines] == ["export"] * 6
    assert dict(shlex.split(line)[1].split("=", 1) for line in lines) == variables(ANSWER)
    assert list(variables(ANSWER)) == [
        "AZURE_BATCH_ENDPOINT",
        "AZURE_BATCH_ACCOUNT",
        "AZURE_BATCH_ACCESS_KEY",
        "AZURE_STORAGE_ACCOUNT",
        "AZURE_STORAGE_KEY",
        "AZURE_STORAGE_CONNECTION_STRING",
    ]
    assert lines[0] == "export AZURE_BATCH_ENDPOINT='http://127.0.0.1:1'"


def test_start_and_status_show_where_it_is_and_no_key() -> None:
    one = console()
    show(one, "start", ANSWER)

    out, err = shown(one)
    assert err == "the port was taken\n"
    assert out == (
        "The local engine is running\n"
        "  batch    http://127.0.0.1:1\n"
        "  storage  http://127.0.0.1:2/x\n"
        "  version  0.1.0\n"
        "  pid      42\n"
        "  state    /s\n"
        "  log      /s/log\n"
    )


def test_as_json_there_is_no_key() -> None:
    one = console()
    one.as_json = True
    show(one, "status", ANSWER)

    assert shown(one)[0] == ""
    assert "KEY" not in str(one.answer)
    assert one.answer["engine"] == {
        "state": "running",
        "started": True,
        "pid": 42,
        "version": "0.1.0",
        "batch": {"endpoint": "http://127.0.0.1:1", "account": "batchspec"},
        "storage": {"endpoint": "http://127.0.0.1:2/x", "account": "x"},
        "state_dir": "/s",
        "log": "/s/log",
        "notes": ["the port was taken"],
    }


def test_a_stopped_engine_is_said_to_be_stopped() -> None:
    one = console()
    show(one, "stop", {"state": "stopped", "was_running": False})

    assert shown(one)[0] == "The local engine is stopped\n"
