"""Words from outside in Markdown, as a parser of it (CommonMark with GitHub's tables and strikethrough) sees them."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from batchspec.cli.markdown import block, code, fitting, folded, prose, size
from batchspec.cli.phrases import harmless

PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
# What GitHub makes links, mentions, references and formulas of in text that is no code.
LINKED = re.compile(r"(?i)@\w|#\d|\bgh-\d|://|\bwww\.|mailto:\w")
NO_WIDTH = "\u200b"
NASTY = (
    *("`", "``", "```", "~~~", "|", "</details>", "<img src=x onerror=alert(1)>", "<!--", "-->", "@octocat", "#1"),
    *("o/r#1", "GH-7", "https://example.com/x", "www.example.com", "a@example.com", "mailto:a@example.com", "[^1]"),
    *("![x](https://example.com/y)", "[x](javascript:x)", "[x][y]", "\n", "\r\n", "\n\n", "\n    ", "\n- ", "\n# "),
    *("\x1b[2J", "\u202e", "\u2066", "\x00", "\ud800", "&lt;", "&#64;octocat", "&", "\\", "*", "**", "_", "~~", "$x$"),
    *("$`x`$", ":+1:", "{{ x }}", "  ", "\t", "---", "1. ", "+ ", "===", "é"),
)
OUTSIDE = st.lists(st.sampled_from(NASTY) | st.text(max_size=8), max_size=8).map("".join)


@dataclass
class Seen(HTMLParser):
    """The tags of a document, and its text inside and outside of code."""

    tags: list[str] = field(default_factory=list)
    inside: str = ""
    outside: str = ""
    _depth: int = 0

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._depth += tag == "code"

    def handle_endtag(self, tag: str) -> None:
        self._depth -= tag == "code"

    def handle_data(self, data: str) -> None:
        if self._depth:
            self.inside += data
        else:
            self.outside += data

    def handle_comment(self, data: str) -> None:
        self.tags.append("!--")

    def handle_decl(self, decl: str) -> None:
        self.tags.append("!")


def seen(markdown: str) -> Seen:
    found = Seen()
    found.feed(PARSER.render(markdown))
    found.close()
    return found


@settings(deadline=None)
@given(OUTSIDE)
@example("`")
@example(" ")
def test_a_name_is_shown_as_it_is_and_is_nothing_but_code(text: str) -> None:
    found = seen(f"- before {code(text)} after")

    assert found.tags == ["ul", "li", "code"]
    assert found.inside == (harmless(text) or "''")
    assert found.outside.strip() == "before  after"


@settings(deadline=None)
@given(OUTSIDE)
@example("")
@example("---")
@example("$`x`$ <b> [a](b) @octocat")
def test_a_sentence_is_shown_as_it_is_and_holds_no_markup_link_or_mention(text: str) -> None:
    found = seen(f"before\n- {prose(text)}")

    assert found.tags == ["p", "ul", "li"]
    assert found.outside.replace(NO_WIDTH, "").split() == f"before {harmless(text)}".split()
    assert not LINKED.search(found.outside), found.outside
    assert not re.search(r"(?<!\\)\$", prose(text)), "a formula"


@settings(deadline=None)
@given(st.lists(OUTSIDE, max_size=5))
def test_a_block_and_what_folds_it_cannot_be_left(texts: list[str]) -> None:
    markdown = "\n".join([*folded("title", block(texts)), "", "behind"])
    found = seen(markdown)

    assert found.tags == ["details", "summary", "pre", "code", "p"]
    assert found.inside.splitlines() == [harmless(text) for text in texts]
    assert found.outside.split() == ["title", "behind"]


@given(OUTSIDE)
def test_nothing_has_a_line_end_or_what_is_not_printable(text: str) -> None:
    assert code(text).isprintable()
    assert prose(text).isprintable()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a sentence: with 3 files (1.2 kB), and more.", "a sentence: with 3 files (1.2 kB), and more."),
        ("@octocat in o/r#1", "@&#8203;octocat in o/r#&#8203;1"),
        ("https://example.com", "https:&#8203;//example.com"),
        ("<b>*x*</b> & `y`", "&lt;b&gt;\\*x\\*&lt;/b&gt; &amp; \\`y\\`"),
        ("a\nb", "a\\\\nb"),
    ],
)
def test_a_plain_sentence_stays_readable(text: str, shown: str) -> None:
    assert prose(text) == shown


@given(st.lists(st.text(max_size=30).map(harmless), max_size=30), st.integers(40, 400))
def test_lines_take_no_more_bytes_than_there_is_room_for(lines: list[str], room: int) -> None:
    kept = fitting(lines, room, lambda number: f"{number} more")

    assert size(kept) <= room
    left = 0 if kept == lines else int(kept[-1].removesuffix(" more"))
    assert kept[: len(lines) - left] == lines[: len(lines) - left]
