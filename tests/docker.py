"""A program that stands in for docker where there is none, for tests that are about what is said to it."""

import json
import sys
from pathlib import Path

# What of docker a task needs: it notes its words, and runs what is behind the image with the environment it was told.
_PROGRAM = """#!{python}
import json, os, subprocess, sys
from pathlib import Path
words = sys.argv[1:]
here = Path(__file__).parent
with (here / "calls").open("a") as file:
    file.write(json.dumps(words) + chr(10))
if words[0] == "image":
    sys.exit(0 if (here / words[2].replace("/", "_")).exists() else 1)
if words[0] == "login":
    sys.exit(0 if sys.stdin.read() == "right" else 1)
if words[0] == "pull":
    if words[1].startswith("no"):
        print("manifest unknown")
        sys.exit(1)
    (here / words[1].replace("/", "_")).touch()
if words[0] == "run":
    if "--nonsense" in words:
        sys.exit(125)
    Path(words[words.index("--cidfile") + 1]).write_text("id")
    names = [words[i + 1] for i, word in enumerate(words) if word == "-e"]
    where = words[words.index("-w") + 1]
    pulled = {{path.name for path in here.iterdir()}}
    image = next(i for i, word in enumerate(words) if ":" in word and word.replace("/", "_") in pulled)
    command = words[image + 1 :]
    sys.exit(subprocess.run(command, cwd=where, env={{name: os.environ[name] for name in names}}).returncode)
"""


def stand_in(folder: Path) -> Path:
    """Make the program in a new folder, which belongs in front of PATH; the folder."""
    folder.mkdir()
    program = folder / "docker"
    program.write_text(_PROGRAM.format(python=sys.executable))
    program.chmod(0o755)
    return folder


def calls(folder: Path) -> list[list[str]]:
    """The words of every call so far."""
    return [json.loads(line) for line in (folder / "calls").read_text().splitlines()]
