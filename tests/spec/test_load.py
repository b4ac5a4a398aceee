"""Files as they come: whole, broken, hostile."""

import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from batchspec.errors import Problem, SpecInvalid
from batchspec.spec import load as module
from batchspec.spec.load import MAX_BYTES, load
from batchspec.spec.read import read
from tests.spec.written import document, file, problems


def fatal(folder: Path, content: str | bytes) -> list[str]:
    """The problems of a file that cannot be read at all."""
    with pytest.raises(SpecInvalid) as caught:
        load(file(folder, content), "s")
    return [str(problem) for problem in caught.value.problems]


def test_a_file_becomes_plain_data(tmp_path: Path) -> None:
    content = "a: 1\nb: [x, 2.5, true, null, ~]\nc: {d: 'e', f: \"g\\n\"}\nh: |\n  i\n"
    found = document(tmp_path, content)
    assert found.data == {"a": 1, "b": ["x", 2.5, True, None, None], "c": {"d": "e", "f": "g\n"}, "h": "i\n"}
    assert found.problems == ()
    assert found.shown_as == "s"


def test_quotes_and_the_str_tag_make_texts(tmp_path: Path) -> None:
    content = "a: '1'\nb: \"true\"\nc: !!str 5\nd: ! 6\ne: !!int 7\nf: |\n  8\n"
    found = document(tmp_path, content)
    assert found.data == {"a": "1", "b": "true", "c": "5", "d": "6", "e": 7, "f": "8\n"}


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    found = document(tmp_path, b"\xef\xbb\xbfa: 1\n")
    assert (found.data, found.key_position(("a",)).column) == ({"a": 1}, 1)


def test_windows_line_ends_count_as_one(tmp_path: Path) -> None:
    found = document(tmp_path, b"a: 1\r\nb: 2\r\n")
    assert found.key_position(("b",)).line == 2


def test_columns_are_characters(tmp_path: Path) -> None:
    found = document(tmp_path, "{ä: 'öö', 🎉: 1}\n")
    assert found.key_position(("🎉",)).column == 11


def test_aliases_share_and_merges_give_way_to_own_and_earlier_keys(tmp_path: Path) -> None:
    content = """
        a: &a {x: 1, y: 1}
        b: &b {y: 2, z: 2}
        c: {<<: [*a, *b], x: 3}
        d: {z: 4, <<: *b}
        e: *a
        f: {"<<": 5}
        """
    found = document(tmp_path, content)
    assert found.data == {
        "a": {"x": 1, "y": 1},
        "b": {"y": 2, "z": 2},
        "c": {"x": 3, "y": 1, "z": 2},
        "d": {"z": 4, "y": 2},
        "e": {"x": 1, "y": 1},
        "f": {"<<": 5},
    }
    assert found.position(("c", "y")).line == 2


def test_a_merge_of_something_else_is_told(tmp_path: Path) -> None:
    found = document(tmp_path, "a: {<<: 5, b: 1}\n")
    assert found.problems == (
        Problem("s", 1, 9, "a", "`<<` merges a mapping, or a list of mappings, that an anchor names"),
    )
    assert found.data == {"a": {"b": 1}}


def test_bytes_that_are_not_utf8_have_a_place(tmp_path: Path) -> None:
    expected = ["s:2:5: byte 0xff at offset 9 is not UTF-8; save the file as UTF-8"]
    assert fatal(tmp_path, b"a: 1\nb: \xff\n") == ["s:2:4: byte 0xff at offset 8 is not UTF-8; save the file as UTF-8"]
    assert fatal(tmp_path, b"a: 1\nb: x\xff\n") == expected
    assert fatal(tmp_path, "a: ü\n".encode("latin-1"))[0].startswith("s:1:4: byte 0xfc at offset 3")


def test_utf16_is_told_as_not_utf8(tmp_path: Path) -> None:
    for encoding in ("utf-16", "utf-16-le"):
        assert fatal(tmp_path, "version: 1\n".encode(encoding)) == [
            "s:1:1: this is UTF-16, not UTF-8; save the file as UTF-8"
        ]


def test_every_control_character_is_told_at_once(tmp_path: Path) -> None:
    assert fatal(tmp_path, b"a: \x00\nb: \x1b[0m\n") == [
        "s:1:4: character U+0000 is not allowed in YAML; remove it",
        "s:2:4: character U+001B is not allowed in YAML; remove it",
    ]


def test_an_escaped_surrogate_is_told(tmp_path: Path) -> None:
    assert fatal(tmp_path, 'a: "\\ud800"\n')[0].startswith("s:1:7: in double quotes a backslash begins an escape")


@pytest.mark.parametrize("opening", ["[", "{", "- ", "{a: ", "? "])
def test_deep_nesting_ends_with_a_message(tmp_path: Path, opening: str) -> None:
    found = fatal(tmp_path, opening * 3000)
    assert "nested more than 100 levels deep" in found[-1]


def test_depth_up_to_the_limit_is_read(tmp_path: Path) -> None:
    assert document(tmp_path, "[" * 99 + "]" * 99).problems == ()


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    assert "is larger than 5,000,000 bytes" in fatal(tmp_path, b"#" * (MAX_BYTES + 1))[0]


def test_too_many_values_end_with_a_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "more than 250,000 values" in fatal(tmp_path, "[" + "1," * (module.MAX_VALUES + 1) + "]")[0]


def test_aliases_of_long_texts_are_limited_too(tmp_path: Path) -> None:
    content = "a: &a " + "x" * 1_000_000 + "\nb: [" + "*a," * 11 + "]\n"
    assert "aliases expand to more than" in fatal(tmp_path, content)[0]


def test_missing_files_directories_and_odd_paths_are_told(tmp_path: Path) -> None:
    for path, message in (
        (tmp_path / "nope.yaml", "no such file; check the path and the current directory"),
        (tmp_path, "is a directory, not a file; name the YAML file in it"),
        (tmp_path / "a\0b", "cannot read this file: embedded null byte"),
        (file(tmp_path, "a: 1") / "x", "cannot read this file: Not a directory"),
    ):
        with pytest.raises(SpecInvalid) as caught:
            load(path, "s")
        assert [str(one) for one in caught.value.problems] == [f"s:1:1: {message}"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_told(tmp_path: Path) -> None:
    path = file(tmp_path, "a: 1")
    path.chmod(0)
    with pytest.raises(SpecInvalid, match="cannot read this file: Permission denied"):
        load(path, "s")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a: {{ x }}/y\n", "1:4: a: a value that begins with `{{` must stand in quotes"),
        ("a:\n  - {{ x }}\n", '2:5: a[0]: a value that begins with `{{` must stand in quotes: "{{ ... }}"'),
        ("a: {% if x %}y{% endif %}\n", "1:4: a value that begins with `{%` must stand in quotes"),
        ("files: [*.mp4]\n", "1:9: a value that begins with `*` must stand in quotes"),
        ("a: @x\n", "1:4: a value that begins with `@` must stand in quotes"),
        ("a: %x\n", "1:4: a value that begins with `%` must stand in quotes"),
        ("a:\n  b: 1\n \tc: 2\n", "3:2: a tab in the indentation; indent with spaces"),
        ("a: 'it's'\n", "1:8: in single quotes a `'` is written twice: 'it''s'; or use double quotes"),
        ("a: 'it' s\n", "1:9: not a key or item at this indentation"),
        ("a: 1\nb\n", "2:1: a `:` is missing after the key"),
        (
            "a: [1, 2\nb: 3\n",
            (
                "2:2: a `,` or the closing bracket is missing, or a bracket begins a text that must stand in quotes; "
                "the bracket opens on line 1"
            ),
        ),
        ("a: 'x\n\nb: 2\n", "1:4: a quote or bracket is never closed"),
    ],
)
def test_usual_slips_get_the_way_out(tmp_path: Path, content: str, expected: str) -> None:
    assert any(line.startswith(expected) for line in problems(tmp_path, content)), problems(tmp_path, content)


def test_no_message_has_more_than_one_line(tmp_path: Path) -> None:
    for content in ('"a\\nb": 1\n"a\\nb": 2\n', "a: !!x%0Ay 1\n", "a: *b\n"):
        assert all("\n" not in line for line in problems(tmp_path, content))


YAMLISH = st.text(st.sampled_from("ab1:-[]{},&*!|>'\"%@#? \n\t~<{}\\\x85\ue000é"), max_size=60)


@given(YAMLISH | st.text(max_size=40) | st.binary(max_size=40))
@example("? - a\n: b\n")
@example("<<: {a: 1}\n")
@example("&a [&b [*a, *b]]\n")
@example("- &a\n- *a\n")
def test_no_content_raises_anything_but_spec_invalid(
    tmp_path_factory: pytest.TempPathFactory, content: str | bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    try:
        _, found = read(path, "s")
    except SpecInvalid as error:
        found = list(error.problems)
        assert found
    assert all("\n" not in str(problem) and problem.line > 0 and problem.column > 0 for problem in found)


def test_values_that_the_yaml_spoils_are_known_by_their_paths(tmp_path: Path) -> None:
    found = document(tmp_path, 'a: .inf\nb: ["\\ue000", *x]\nc: !!set {d}\ne: 1\ne: 2\n')
    assert found.spoilt == {("a",), ("b", 0), ("b", 1), ("c",)}
    assert [problem.path for problem in found.problems] == ["a", "b[0]", "b[1]", "c", "e"]
