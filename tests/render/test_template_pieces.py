"""Texts taken apart mean what they meant in one piece, are wrong at the same places, and share their templates."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from batchspec.render import template
from batchspec.render.template import text_of
from batchspec.render.template_faults import TemplateFault
from batchspec.render.template_pieces import Pieces, pieces_of

NAMES = {"a": "x{{ b }}", "n": 3, "vars": {"k": "v", "empty": "", "none": None}, "items": [1, "}}"]}
PRINTS = (
    *(
        "{{ a }}",
        "{{n}}",
        "{{ vars.k }}",
        "{{ vars['k'] | sh }}",
        '{{ "quoted" }}',
        "{{ '' }}",
        "{{ n + 1 }}",
        "{{\nn }}",
    ),
    *("{{ items | join(', ') }}", "{{ n > 2 and 'yes' or 'no' }}", "{{ vars.none }}", "{{ 'it' ~ \"'s\" }}"),
)
WRONG = ("{{ missing }}", "{{ vars.k.x }}", "{{ n | nofilter }}", "{{ a + n }}", "{{ ) }}", "{{ }}", "{{ a b }}")
OTHERS = (
    "{% if n %}",
    "{% endif %}",
    "{{- a -}}",
    "{{+ n +}}",
    "{{ {'k': 1}['k'] }}",
    "{{ '}}' }}",
    "{% raw %}{{{% endraw %}",
)
LITERALS = ("", " ", "\n", "x", "{", "}", "}}", "%}", "{#", "#}", "'", '"', "-", "Ünï", "\\", "$x")


def whole(text: str) -> str:
    """Rendered, or what is wrong and where, with the text in one piece."""
    try:
        return template._rendered(template._template(text), NAMES, Pieces((text,)))
    except TemplateFault as fault:
        return f"{fault.offset}: {fault.message}"


def taken_apart(text: str) -> str:
    """The same as a spec has it."""
    try:
        return text_of(text)(NAMES)
    except TemplateFault as fault:
        return f"{fault.offset}: {fault.message}"


@given(st.lists(st.sampled_from((*PRINTS, *WRONG, *OTHERS, *LITERALS, *LITERALS)), max_size=8).map("".join))
def test_a_text_means_what_it_means_in_one_piece(text: str) -> None:
    assert taken_apart(text) == whole(text)


@given(st.lists(st.sampled_from(("{{", "}}", "{%", "%}", *"{}%-+#'\"\\ \r\nan|.~()")), max_size=20).map("".join))
def test_so_do_braces_however_they_stand(text: str) -> None:
    assume(template.is_template(text))
    assert taken_apart(text) == whole(text)


@pytest.mark.parametrize(
    ("text", "prints", "literals"),
    [
        ("run {{ a }} --n {{ n }}", ("{{ a }}", "{{ n }}"), ("run ", " --n ", "")),
        ("{{ a }}{{ n }}", ("{{ a }}", "{{ n }}"), ("", "", "")),
        ("{{ 'b' }}{{ 'c' }}", ("{{ 'b' }}", "{{ 'c' }}"), ("", "", "")),
        ("awk '{print}' {{ a }}", ("{{ a }}",), ("awk '{print}' ", "")),
    ],
)
def test_literals_stand_before_each_print_and_behind_the_last(
    text: str, prints: tuple[str, ...], literals: tuple[str, ...]
) -> None:
    found = pieces_of(text)
    assert (found.prints, found.literals) == (prints, literals)


@pytest.mark.parametrize(
    "text", ["{% if n %}{{ a }}{% endif %}", "x {{- a }}", "{{{ a }}}", "{{ '{' }}", "a\r\n{{ a }}"]
)
def test_what_only_jinja_can_read_stays_in_one_piece(text: str) -> None:
    assert pieces_of(text) == Pieces((text,))


def test_texts_that_differ_in_their_literals_are_compiled_once() -> None:
    before = template._template.cache_info().misses
    made = {text_of(f"run --task {number} --of {{{{ n }}}} {{{{ vars.k | sh }}}}")(NAMES) for number in range(500)}
    assert (len(made), template._template.cache_info().misses - before) == (500, 1)


def test_a_fault_is_told_where_it_stands_in_the_text() -> None:
    with pytest.raises(TemplateFault) as raised:
        text_of("first {{ a }}, then {{ n }} and {{ missing }}")(NAMES)
    assert (raised.value.offset, raised.value.names_nothing) == (35, True)
