"""`python -m batchspec.engine start|stop|status|reset|fault|serve`: the engine for a program that drives it.

One JSON object on stdout, `{"error": {"message", "fix"}}` and exit code 1 when it fails; progress for a person as plain
lines on stderr. `serve` runs in the foreground and prints nothing but its log, on stderr.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from batchspec.engine.daemon import EngineFailed, fault, reset, start, status, stop
from batchspec.engine.state_dir import StateDir


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m batchspec.engine", description="Azure Batch on this machine.")
    parser.add_argument("command", choices=("start", "stop", "status", "reset", "fault", "serve"))
    parser.add_argument("request", nargs="?", default="{}", help="with fault: method, path and body as JSON")
    parsed = parser.parse_args(arguments)
    command = parsed.command
    state = StateDir.of_user()
    try:
        if command == "serve":
            from batchspec.engine.serve import serve

            serve(state)
            return 0
        if command == "fault":
            return _print(fault(state, json.loads(parsed.request)))
        commands = {"stop": stop, "status": status, "reset": reset}
        return _print(start(state, _report) if command == "start" else commands[command](state))
    except EngineFailed as error:
        return _print({"error": {"message": str(error), "fix": error.fix}}, code=1)
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        message = f"the state folder {state.path} cannot be used: {error.strerror or error}"
        fix = "make it writable for you and make room on its disk, or set XDG_STATE_HOME to another folder"
        return _print({"error": {"message": message, "fix": fix}}, code=1)


def _print(answer: dict[str, Any], *, code: int = 0) -> int:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
    return code


def _report(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
