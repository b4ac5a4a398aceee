"""A wheel built from this checkout and installed elsewhere is whole: schema, engine and all."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
DEADLINE_S = 120
SCHEMAS = {
    "spec": "batchspec-v1.schema.json",
    "plan": "batchspec-plan-v1.schema.json",
    "output": "batchspec-output-v1.schema.json",
}


def run(*command: str | Path, cwd: Path, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=DEADLINE_S,
        check=False,
    )


@dataclass(frozen=True, slots=True)
class Installed:
    """A virtual environment with the wheel, and a folder far from the checkout to use it in."""

    wheel: Path
    bin: Path
    folder: Path
    env: Mapping[str, str]

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return run(self.bin / command[0], *command[1:], cwd=self.folder, env=self.env)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("elsewhere")
    built = run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder / "dist", cwd=REPOSITORY)
    assert built.returncode == 0, built.stderr
    (wheel,) = (folder / "dist").glob("*.whl")
    made = run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", cwd=folder)
    assert made.returncode == 0, made.stderr
    binaries = folder / "venv" / "bin"
    pip = (sys.executable, "-m", "pip", "--python", binaries / "python", "--disable-pip-version-check", "--quiet")
    done = run(*pip, "install", "--no-index", "--no-deps", wheel, cwd=folder)
    assert done.returncode == 0, done.stderr
    # The dependencies are this environment's. A path in a .pth file is searched last, and no .pth file in it is read,
    # so an editable install of this checkout is not found.
    (packages,) = (folder / "venv").glob("lib/python3*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    shutil.copytree(REPOSITORY / "specs", folder / "specs", ignore=shutil.ignore_patterns("__pycache__"))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AZURE_", "PYTHON"))}
    return Installed(wheel, binaries, folder, kept | {"XDG_STATE_HOME": str(folder / "state")})


def test_the_wheel_holds_every_file_of_the_package_and_the_schema(installed: Installed) -> None:
    package = REPOSITORY / "batchspec"
    there = {
        str(path.relative_to(REPOSITORY))
        for path in package.rglob("*")
        if path.is_file() and not {"__pycache__", ".mypy_cache", "node_modules"} & set(path.parts)
    }

    names = {name for name in zipfile.ZipFile(installed.wheel).namelist() if ".dist-info/" not in name}

    assert names == there | {f"batchspec/spec/{schema}" for schema in SCHEMAS.values()}
    assert {f"batchspec/engine/azurite_package/{name}.json" for name in ("package", "package-lock")} <= names


@pytest.mark.parametrize("of", SCHEMAS)
def test_the_installed_command_prints_the_schemas_of_the_repository(installed: Installed, of: str) -> None:
    printed = installed.run("batchspec", "schema", "--of", of)

    assert (printed.returncode, printed.stderr) == (0, "")
    assert printed.stdout == (REPOSITORY / "schemas" / SCHEMAS[of]).read_text()


def test_the_installed_command_validates_and_renders_the_shipped_specs(installed: Installed) -> None:
    validated = installed.run("batchspec", "validate", "specs/topwords.yaml", "specs/ffmpeg.yaml")
    rendered = installed.run("batchspec", "render", "specs/topwords.yaml", "--format", "json")

    assert validated.returncode == 0, validated.stderr
    assert rendered.returncode == 0, rendered.stderr
    assert [task["id"] for task in json.loads(rendered.stdout)["tasks"]] == ["harbour", "orchard", "railway"]


def test_the_installed_engine_can_be_asked(installed: Installed) -> None:
    status = installed.run("python", "-m", "batchspec.engine", "status")

    assert status.returncode == 0, status.stderr
    assert json.loads(status.stdout)["state"] == "stopped"


def test_the_installed_package_is_the_one_that_runs(installed: Installed) -> None:
    where = installed.run("python", "-c", "import batchspec; print(batchspec.__file__)")

    assert where.stdout.startswith(str(installed.folder)), where
