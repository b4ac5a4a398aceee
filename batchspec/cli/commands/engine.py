"""`batchspec engine start|stop|status|reset|env|fault`: the local engine, a process of its own.

In: what to do. Out: its state on stdout; for `env` only lines `export NAME='value'`, which any Azure Batch client
understands. `reset` deletes the engine's whole state, so it asks.
"""

import json
from collections.abc import Mapping, Sequence

from batchspec.cli import phrases
from batchspec.cli.ask import ask
from batchspec.cli.commands.engine_fault import Options, lines, request
from batchspec.cli.console import Console
from batchspec.cloud.local import engine_command
from batchspec.render.symbolic import Json

_SECRETS = ("key", "connection_string")
_WORDS = {"stopped": "is stopped", "running": "is running", "reset": "is reset: its state is deleted"}


def engine(console: Console, action: str, *, yes: bool) -> int:
    """Run one engine command."""
    if action == "reset":
        ask(
            console,
            "Delete the local engine's pools, jobs, tasks and blobs",
            yes=yes,
            again="batchspec engine reset --yes",
        )
    answer = engine_command(["start" if action == "env" else action], say=console.message)
    show(console, action, answer)
    return 0


def engine_fault(console: Console, words: Sequence[str], options: Options) -> int:
    """Ask the running engine for a fault, or list or forget them."""
    asked = json.dumps(request(words, options))
    answer = engine_command(["fault", asked], say=console.message)
    if console.as_json:
        console.answer["fault"] = answer
    else:
        for line in lines(answer):
            console.result(line)
    return 0


def show(console: Console, action: str, answer: Mapping[str, Json]) -> None:
    """Print the engine's answer."""
    notes = answer.get("notes")
    for note in notes if isinstance(notes, list) else []:
        console.message(phrases.harmless(str(note)))
    if action == "env":
        for name, value in variables(answer).items():
            console.result(f"export {name}={_quoted(value)}")
    elif console.as_json:
        console.answer["engine"] = _without_keys(answer)
    else:
        _print(console, answer)


def variables(answer: Mapping[str, Json]) -> dict[str, str]:
    """What a client needs to use the engine, under the names of the Azure CLI."""
    batch, storage = _object(answer["batch"]), _object(answer["storage"])
    return {
        "AZURE_BATCH_ENDPOINT": str(batch["endpoint"]),
        "AZURE_BATCH_ACCOUNT": str(batch["account"]),
        "AZURE_BATCH_ACCESS_KEY": str(batch["key"]),
        "AZURE_STORAGE_ACCOUNT": str(storage["account"]),
        "AZURE_STORAGE_KEY": str(storage["key"]),
        "AZURE_STORAGE_CONNECTION_STRING": str(storage["connection_string"]),
    }


def _quoted(value: str) -> str:
    """Always in quotes, whatever it holds: the lines are read by other programs too."""
    return "'" + value.replace("'", "'\"'\"'") + "'"


def _object(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}


def _without_keys(answer: Mapping[str, Json]) -> dict[str, Json]:
    result: dict[str, Json] = {}
    for name, value in answer.items():
        if name not in _SECRETS:
            result[name] = _without_keys(value) if isinstance(value, dict) else value
    return result


def _print(console: Console, answer: Mapping[str, Json]) -> None:
    state = str(answer.get("state", ""))
    console.result(f"The local engine {_WORDS.get(state, phrases.harmless(state))}")
    for label, text in _details(answer):
        console.result(f"  {label:9}{phrases.harmless(text)}")


def _details(answer: Mapping[str, Json]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for label in ("batch", "storage"):
        endpoint = _object(answer.get(label)).get("endpoint")
        if endpoint:
            found.append((label, str(endpoint)))
    for label in ("version", "pid", "state_dir", "log"):
        if answer.get(label):
            found.append((label.removesuffix("_dir"), str(answer[label])))
    counts = _object(answer.get("counts"))
    if counts:
        found.append(("holds", ", ".join(f"{number} {word}" for word, number in counts.items())))
    faults = answer.get("faults")
    if isinstance(faults, dict):
        found += [("fault", line) for line in lines(faults) if line != "no faults"]
    return found
