"""Places inside of scalars, however they are written."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from batchspec.spec.load import load
from batchspec.spec.places import place
from batchspec.spec.position import Position
from tests.spec.written import document

STYLES: list[Any] = [None, "'", '"', "|", ">"]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("t: a {{ x }} b", (1, 6)),
        ("t: 'it''s {{ x }}'", (1, 11)),
        (r't: "\ta\u00e9\"\\ {{ x }}"', (1, 19)),
        ('t: &a !!str "{{ x }}"', (1, 14)),
        ("t: |\n  a\n\n    b {{ x }}\n", (4, 7)),
        ("t: |2-\n    a\n  {{ x }}\n", (3, 3)),
        ("t: >-\n  a\n  b\n\n  c\n    d\n  e {{ x }}\n", (7, 5)),
        ("t: a\n  b\n\n  c {{ x }}", (4, 5)),
        ("t: 'a  \n\n  b\n  {{ x }}'", (4, 3)),
        ('t: "a \\\n    b\n  {{ x }}"', (3, 3)),
        ("t: |\r\n  a\r\n  {{ x }}\r\n", (3, 3)),
        (r't: "\x20\u2028\ \x41\U00000020 {{ x }}"', (1, 32)),
        ('t: "a\n\n   \\n b {{ x }}"', (3, 9)),
        ("t: !<tag:yaml.org,2002:str> &a # it's a note\n  '{{ x }}'", (2, 4)),
        ("t: >1- # note\n   a\n  b {{ x }}", (3, 5)),
        ("t: '\t{{ x }}'", (1, 6)),
        ("t: >\n  ü\u2028  é {{ x }}\n", (3, 5)),
    ],
)
def test_a_character_is_found_in_every_style(tmp_path: Path, written: str, expected: tuple[int, int]) -> None:
    made = document(tmp_path, written.encode())
    text = made.written(("t",))
    assert text is not None
    assert made.inside(("t",), text.index("{{")) == Position(*expected)


@given(st.text("ab \n\t'\"\\{}:#-é", max_size=60), st.sampled_from(STYLES), st.integers(8, 60))
@settings(deadline=None)
def test_each_character_that_is_no_space_is_found_as_it_stands_or_in_an_escape(
    text: str, style: Any, width: int
) -> None:
    source = "a: 1\n" + yaml.safe_dump({"t": text}, default_style=style, width=width, allow_unicode=True)
    node = yaml.compose(source, Loader=yaml.SafeLoader)
    assert isinstance(node, yaml.MappingNode)
    mark = node.value[1][1].start_mark
    lines = source.split("\n")
    at = -1
    for offset, character in enumerate(text):
        if character in " \n\t":
            continue
        found = place(source, Position(mark.line + 1, mark.column + 1), text, offset)
        assert found is not None
        seen = lines[found.line - 1][found.column - 1]
        assert seen == character or seen == "\\"
        index = sum(len(line) + 1 for line in lines[: found.line - 1]) + found.column
        assert index > at
        at = index


def test_a_text_that_is_not_in_the_file_has_no_place(tmp_path: Path) -> None:
    made = load(document(tmp_path, "t: abc\n").path)
    assert place(made.source, Position(1, 4), "abd", 2) is None
    assert place(made.source, Position(1, 4), "abcde", 4) is None
    assert place(made.source, Position(9, 1), "abc", 0) is None
    assert made.inside((), 3) == Position(1, 1)
