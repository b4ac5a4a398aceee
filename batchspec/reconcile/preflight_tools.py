"""Preflight of programs: does a command name one that the image does not have and nothing installs?

Place in the pipeline: `preflight` asks this. Pure. It tells only what is certain enough: the program is on none of the
plain images (`_MISSING`), the command names it bare and at the start of a command, and nothing could have put it there:
no application package, container, mount, own image, job preparation or manager, and no start task that names it, runs
a script or fetches anything. `command -v ffmpeg` and the like in the same command mean that its author knows.
"""

import re
import shlex
from collections.abc import Iterator

from batchspec.reconcile.change import Check
from batchspec.reconcile.preflight_facts import Facts, member
from batchspec.render.model import DesiredTask, JsonObject
from batchspec.render.symbolic import display

# Program -> what a start task that installs it mentions, and how it is installed on Ubuntu and Debian ("" where that
# differs too much to say).
_MISSING = {
    "ffmpeg": ("ffmpeg", "apt-get install -y ffmpeg"),
    "ffprobe": ("ffmpeg", "apt-get install -y ffmpeg"),
    "Rscript": (r"Rscript|r-base|\bR\b", "apt-get install -y r-base-core"),
    "R": (r"Rscript|r-base|\bR\b", "apt-get install -y r-base-core"),
    "blender": ("blender", "snap install blender --classic"),
    "docker": ("docker|moby|podman", ""),
    "conda": ("conda|mamba|forge", ""),
    "mamba": ("conda|mamba|forge", ""),
    "nvidia-smi": ("nvidia|cuda", ""),
    "julia": ("julia", ""),
    "java": ("java|jre|jdk", "apt-get install -y default-jre-headless"),
    "node": ("node|nvm", "apt-get install -y nodejs"),
    "npm": ("npm|node|nvm", "apt-get install -y npm"),
    "mpirun": ("mpi", "apt-get install -y openmpi-bin"),
    "convert": ("magick", "apt-get install -y imagemagick"),
    "magick": ("magick", "apt-get install -y imagemagick"),
    "octave": ("octave", "apt-get install -y octave"),
    "gdal_translate": ("gdal", "apt-get install -y gdal-bin"),
    "gdalwarp": ("gdal", "apt-get install -y gdal-bin"),
    "samtools": ("samtools", "apt-get install -y samtools"),
    "pandoc": ("pandoc", "apt-get install -y pandoc"),
    "povray": ("povray", "apt-get install -y povray"),
    "azcopy": ("azcopy", ""),
}
_MISSING_ON_WINDOWS = ("ffmpeg", "ffprobe", "Rscript", "blender", "docker", "conda", "julia", "java", "azcopy")
# Images that bring programs of their own: graphics cards, MPI, data science, containers.
_RICH_IMAGE = re.compile(r"hpc|dsvm|data-science|container|batch", re.IGNORECASE)
# What of a start task or command could bring any program.
_FETCHES = re.compile(
    r"\b(?:curl|wget|git|snap|dnf|yum|zypper|tdnf|sh|source|unzip|tar|cp|mv|chmod|PATH)\b|\.(?:sh|py|ps1)\b"
)
_BREAKS = ";&|()\n"
_LONGEST_SCRIPT = 20_000
_BEFORE = frozenset({"exec", "time", "nice", "nohup", "sudo", "env", "then", "do", "else", "if", "while", "until", "!"})
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")


def tools(facts: Facts) -> Iterator[Check]:
    """Programs that tasks name and nodes have not."""
    pool = facts.pool
    if pool is None or not facts.runs_tasks or _is_provided(facts, pool):
        return
    windows = facts.desired.os == "windows"
    start = _text(member(pool, "startTask"))
    told: set[str] = set()
    for task in facts.tasks.examples.values():
        for program in _programs(task):
            if program in told or program not in (_MISSING_ON_WINDOWS if windows else _MISSING):
                continue
            mentioned, how = _MISSING[program]
            if not re.search(mentioned, start, re.IGNORECASE):
                told.add(program)
                yield _check(program, task, "" if windows else how)


def _check(program: str, task: DesiredTask, how: str) -> Check:
    fact = f"task {task.id} runs {program}, which the image does not have, and no start task mentions it"
    fix = "install it in the pool's start task" + (f" ({how}, elevated)" if how else "")
    return Check(f"program {program}", "warning", fact, f"{fix}, or use an image, a package or a container that has it")


def _is_provided(facts: Facts, pool: JsonObject) -> bool:
    """Whether nodes may have programs that cannot be seen from here."""
    machine, start = member(pool, "virtualMachineConfiguration"), member(pool, "startTask")
    reference = member(machine, "imageReference")
    own_image = not all(reference.get(part) for part in ("publisher", "offer", "sku"))
    rich_image = bool(
        _RICH_IMAGE.search(f"{reference.get('publisher')} {reference.get('offer')} {reference.get('sku')}")
    )
    job = facts.desired.job
    body = (job.body if job is not None else None) or {}
    return bool(
        own_image
        or rich_image
        or (job is not None and job.existing)
        or any(pool.get(name) for name in ("applicationPackageReferences", "mountConfiguration"))
        or any(machine.get(name) for name in ("containerConfiguration", "extensions"))
        or any(body.get(name) for name in ("jobPreparationTask", "jobManagerTask"))
        or start.get("resourceFiles")
        or _FETCHES.search(_text(start))
    )


def _text(task: JsonObject) -> str:
    """What a start task's shell reads."""
    return _script(str(display(task.get("commandLine") or "")))


def _script(line: str) -> str:
    """The text that a wrapped command line gives the shell."""
    for prefix in ("/bin/bash -c ", "/bin/sh -c ", "bash -c ", "sh -c "):
        if line.startswith(prefix):
            try:
                return (shlex.split(line) or [""])[-1]
            except ValueError:
                return line
    return line.removeprefix("cmd /c ").strip('"') if line.startswith("cmd /c ") else line


def _programs(task: DesiredTask) -> Iterator[str]:
    """The bare first words of the commands of a task, none where the task could bring programs itself."""
    body = task.body
    if any(body.get(name) for name in ("containerSettings", "applicationPackageReferences")):
        return
    script = _script(str(display(body.get("commandLine") or "")))
    if _FETCHES.search(script) or "install" in script or "command -v" in script or "<<" in script:
        return
    for words in _commands(script[:_LONGEST_SCRIPT]):
        program = next((word for word in words if word not in _BEFORE and not _ASSIGNMENT.match(word)), "")
        yield program.removesuffix(".exe")


def _commands(script: str) -> Iterator[list[str]]:
    """The words of each command of a script, as the shell would split them; what it cannot split has none."""
    lexer = shlex.shlex(script, posix=True, punctuation_chars=_BREAKS)
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t\r", True, ""
    try:
        tokens = list(lexer)
    except ValueError:
        return
    words: list[str] = []
    for token in tokens:
        if set(token) <= set(_BREAKS):
            yield words
            words = []
        else:
            words.append(token)
    yield words
