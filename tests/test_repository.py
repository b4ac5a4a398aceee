"""What is checked in: nothing of the machine it was made on, no registry's address, no secret."""

import re
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
# Put together here, so that this file does not hold what it looks for.
REGISTRIES = tuple(
    ".".join(parts)
    for parts in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("npmjs", "com"), ("yarnpkg", "com"))
)
MACHINE = re.compile(
    r"(?<![\w.~$}])/" + r"(?:home/(?!me\b)[a-z]|Users/[A-Za-z]|root/|work/|opt/pypi|opt/wheels|tmp/w/)"
)


def checked_in() -> list[Path]:
    """Every text file of the repository: what git tracks or would track, and all files where there is no git."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    paths = [REPOSITORY / name.decode() for name in listed.stdout.split(b"\0") if name]
    return [path for path in paths if path.is_file() and b"\0" not in path.read_bytes()[:8000]]


def holding(pattern: re.Pattern[str]) -> list[str]:
    """Each line of a checked-in file that matches, as `file:line: text`."""
    return [
        f"{path.relative_to(REPOSITORY)}:{number}: {line.strip()[:200]}"
        for path in checked_in()
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_file_names_a_package_registry() -> None:
    assert holding(re.compile("|".join(map(re.escape, REGISTRIES)), re.IGNORECASE)) == []


def test_no_file_names_a_path_of_the_machine_it_was_written_on() -> None:
    assert holding(MACHINE) == []


def test_locked_requirements_have_hashes_and_nothing_else() -> None:
    files = sorted((REPOSITORY / ".requirements").glob("*.txt"))
    assert {"dev.txt", "local.txt"} <= {file.name for file in files}
    for file in files:
        lines = file.read_text().splitlines()
        strange = [
            line
            for line in lines
            if not re.fullmatch(r"#.*|[a-z0-9-]+==[\w.+!-]+( ; [^\\]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?", line)
        ]
        assert strange == []


def test_demo_and_tests_are_locked_to_the_same_versions() -> None:
    local, dev = (
        set(re.findall(r"(?m)^\S+==\S+", (REPOSITORY / f".requirements/{name}.txt").read_text()))
        for name in ("local", "dev")
    )

    assert local - dev == set()


def test_every_module_has_a_docstring() -> None:
    bare = [
        str(path.relative_to(REPOSITORY))
        for path in sorted(REPOSITORY.glob("batchspec/**/*.py"))
        if path.read_text().strip() and not path.read_text().lstrip().startswith(('"""', 'r"""'))
    ]

    assert bare == []
