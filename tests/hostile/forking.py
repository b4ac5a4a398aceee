"""What `Forked` starts: reads questions, forks for each, limits the child and answers how it ended."""

import json
import os
import resource
import sys
from pathlib import Path
from typing import Any

from batchspec.cli import boundary
from batchspec.cli.commands import render, validate
from batchspec.cli.main import main
from batchspec.render.template import GLOBALS, is_whole, native, text_of
from batchspec.render.template_faults import TemplateFault
from batchspec.spec import complaints, schema

_LOADED = (boundary, render, validate, complaints)
_NAMES = {**GLOBALS, "name": "demo", "vars": {"n": 3, "list": [1, 2], "text": "a b"}, "index": 0, "target": "local"}
_TEXT_BYTES = 2_000_000


def serve(folder: Path, memory_bytes: int, cpu_s: int) -> None:
    """Answer questions until there are no more."""
    os.chdir(folder)
    schema.schema()
    for line in sys.stdin:
        question: dict[str, Any] = json.loads(line)
        child = os.fork()
        if child == 0:
            _run(question, memory_bytes, cpu_s)
        _, status, used = os.wait4(child, 0)
        answer = {
            "code": os.waitstatus_to_exitcode(status),
            "out": _text("out.txt"),
            "err": _text("err.txt"),
            "cpu_s": used.ru_utime + used.ru_stime,
            "memory_bytes": used.ru_maxrss * 1024,
        }
        print(json.dumps(answer), flush=True)


def _text(name: str) -> str:
    with Path(name).open("rb") as file:
        return file.read(_TEXT_BYTES).decode("utf-8", "backslashreplace")


def _run(question: dict[str, Any], memory_bytes: int, cpu_s: int) -> None:
    """In the child: never comes back."""
    code = 99
    try:
        for number, name in ((1, "out.txt"), (2, "err.txt")):
            opened = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(opened, number)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
        code = main(question["words"]) if "words" in question else _template(question["template"])
        sys.stdout.flush()
    finally:
        os._exit(code)


def _template(source: str) -> int:
    try:
        print((native if is_whole(source) else text_of)(source)(_NAMES))
    except TemplateFault as fault:
        print(fault.message)
        return 2
    except Exception as error:  # noqa: BLE001 - this is what is looked for
        print(f"raised {error!r}"[:500])
        return 70
    return 0


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
