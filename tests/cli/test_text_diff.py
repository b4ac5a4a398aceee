"""How renderings differ: a unified diff that applies, for any two texts, without keeping either."""

import itertools
import re
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchspec.cli import text_diff
from batchspec.cli.text_diff import Tally, lines_of, unified

HEAD = "containers: []\nuploads:\n- key: texts\n  files:\n{files}pool:\n  id: p\nschedule: null\njob: null\ntasks:\n"


def yaml_text(*names: str, argument: str = "-n 3") -> str:
    files = "".join(f"  - name: {name}.txt\n    size: 7\n" for name in names)
    tasks = "".join(
        f"- id: {name}\n  commandLine: |-\n    set -e\n    head {argument} {name}.txt\n  user:\n    username: u\n"
        for name in names
    )
    return HEAD.format(files=files) + tasks


def diff(old: str, new: str) -> tuple[str, Tally]:
    tally = Tally()
    text = "".join(unified(lines_of([old]), lines_of([new]), tally))
    return text, tally


def patched(old: str, new: str) -> str:
    """The old text with the diff applied, each hunk exactly where it says."""
    before, after = list(lines_of([old])), list[str]()
    done = 0
    for hunk in re.split(r"(?m)^@@ ", diff(old, new)[0])[1:]:
        head, body = hunk.split("\n", 1)
        start, count, new_start, new_count = (int(one) for one in _ranges(head))
        lines = list(lines_of([body]))
        for index, line in reversed(list(enumerate(lines))):
            if line == "\\ No newline at end of file\n":
                lines[index - 1 : index + 1] = [lines[index - 1].removesuffix("\n")]
        assert start - (count > 0) >= done, "hunks overlap"
        after += before[done : start - (count > 0)]
        assert new_start - (new_count > 0) == len(after)
        done = start - (count > 0) + count
        assert "".join(before[done - count : done]) == "".join(line[1:] for line in lines if line[0] in " -")
        assert sum(line[0] in " +" for line in lines) == new_count
        after += [line[1:] for line in lines if line[0] in " +"]
    return "".join(after + before[done:])


def _ranges(head: str) -> tuple[str, ...]:
    found = re.match(r"-(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@ ", head)
    assert found is not None, head
    return found[1], found[2] or "1", found[3], found[4] or "1"


def test_texts_that_are_the_same_have_no_diff() -> None:
    assert diff(yaml_text("a", "b"), yaml_text("a", "b")) == ("", Tally())


def test_a_changed_command_is_shown_with_its_task() -> None:
    text, tally = diff(yaml_text("a"), yaml_text("a", argument="-n 4"))

    assert text == (
        "@@ -12,6 +12,6 @@ - id: a\n"
        " - id: a\n"
        "   commandLine: |-\n"
        "     set -e\n"
        "-    head -n 3 a.txt\n"
        "+    head -n 4 a.txt\n"
        "   user:\n"
        "     username: u\n"
    )
    assert tally == Tally(tasks_changed=1)


def test_a_task_in_between_shifts_nothing() -> None:
    text, tally = diff(yaml_text("a", "c"), yaml_text("a", "b", "c"))

    added = [line[1:] for line in text.splitlines() if line.startswith("+")]
    assert added == [
        "  - name: b.txt",
        "    size: 7",
        "- id: b",
        "  commandLine: |-",
        "    set -e",
        "    head -n 3 b.txt",
        "  user:",
        "    username: u",
    ]
    assert [line for line in text.splitlines() if line.startswith("-")] == []
    assert tally == Tally({"uploads": None}, tasks_new=1)
    assert tally.summary() == "uploads, tasks: 1 new"


def test_tasks_that_are_gone_and_moved_are_counted() -> None:
    tally = diff(yaml_text("a", "b", "c", "d"), yaml_text("b", "c", "a", argument="-n 4"))[1]

    assert tally == Tally({"uploads": None}, tasks_changed=2, tasks_new=1, tasks_gone=2)


def test_a_comma_of_json_is_no_change_of_a_task() -> None:
    one = '{\n  "pool": null,\n  "tasks": [\n    {\n      "id": "a"\n    }\n  ]\n}\n'
    two = one.replace("    }\n  ]", '    },\n    {\n      "id": "b"\n    }\n  ]')

    text, tally = diff(one, two)

    assert text == (
        '@@ -3,6 +3,9 @@ "id": "a"\n   "tasks": [\n     {\n       "id": "a"\n-    }\n+    },\n'
        '+    {\n+      "id": "b"\n+    }\n   ]\n }\n'
    )
    assert tally == Tally(tasks_new=1)


def test_a_last_line_without_its_end_is_remarked() -> None:
    assert diff("pool: null", "pool: null\n") == (
        "@@ -1 +1 @@ pool: null\n-pool: null\n\\ No newline at end of file\n+pool: null\n",
        Tally(),
    )


def test_an_empty_file_lacks_everything() -> None:
    text, tally = diff("", yaml_text("a"))

    assert text.startswith("@@ -0,0 +1,17 @@ containers: []\n+containers: []\n")
    assert tally.summary() == "containers, uploads, pool, schedule, job, tasks: 1 new"


@given(
    st.lists(st.sampled_from(["a: 1", "tasks:", "- id: a", "- id: b", "  x: 1", "    {", '  "pool": {', "}", ""])),
    st.lists(st.sampled_from(["a: 1", "tasks:", "- id: a", "- id: b", "  x: 1", "    {", '  "pool": {', "}", ""])),
    st.booleans(),
)
def test_a_diff_makes_the_new_text_of_the_old_one(old: list[str], new: list[str], ends: bool) -> None:
    before = "\n".join(old) + ("\n" if old and ends else "")
    after = "\n".join(new) + ("\n" if new else "")

    assert patched(before, after) == after


def test_long_hunks_and_blocks_are_cut_and_still_right(monkeypatch: pytest.MonkeyPatch) -> None:
    old = yaml_text(*(f"t{number}" for number in range(30)))
    new = yaml_text(*(f"t{number}" for number in range(5, 40)), argument="-n 4")
    for name, limit in (("WINDOW_BLOCKS", 4), ("LONGEST_BLOCK_LINES", 3), ("LONGEST_HUNK_LINES", 10)):
        monkeypatch.setattr(text_diff, name, limit)

    assert patched(old, new) == new


def test_a_hundred_thousand_tasks_are_compared_in_little_memory() -> None:
    def lines(skipped: int) -> Iterator[str]:
        yield "tasks:\n"
        for number in itertools.count():
            if number == 100_000:
                return
            if number != skipped:
                yield f"- id: t{number}\n"
                yield f"  commandLine: echo {number}\n"

    tracemalloc.start()
    try:
        changes = list(unified(lines(50), lines(99_990), tally := Tally()))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert [line for line in changes if line[0] in "+-"] == [
        "+- id: t50\n",
        "+  commandLine: echo 50\n",
        "-- id: t99990\n",
        "-  commandLine: echo 99990\n",
    ]
    assert tally == Tally(tasks_new=1, tasks_gone=1)
    assert peak < 3_000_000


def test_pieces_of_any_size_become_lines() -> None:
    assert list(lines_of(["a\nb", "", "c\n", "\n", "d"])) == ["a\n", "bc\n", "\n", "d"]
