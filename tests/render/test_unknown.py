"""What stands for values that nobody can know: only wrong names are found with it."""

import pytest

from batchspec.render.template import native, text_of
from batchspec.render.template_faults import TemplateFault
from batchspec.render.unknown import ANY, TEXT, Unknown

NAMES = {"file": Unknown(("name", "size")), "item": ANY, "vars": {"n": 2, "map": {"a": 1}}}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ file.name }}.{{ item.a['b'][3] | sh }}", f"{TEXT}.{TEXT}"),
        ("{{ (file.size // 2 + vars.n) * 3 ** -item % 5 | round | abs }}", TEXT),
        ("{{ file.name.upper().split('.')[0] | task_id }}", TEXT),
        ("{{ vars.map[item] }}{{ [1, 2][item] }}", TEXT * 2),
        ("{% for one in item if one.x > 3 %}{{ one.y }},{% endfor %}{{ item | length }}", f"{TEXT},1"),
        ("{{ 'yes' if item.x and 3 in item else 'no' }}", "yes"),
        ("{{ item | join('-') }} {{ item | int }} {{ item ~ 'x' }}", f"{TEXT} 1 {TEXT}x"),
    ],
)
def test_it_takes_part_in_everything(source: str, expected: str) -> None:
    assert text_of(source)(NAMES) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ file.nme }}", "this has no 'nme'; did you mean 'name'?"),
        ("{{ item.x }} {{ vars.m }}", "`vars` has no 'm'; there are: map, n"),
        ("{{ fil.name }}", "unknown name 'fil'; did you mean 'file'?"),
    ],
)
def test_wrong_names_beside_it_are_found(source: str, expected: str) -> None:
    with pytest.raises(TemplateFault) as caught:
        text_of(source)(NAMES)
    assert (caught.value.message, caught.value.names_nothing) == (expected, True)


def test_what_a_stand_in_cannot_do_is_no_wrong_name() -> None:
    with pytest.raises(TemplateFault) as caught:
        text_of("{{ [item] | sum }}")(NAMES)
    assert not caught.value.names_nothing


def test_as_a_value_it_is_a_text() -> None:
    assert native("{{ item.count }}")(NAMES) == TEXT
