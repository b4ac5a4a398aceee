"""Whole wrong specs, read and rendered: everything that is wrong is told at once, each fault once."""

from pathlib import Path

import pytest

from batchspec.errors import in_order
from batchspec.render.desired import check_tasks, render
from batchspec.spec.read import read
from batchspec.spec.variables import values

EXAMPLES = Path(__file__).parents[1] / "examples" / "rendered"


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_an_example_has_exactly_the_problems_in_its_first_comment(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    expected = [line.removeprefix("# ") for line in lines[: lines.index("")]]
    spec, found = read(path, "s")
    assert spec is not None
    variables, unusable = values(spec, {})
    desired, faults = render(spec, variables=variables, secrets={}, target="local", fingerprints=False)
    broken = check_tasks(desired) if desired is not None else []
    told = [str(problem).removeprefix("s:") for problem in in_order([*found, *unusable, *faults, *broken])]
    assert told == expected
