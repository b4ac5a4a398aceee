"""Events as plain lines."""

from batchspec.cli.progress import Plain, finished_line
from batchspec.reconcile.report import Advanced, Event, Finished, Noted, Started
from tests.cli.made import console, shown


class Hands:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def printed(*events: tuple[float, Event]) -> list[str]:
    one, clock = console(), Hands()
    plain = Plain(one, clock)
    for when, event in events:
        clock.now = when
        plain(event)
    out, err = shown(one)
    assert out == ""
    return err.splitlines()


def test_a_finished_stage_is_one_aligned_line_as_on_the_product_page() -> None:
    assert printed(
        (0, Finished("containers", "3 created", 0.04)),
        (0, Finished("uploads", "4 of 4", 0.02, 7130)),
        (0, Finished("pool", "2 of 2 nodes idle", 1.23)),
        (0, Finished("wait", "3 of 3 completed: 3 succeeded", 0.9)),
    ) == [
        "containers  3 created",
        "uploads     4 of 4  7.1 kB",
        "pool        2 of 2 nodes idle                                   1.2 s",
        "tasks       3 of 3 completed: 3 succeeded                       0.9 s",
    ]


def test_a_long_summary_keeps_its_time_apart() -> None:
    assert finished_line(Finished("download", "x" * 70, 2.0)) == "download    " + "x" * 70 + "  2.0 s"


def test_how_far_a_stage_is_is_told_at_most_every_ten_seconds_and_only_when_it_changed() -> None:
    def at(done: int) -> Event:
        return Advanced("wait", done, 100, detail=(("active", 95 - done), ("running", 5), ("completed", done)))

    assert printed(
        (0, Started("wait", 100)),
        (1, at(1)),
        (9, at(2)),
        (10, at(3)),
        (11, at(4)),
        (21, at(3)),
        (22, at(5)),
        (50, at(100)),
    ) == [
        "tasks       3 of 100 completed: 92 waiting, 5 running",
        "tasks       5 of 100 completed: 90 waiting, 5 running",
    ]


def test_what_succeeded_is_said_only_beside_what_failed() -> None:
    def at(failed: int) -> Event:
        ended = (("completed", 3), ("succeeded", 3 - failed), ("failed", failed))
        return Advanced("wait", 3, 9, detail=(("running", 6), *ended))

    assert printed((0, Started("wait", 9)), (10, at(0)), (20, at(1))) == [
        "tasks       3 of 9 completed: 6 running",
        "tasks       3 of 9 completed: 6 running, 2 succeeded, 1 failed",
    ]


def test_bytes_are_shown_where_bytes_move() -> None:
    assert printed((0, Started("uploads", 4, 5000)), (11, Advanced("uploads", 1, 4, 2000, 5000, item="x"))) == [
        "uploads     1 of 4  2.0 kB of 5.0 kB"
    ]


def test_notes_are_harmless_and_warnings_say_so() -> None:
    assert printed((0, Noted("node\x1b[2J rebooted")), (0, Noted("gone\nagain", warning=True))) == [
        "node\\x1b[2J rebooted",
        "warning: gone\\nagain",
    ]


def test_quiet_prints_nothing() -> None:
    one = console()
    one.quiet = True
    Plain(one)(Finished("containers", "3 created", 0))

    assert shown(one) == ("", "")
