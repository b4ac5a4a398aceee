"""The rows spec: one task per row of a table, and after an edit of the table only the rows that it touches."""

import csv
from collections.abc import Callable
from decimal import Decimal

from tests.end_to_end.workspace import Services, Workspace

BORROWERS = {
    "2026-001": "Åse Berg",
    "2026-002": "O'Neill & Sons, Ltd.",
    "2026-003": 'Hotel "Zur Post"',
    "2026-004-b-9bd0cadc": "Roe & $HOME; #1",
}


def plans(work: Workspace) -> dict[str, list[dict[str, str]]]:
    """The rows of every file that came back, by the file's stem."""
    files = (work.folder / "results/rows").iterdir()
    return {path.stem: list(csv.DictReader(path.read_text(encoding="utf-8").splitlines())) for path in files}


def test_each_row_has_its_task_and_an_edit_runs_only_the_rows_that_it_touches(
    make: Callable[[str], Workspace], raw: Services
) -> None:
    work = make("rows")

    ran = work.run("apply")

    assert ran.code == 0, ran
    found = plans(work)
    assert {name: {row["borrower"] for row in rows} for name, rows in found.items()} == {
        name: {borrower} for name, borrower in BORROWERS.items()
    }
    assert {name: len(rows) for name, rows in found.items()} == dict(zip(BORROWERS, (24, 180, 12, 6), strict=True))
    for rows in found.values():
        paid, interest = (sum(Decimal(row[column]) for row in rows) for column in ("payment", "interest"))
        assert (rows[-1]["left"], paid - interest) == ("0.00", Decimal(rows[0]["left"]) + principal(rows[0]))
    tasks = {
        str(task.id): (task.display_name, task.required_slots) for task in raw.batch.list_tasks(f"{work.name}-job")
    }
    assert tasks == {name: (borrower, 2 if name == "2026-002" else 1) for name, borrower in BORROWERS.items()}
    before = raw.added(f"{work.name}-job")

    table = work.folder / "specs/rows/loans.csv"
    header, *lines = table.read_text(encoding="utf-8").splitlines()
    lines[2] = lines[2].replace(",12", ",10")
    # What Excel saves on Windows: a byte order mark and its own ends of lines.
    table.write_text("\ufeff" + "\r\n".join([header, "2025-999,Zoë,100,1,2", *lines, ""]), encoding="utf-8", newline="")
    edited = work.run("apply", "--yes")

    assert edited.code == 0, edited
    after = raw.added(f"{work.name}-job")
    assert {task for task in after if after[task] != before.get(task)} == {"2025-999", "2026-003"}
    assert {name: len(rows) for name, rows in plans(work).items() if name in ("2025-999", "2026-003")} == {
        "2025-999": 2,
        "2026-003": 10,
    }

    deleted = work.run("delete", "--yes")
    assert deleted.code == 0, deleted
    assert raw.of(work.name) == ([], [], [])


def principal(row: dict[str, str]) -> Decimal:
    """What the first payment gives back of the loan."""
    return Decimal(row["payment"]) - Decimal(row["interest"])
