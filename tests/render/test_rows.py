import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchspec.errors import SpecInvalid
from batchspec.render.model import LocalFile
from batchspec.render.rows import BadRows, Row, reader_of, rows
from tests.render.conftest import Render

LARGE = 10**30


def read(folder: Path, name: str, content: str | bytes) -> list[Row]:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    reader = reader_of(path.suffix)
    assert reader is not None
    return list(rows(path, reader))


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("r.csv", "a,b\n1,x\n", [{"a": "1", "b": "x"}]),
        ("r.CSV", "\ufeffa,b\r\n1,x", [{"a": "1", "b": "x"}]),
        ("r.csv", "a,b\r1,x\r", [{"a": "1", "b": "x"}]),
        ("r.csv", '\n"a, b",c\n\n"x ""y""\nz",\n\n', [{"a, b": 'x "y"\nz', "c": ""}]),
        ("r.csv", "a\n007\n1e3\n", [{"a": "007"}, {"a": "1e3"}]),
        ("r.csv", "a,b\n", []),
        ("r.csv", f"a\n{'x' * 200_000}\n", [{"a": "x" * 200_000}]),
        ("r.tsv", 'a\tb\n"x\ty"\tz,z\n', [{"a": "x\ty", "b": "z,z"}]),
        ("r.jsonl", f'{{"a": {LARGE}, "b": [1.5, null, {{}}]}}\r\n\n{{}}', [{"a": LARGE, "b": [1.5, None, {}]}, {}]),
        ("r.ndjson", "", []),
        ("r.jsonl", b'\xef\xbb\xbf{"a": 1}\r\n', [{"a": 1}]),
        ("r.jsonl", '{"a": "\\ud83d\\ude00"}', [{"a": "\U0001f600"}]),
        ("r.csv", b'\xef\xbb\xbf"a b",c\r\n1,2\r\n', [{"a b": "1", "c": "2"}]),
        ("r.csv", 'a,A, a\n5" pipe,\u2028x,\n', [{"a": '5" pipe', "A": "\u2028x", " a": ""}]),
    ],
)
def test_a_file_has_these_rows(tmp_path: Path, name: str, content: str | bytes, expected: list[Row]) -> None:
    assert read(tmp_path, name, content) == expected


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("r.csv", "", "is empty; the first line must name the columns"),
        ("r.csv", "\n\n", "is empty; the first line must name the columns"),
        ("r.csv", "a,b,a\n", "the first line names the column 'a' twice"),
        ("r.csv", "a, ,b\n", "column 2 of the first line has no name"),
        ("r.csv", "a,b,\n1,2,\n", "column 3 of the first line has no name"),
        (
            "r.csv",
            "a,b\n1,2\n1,2,3\n",
            "line 3 has 3 fields, the first line 2; put quotes around a field with a separator",
        ),
        ("r.csv", 'a\n"x\n', "line 2: a quote is opened and never closed"),
        ("r.csv", 'a\n"x"y\n', "line 2: a quote inside a quoted field must be doubled"),
        (
            "r.csv",
            f"a\n{'x' * 1_048_577}\n",
            "line 2: a field has more than 1,048,576 characters; is a quote not closed?",
        ),
        (
            "r.csv",
            b"a\nx\n1\x002\n",
            (
                "row 2 holds a NUL character, which no command, name or path can carry; is the file UTF-16? "
                "Save it as UTF-8"
            ),
        ),
        ("r.csv", "a\n1\n".encode("utf-16"), "byte 0xff is not UTF-8; save it as UTF-8"),
        ("r.csv", "\ufeff", "is empty; the first line must name the columns"),
        ("r.csv", b"a\n\xff\n", "byte 0xff is not UTF-8; save it as UTF-8"),
        ("r.csv", "a\nx\n\ue000\n", "row 2 holds one of the characters U+E000 to U+E002, which batchspec reserves"),
        (
            "r.jsonl",
            '{"a": ["\\ue001"]}\n',
            "row 1 holds one of the characters U+E000 to U+E002, which batchspec reserves",
        ),
        (
            "r.jsonl",
            '{"a": {"b": "\\u0000"}}\n',
            (
                "row 1 holds a NUL character, which no command, name or path can carry; is the file UTF-16? "
                "Save it as UTF-8"
            ),
        ),
        (
            "r.jsonl",
            '{"a": 1}\n{"\\ud800": 1}\n',
            "row 2 holds half of a character (a lone surrogate), which UTF-8 cannot carry",
        ),
        ("r.jsonl", '{"a": 1e999}\n', "line 1 is not JSON: 1e999 is too large for a number"),
        ("r.jsonl", '{"a": 1} {"b": 2}\n', "line 1 is not JSON: Extra data: line 1 column 10 (char 9)"),
        ("r.jsonl", f'{{"a": "{"x" * 10_000_000}"}}\n', "line 1 has more than 10,000,000 characters"),
        ("r.jsonl", '{"a": 1}\n[1]\n', "line 2 is a list, a JSON object was expected"),
        ("r.jsonl", '"{}"\n', "line 1 is '{}', a JSON object was expected"),
        ("r.jsonl", '{"a": -Infinity}\n', "line 1 is not JSON: -Infinity is no number"),
        ("r.jsonl", '{"a": 1, "a": 2}\n', "line 1 is not JSON: the key 'a' is there twice"),
        ("r.jsonl", f'{{"a": {"9" * 5000}}}\n', "line 1 is not JSON: a number has too many digits"),
        ("r.jsonl", "[" * 100_000, "line 1 is not JSON: it is nested too deeply"),
    ],
)
def test_a_file_that_cannot_be_used_is_explained(tmp_path: Path, name: str, content: str | bytes, message: str) -> None:
    with pytest.raises(BadRows) as caught:
        read(tmp_path, name, content)
    assert str(caught.value) == message


def test_a_file_that_cannot_be_read_is_explained(tmp_path: Path) -> None:
    reader = reader_of(".csv")
    assert reader is not None
    with pytest.raises(BadRows, match="No such file"):
        list(rows(tmp_path / "none.csv", reader))


def test_other_suffixes_have_no_reader() -> None:
    assert reader_of(".txt") is None


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ue000\ue001\ue002"))


@given(st.lists(st.dictionaries(st.sampled_from("abc"), TEXTS | st.integers() | st.none(), max_size=3)))
def test_json_lines_come_back_as_written(tmp_path_factory: pytest.TempPathFactory, given_rows: list[Row]) -> None:
    content = "".join(json.dumps(row) + "\n" for row in given_rows)
    assert read(tmp_path_factory.mktemp("rows"), "r.jsonl", content) == given_rows


def test_the_files_of_rows_are_known_once_they_were_read_and_must_stay_as_they_are(
    render_spec: Render, tmp_path: Path
) -> None:
    spec = "pool: {id: p, existing: true}\ntasks: [{id: '{{ row.a }}', command: x, for_each: {rows: r.csv}}]\n"
    desired = render_spec(spec, {"r.csv": "a\n1\n2\n"}).desired
    assert desired.rows == {"r.csv": LocalFile("r.csv", tmp_path / "r.csv", 6)}
    assert [task.id for task in desired.tasks()] == ["1", "2"]

    (tmp_path / "r.csv").write_text("a\n1\n2\n3\n")
    with pytest.raises(SpecInvalid, match=r"'r.csv': was written while it was in use; run this again"):
        list(desired.tasks())
