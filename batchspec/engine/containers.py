"""Tasks in containers, by the docker or podman of this machine.

Place: made by `Core`; a piece of work that names an image is turned into one that runs `docker run`. In: a task's
containerSettings, a pool's containerConfiguration. Out: work with another command line, or a failure in the service's
codes. It starts nothing of a task itself: `process.py` runs the client of the runtime like any program.

Decisions:
- A runtime counts when its server answers: the program alone is not enough. One that does not answer is asked again at
  the next task. Without one, a task fails where the service would, saying that it is the local engine's limit.
- The node's root folder is mounted under its own name, so that every path in the environment holds inside, too.
- The environment reaches the container by name (`-e NAME`), so that no value stands on a command line; what describes
  this machine (PATH, HOME ...) stays outside unless the task sets it.
- To end the client does not end the container, so that is removed by its name; those that a killed engine left are
  found by their label at the next start.
"""

import asyncio
import hashlib
import os
import shlex
import shutil
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from batchspec.engine.lifecycle import NO_CONTAINERS, Failure

if TYPE_CHECKING:
    from batchspec.engine.attempt import Work

_PROGRAMS: Final = ("docker", "podman")
_PROBE_S, _PULL_S, _END_S = 10.0, 1800.0, 60.0
_LABEL: Final = "batchspec.engine"
_NOT_RUN: Final = 125
_OF_THE_MACHINE: Final = frozenset({"PATH", "LD_LIBRARY_PATH", "TMPDIR", "SHELL", "USER", "LOGNAME"})
_OF_THE_CLIENT: Final = ("DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CONTEXT", "CONTAINER_HOST", "XDG_RUNTIME_DIR", "HOME")


@dataclass(frozen=True, slots=True)
class Said:
    """How a command of the runtime ended and what it said."""

    code: int
    text: str


class Containers:
    """The container runtime of this machine, if there is one."""

    def __init__(self, state_dir: Path) -> None:
        self._label = f"{_LABEL}={hashlib.sha256(str(state_dir).encode()).hexdigest()[:16]}"
        self._used = state_dir / "containers"
        self._program: str | None = None

    def of(self, body: Mapping[str, Any], *, root: Path) -> "Container | None":
        """The container a task's body asks for."""
        settings = body.get("containerSettings")
        return None if settings is None else Container(self, settings, root)

    async def program(self) -> str | None:
        """The runtime's client; None when no runtime answers."""
        for name in _PROGRAMS if self._program is None else ():
            path = shutil.which(name)
            if path is not None and (await run(path, "info", limit_s=_PROBE_S)).code == 0:
                self._program = path
                break
        return self._program

    async def pool_error(self, pool_body: Mapping[str, Any]) -> dict[str, Any] | None:
        """Fetch a pool's images; the error of a node that cannot."""
        machine = pool_body.get("virtualMachineConfiguration", {})
        configuration = machine.get("containerConfiguration", {})
        registries = configuration.get("containerRegistries", ())
        for image in configuration.get("containerImageNames", ()):
            failure = await self.fetched(image, registries)
            if failure is not None:
                details = [{"name": name, "value": value} for name, value in failure.details]
                message = f"{failure.message}."
                return {"code": "ContainerPoolImagePullFailed", "message": message, "errorDetails": details}
        return None

    async def fetched(self, image: str, registries: Sequence[Mapping[str, Any]]) -> Failure | None:
        """Make sure that an image is here."""
        program = await self.program()
        if program is None:
            return NO_CONTAINERS
        if (await run(program, "image", "inspect", image, limit_s=_PROBE_S)).code == 0:
            return None
        for registry in registries:
            if "username" in registry:
                server = [registry["registryServer"]] if "registryServer" in registry else []
                words = ("login", "--username", registry["username"], "--password-stdin", *server)
                said = await run(program, *words, limit_s=_PROBE_S, given=registry.get("password", ""))
                if said.code:
                    return _failure("ContainerInvalidRegistry", "The registry refused the login", said.text)
        said = await run(program, "pull", image, limit_s=_PULL_S)
        return (
            _failure("ContainerInvalidImage", f"The image {image} cannot be pulled", said.text) if said.code else None
        )

    async def sweep(self) -> None:
        """Remove the containers that an earlier engine left."""
        if not self._used.exists() or (program := await self.program()) is None:
            return
        said = await run(program, "ps", "--all", "--quiet", "--filter", f"label={self._label}", limit_s=_PROBE_S)
        if said.code == 0 and (ids := said.text.split()):
            await run(program, "rm", "--force", *ids, limit_s=_END_S)

    def run_words(self, program: str) -> list[str]:
        """How every `run` begins; from now on there may be something to sweep."""
        self._used.touch()
        return [program, "run", "--rm", "--label", self._label]


class Container:
    """One container of a task, from the pull of its image to its end."""

    def __init__(self, containers: Containers, settings: Mapping[str, Any], root: Path) -> None:
        self._containers = containers
        self._settings = settings
        self._root = root
        self._name = ""

    async def work(self, work: "Work") -> "Work | Failure":
        """The work as one of the runtime's client, its image fetched."""
        registry = self._settings.get("registry")
        failure = await self._containers.fetched(self._settings["imageName"], [registry] if registry else [])
        program = await self._containers.program()
        if failure is not None or program is None:
            return failure or NO_CONTAINERS
        try:
            own, command = shlex.split(self._settings.get("containerRunOptions", "")), shlex.split(work.command_line)
        except ValueError as error:
            return _failure("ContainerInvalidSettings", "The container's settings are not valid", str(error))
        self._name = f"batchspec-{uuid.uuid4().hex}"
        words = self._containers.run_words(program)
        words += ["--name", self._name, "--cidfile", str(self._id_file), "-v", f"{self._root}:{self._root}"]
        if self._settings.get("workingDirectory", "taskWorkingDirectory") == "taskWorkingDirectory":
            words += ["-w", str(work.folder / "wd")]
        if os.geteuid() != 0:
            words += ["--user", f"{os.geteuid()}:{os.getegid()}"]
        for name in _inside(work):
            words += ["-e", name]
        outside = {name: os.environ[name] for name in _OF_THE_CLIENT if name in os.environ}
        line = shlex.join([*words, *own, self._settings["imageName"], *command])
        return replace(work, command_line=line, env={**work.env, **outside}, container=None)

    def refusal(self, exit_code: int | None) -> Failure | None:
        """Why the runtime never made the container, when it did not."""
        if exit_code != _NOT_RUN or self._id_file.exists():
            return None
        return _failure("ContainerInvalidSettings", "The container could not be created; stderr.txt says more", "")

    async def end(self) -> None:
        """Remove the container, whatever it does."""
        program = await self._containers.program()
        if program is not None and self._name:
            await run(program, "rm", "--force", self._name, limit_s=_END_S)

    @property
    def _id_file(self) -> Path:
        # Not in the task's folder, whose files are the task's own.
        return self._root / "volatile" / f"{self._name}.id"


def _inside(work: "Work") -> list[str]:
    """The names of the variables that a container sees."""
    home = str(work.folder / "wd")
    return sorted(
        name
        for name, value in work.env.items()
        if not (name in _OF_THE_MACHINE and value == os.environ.get(name)) and not (name == "HOME" and value == home)
    )


def _failure(code: str, message: str, said: str) -> Failure:
    details = (("Message", said.strip()[-1000:]),) if said.strip() else ()
    return Failure(code, message, details=details)


async def run(program: str, *words: str, limit_s: float, given: str = "") -> Said:
    """Run a command of the runtime; one that takes too long has failed.

    It stays in the engine's own session: what is in another one counts as a task's (`process.py`).
    """
    process = await asyncio.create_subprocess_exec(
        program,
        *words,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(limit_s):
            out, _ = await process.communicate(given.encode())
    except TimeoutError:
        return Said(1, f"no answer within {limit_s:.0f} s")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return Said(process.returncode or 0, out.decode(errors="replace"))
