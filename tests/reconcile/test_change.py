"""Plans as data."""

from dataclasses import replace

from batchspec.reconcile.change import Change, Plan, Totals

EMPTY = Plan("words", (), (), 0, (), (), (), 0, (), False)
CREATE, REPLACE = Change("create", "pool", "p"), Change("replace", "task", "t")
UPDATE, DELETE = Change("update", "job", "j"), Change("delete", "task", "u")


def test_an_empty_plan_has_nothing_to_do() -> None:
    assert (EMPTY.nothing_to_do, bool(EMPTY.totals), EMPTY.questions) == (True, False, ())


def test_changes_and_tasks_are_counted_by_action() -> None:
    full = replace(EMPTY, changes=(CREATE, UPDATE), tasks=(REPLACE, DELETE, CREATE))
    assert (full.totals, full.nothing_to_do) == (Totals(create=2, change=1, replace=1, delete=1), False)


def test_only_replacements_and_deletions_are_questions() -> None:
    full = replace(EMPTY, changes=(CREATE, UPDATE), tasks=(REPLACE, DELETE, CREATE))
    assert full.questions == (REPLACE, DELETE)


def test_waiting_downloading_and_cleaning_up_are_something_to_do() -> None:
    some = [
        replace(EMPTY, pending_tasks=1),
        replace(EMPTY, downloads=(Change("create", "download", "c/b"),)),
        replace(EMPTY, cleanup_due=("pool",)),
    ]
    assert [one.nothing_to_do for one in some] == [False] * 3


def test_failures_and_orphans_alone_are_nothing_to_do() -> None:
    assert replace(EMPTY, kept_tasks=2, failed_tasks=("a",), orphaned_tasks=("b",)).nothing_to_do
