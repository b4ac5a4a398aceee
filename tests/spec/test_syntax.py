"""What is said about broken YAML."""

import pytest
import yaml

from batchspec.spec import syntax


def said(text: str) -> str:
    """What is said about a text that libyaml refuses."""
    with pytest.raises(yaml.YAMLError) as caught:
        yaml.load(text, Loader=yaml.CSafeLoader)
    return str(syntax.problem(caught.value, text, "s"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "a: b: c",
            "s:1:5: `: ` inside a text, or wrong indentation; put the text in quotes or use `|` and a new line",
        ),
        (
            """a: echo '{"b": {{"c"}} }'""",
            "s:1:14: `: ` inside a text, or wrong indentation; put the text in quotes or use `|` and a new line",
        ),
        (
            "a: [b\nc: d",
            "s:2:2: a `,` or the closing bracket is missing, or a bracket begins a text that must stand in quotes",
        ),
        ("a: `b", "s:1:4: a value that begins with '`' must stand in quotes"),
        (
            "a:\n  - b\n c: d\n",
            "s:3:2: not a key or item at this indentation; check the indentation and the quotes near 'c: d'",
        ),
        (r'a: "\d+"', "s:1:5: in double quotes a backslash begins an escape; write it twice, or use single quotes"),
    ],
)
def test_a_complaint_of_the_parser_becomes_one_line_with_a_way_out(text: str, expected: str) -> None:
    assert said(text) == expected


def test_tags_and_missing_anchors_name_what_was_probably_meant() -> None:
    assert syntax.tag_message("tag:yaml.org,2002:timestamp") == (
        "tag '!!timestamp' is not supported; write the value without a tag"
    )
    assert syntax.no_anchor("basee", ["base"]) == "no anchor `&basee` before this alias; did you mean `*base`?"
