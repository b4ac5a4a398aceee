"""`batchspec init`: a spec to begin with, and what it needs to run as it is.

In: a path and a kind of workload. Out: the spec, a folder with its inputs beside it, the schema for editors, and on
stdout the commands to go on with. Nothing is overwritten unless asked.

Decision: the schema is written too, and named relative to the spec: an editor then completes offline, with the words of
the batchspec that is installed.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from batchspec.cli import phrases
from batchspec.cli.console import Console
from batchspec.cli.output_file import write_file
from batchspec.errors import UsageError
from batchspec.spec import schema

KINDS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "per-file": ("one task per file", ("first.txt", "second.txt")),
    "sweep": ("one task per combination of parameters", ("model.py",)),
    "container": ("one task per file, in containers", ("first.txt", "second.txt")),
}
_STARTERS = Path(__file__).parents[1] / "starters"


def init(console: Console, file: str, *, kind: str, force: bool) -> int:
    """Write a starter spec of this kind to `file`. Raises UsageError when a file is there; LocalIOFailed."""
    spec = Path(file)
    name = _name(spec)
    files = _files(spec, kind, name)
    there = [str(path) for path in files if path.exists() or path.is_symlink()]
    schema_file = spec.with_name(schema.FILE_NAME)
    if there and not force:
        what = phrases.some(there)
        fix = "give another FILE, or --force to overwrite"
        raise UsageError(f"there already: {what}; nothing was written", fix=fix)
    for path, text in files.items():
        write_file(path, [text])
    write_file(schema_file, [schema.text()])
    _tell(console, spec, kind, [*list(files)[1:], schema_file], name)
    return 0


def _files(spec: Path, kind: str, name: str) -> dict[Path, str]:
    """The spec and then its inputs, with their content."""
    folder = spec.with_suffix("")
    text = (_STARTERS / f"{kind}.yaml").read_text(encoding="utf-8")
    found = {spec: text.replace("NAME", name).replace("FOLDER", folder.name)}
    return found | {folder / one: (_STARTERS / one).read_text(encoding="utf-8") for one in KINDS[kind][1]}


def _name(spec: Path) -> str:
    """A spec's name made of the file's; the file's own is checked since a folder and a glob are named by it."""
    if spec.suffix.lower() not in (".yaml", ".yml"):
        raise UsageError(f"init {phrases.harmless(str(spec))}: expected a file whose name ends in .yaml")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", spec.stem):
        expected = "expected letters, digits, '.', '_' and '-' in the file's name"
        raise UsageError(f"init {phrases.harmless(str(spec))}: {expected}", fix="for example batchspec init words.yaml")
    return re.sub(r"[^a-z0-9]+", "-", spec.stem.lower()).strip("-")[:40].strip("-")


def _tell(console: Console, spec: Path, kind: str, others: list[Path], name: str) -> None:
    typed = phrases.command_line([str(spec)])
    results = spec.parent / "results" / name
    steps = {
        f"batchspec validate {typed}": "checks it; also after every change",
        f"batchspec apply {typed} --target local": f"runs it on this machine, into {results}",
        f"batchspec plan {typed} --target azure": "shows what it would do on Azure",
        f"batchspec delete {typed} --target local": "deletes what it made",
    }
    width = max(map(len, steps))
    console.result(f"{spec}: {KINDS[kind][0]}")
    console.result(f"  with {phrases.some([str(path) for path in others])}")
    if not console.quiet:
        console.result("Next:")
        for step, why in steps.items():
            console.result(f"  {step:{width}}  # {why}")
