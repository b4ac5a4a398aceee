"""Who may import whom: the rooms of the house, and the doors between them. Read from the source, not from a run."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGE = REPOSITORY / "batchspec"

# What each room may import of batchspec, besides itself.
MAY_IMPORT = {
    "": {"errors", "cli"},  # modules beside the rooms: errors.py, __main__.py
    "spec": {"errors"},
    "render": {"errors", "spec"},
    "reconcile": {"errors", "spec", "render"},
    "cloud": {"errors", "spec", "render", "reconcile"},
    "importing": {"errors", "spec", "render", "reconcile"},
    "cli": {"errors", "spec", "render", "reconcile", "cloud", "importing"},
    "engine": set[str](),
}
SDKS = ("azure", "msal", "msrest")
# Where a library may be imported, by module or by room; anywhere else it may not.
ONLY_IN = {
    "azure": ("cloud",),
    "msal": ("cloud",),
    "jinja2": ("render",),
    "starlette": ("engine",),
    "uvicorn": ("engine",),
    "sqlite3": ("engine",),
    "rich": ("cli",),
    "jsonschema": ("spec",),
}

MODULES = sorted(PACKAGE.rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """The absolute name of every module that a source file imports, in functions too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(path: Path) -> str:
    """The room that a module is in; empty for those beside the rooms."""
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else ""


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_a_module_imports_only_from_its_own_room_and_those_to_its_left(path: Path) -> None:
    own = room(path)
    rooms = {name.split(".")[1] for name in imports(path) if name.startswith("batchspec.")}

    assert rooms - {own, "__version__"} <= MAY_IMPORT[own]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_a_library_is_imported_only_in_the_room_it_belongs_to(path: Path) -> None:
    libraries = {name.split(".")[0] for name in imports(path)}

    assert {library for library in libraries & set(ONLY_IN) if room(path) not in ONLY_IN[library]} == set()


def test_every_room_is_known_here() -> None:
    rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}

    assert rooms == set(MAY_IMPORT) - {""}


def loaded_after(statement: str) -> set[str]:
    """The top-level modules that a fresh Python has loaded after a statement."""
    show = "import sys; print(*{name.split('.')[0] for name in sys.modules})"
    ran = subprocess.run(
        [sys.executable, "-c", f"{statement}\n{show}"],
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    return set(ran.stdout.splitlines()[-1].split())


def test_importing_the_command_line_loads_no_sdk_and_no_server() -> None:
    loaded = loaded_after("import batchspec.cli.main")

    assert loaded & {*SDKS, "starlette", "uvicorn", "aiohttp", "rich"} == set()


def test_validate_loads_no_sdk_and_no_server() -> None:
    main = "from batchspec.cli.main import main"
    call = "import contextlib\nwith contextlib.suppress(SystemExit): main()"
    argv = "import sys; sys.argv = ['batchspec', 'validate', 'specs/topwords.yaml']"
    loaded = loaded_after(f"{argv}\n{main}\n{call}")

    assert "yaml" in loaded
    assert loaded & {*SDKS, "jsonschema", "starlette", "uvicorn", "aiohttp", "rich"} == set()
