import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchspec.render.names import Container
from batchspec.render.symbolic import symbol
from batchspec.render.template import GLOBALS, is_template, native, text_of
from batchspec.render.template_faults import TemplateFault

RAW = "; to have {{ or {% literally, write {% raw %} before and {% endraw %} after it"
NAMES = {
    **GLOBALS,
    "name": "run",
    "vars": {"items": [1, 2], "title": "a b", "nothing": None, "flag": True},
    "containers": {"output": Container("output", "run-output")},
    "sas": symbol("sas_url", "output", "cw"),
}


def rendered(source: str) -> str:
    return text_of(source)(NAMES)


def fault(source: str) -> str:
    with pytest.raises(TemplateFault) as caught:
        text_of(source)(NAMES)
    return caught.value.message


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("no template", "no template"),
        ("${#x} ${x} {# kept #} {{ name }}", "${#x} ${x} {# kept #} run"),
        ("line\n# not a comment {{ name }}\n", "line\n# not a comment run\n"),
        ("{% raw %}{{ and {% {% endraw %}", "{{ and {% "),
        ("{{ '{{ name }}' }}", "{{ name }}"),
        ("{{ vars.items }} {{ vars.flag }} {{ 1.5 }}", "[1, 2] true 1.5"),
        ("{{ vars['title'].upper() }}", "A B"),
        ("{{ vars.missing | default('x') }}", "x"),
        ("{% for i in range(3) %}{{ i }}{% if not loop.last %},{% endif %}{% endfor %}", "0,1,2"),
        ("{% set n = 2 %}{{ '%03d' % n }} {{ '{:03d}'.format(n) }}", "002 002"),
        ("{{ ['b', 'a'] | sort | join('+') }} {{ {'b': 1} | tojson }}", 'a+b {"b": 1}'),
        ("{{ 'x' if vars.flag else 'y' }}{{ 'z' if not vars.flag }}", "x"),
        ("{{ sas | sh }}", f"'{symbol('sas_url', 'output', 'cw')}'"),
        ("{{ containers.output.sas_url('wc') }}", symbol("sas_url", "output", "cw")),
    ],
)
def test_a_template_gives_this_text(source: str, expected: str) -> None:
    assert rendered(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ vrs.x }}", "unknown name 'vrs'; did you mean 'vars'?"),
        ("{{ vars.titel }}", "`vars` has no 'titel'; did you mean 'title'?"),
        ("{{ vars.nothing }}", "cannot be rendered: a value is nothing (null); use the filter default, or set it"),
        ("{{ containers.output }}", "cannot be rendered: this has parts, write one of them: name, url, sas_url('cw')"),
        ("{{ containers.output.nme }}", "a container has no 'nme'; did you mean 'name'?"),
        (
            "docker inspect -f '{{.State}}'",
            f"unexpected '.'{RAW}",
        ),
        ("{% mine %}", f"there is no tag 'mine'; a template here can use if, for, set and with{RAW}"),
        ("{% if name %}x", "`{% if %}` is never closed; write `{% endif %}` after it"),
        ("{% for x in y", f"`{{%` is never closed; write `%}}` after it{RAW}"),
        ("{{ name name }}", f"expected token `}}}}`, got 'name'{RAW}"),
        ("{{ vars.title | uper }}", "there is no filter 'uper'; did you mean 'upper'?"),
        ("{{ vars.title.x }}", "a text has no 'x'"),
        ("{{ 1 / 0 }}", "cannot be rendered: division by zero"),
        ("{% macro f() %}{% endmacro %}", "a template here can use if, for, set and with, not macro"),
        ("{% include 'x' %}", "a template here can use if, for, set and with, not include"),
        (
            "{{ sas | upper }}",
            "cannot be rendered: an address or a secret can only be used as it is or with the filter sh",
        ),
        ("{{ sas[3:] }}", "an address or a secret was cut or changed; use it whole"),
        ("{{ '\\ud800' }}", "makes half of a character (a lone surrogate), which UTF-8 cannot carry"),
    ],
)
def test_a_wrong_template_is_explained(source: str, expected: str) -> None:
    assert fault(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__ }}",
        "{{ ''['__class__'] }}",
        "{{ '{0.__class__}'.format(name) }}",
        "{{ '{0.__class__.__mro__}'.format_map({}) }}",
        "{{ name | attr('__class__') }}",
        "{{ [name] | map(attribute='__class__') | list }}",
        "{{ [containers.output] | map(attribute='_key') | join }}",
        "{{ containers.output._key }}",
        "{{ containers.output.sas_url.__func__.__globals__ }}",
        "{{ self.__init__.__globals__ }}",
        "{{ self._TemplateReference__context }}",
        "{{ range.__self__ }}",
        "{{ cycler.__init__ }}",
        "{{ lipsum() }}",
        "{{ [1, 2] | random }}",
        "{{ vars.items() }}",
        "{{ vars.clear() }}",
        "{{ vars.items.append(1) }}",
        "{{ name.encode() }}",
        "{{ name.translate({}) }}",
        "{{ (1).to_bytes(9, 'big') }}",
        "{{ dict.fromkeys(range(9)) }}",
        "{{ namespace.__init__ }}",
        "{{ loop.index }}",
        "{% from 'x' import y %}",
        "{% for x in [1] recursive %}{{ loop([2]) }}{% endfor %}",
        "{% set x %}y{% endset %}",
        "{% filter upper %}y{% endfilter %}",
    ],
)
def test_the_sandbox_gives_nothing_away(source: str) -> None:
    fault(source)


@pytest.mark.parametrize(
    "source",
    [
        "{{ 'a' * 10 ** 9 }}",
        "{{ [0] * 10 ** 9 }}",
        "{{ 9 ** 9999999 }}",
        "{{ 10 ** 4000 * 10 ** 4000 }}",
        "{{ range(10 ** 9) | list }}",
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
        "{% for i in range(99999) %}{{ 'twenty characters, or so' }}{% endfor %}",
        "{% set x = 'aaaaaaaa' %}" + "{% set x = x ~ x %}" * 40 + "{{ x }}",
        "{% set x = 'aaaaaaaa' %}" + "{% set x = x + x %}" * 40 + "{{ x }}",
        "{% set x = [1, 1] %}" + "{% set x = [x, x] %}" * 40 + "{{ x | length }}",
        "{% set ns = namespace(x='aaaa') %}{% for i in range(99) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
        "{{ '%999999999d' % 1 }}",
        "{{ '%*d' % (999999999, 1) }}",
        "{{ '{:999999999d}'.format(1) }}",
        "{{ '{:{}}'.format(1, 999999999) }}",
        "{{ '{0:999999999}'.format('a') }}",
        "{{ 'a'.ljust(10 ** 9) }}",
        "{{ 'a' | indent(10 ** 9, true) }}",
        "{{ ('a' * 1000).replace('a', 'b' * 10000) }}",
        "{{ ('a' * 1000) | replace('a', 'b' * 10000) }}",
        "{{ (['a' * 1000] * 1000 + ['b']) | join('c' * 1000) }}",
        "{{ ('a' * 10000).join(range(1000) | map('string')) }}",
        "{{ range(99999) | map('indent', 9999, true) | list | length }}",
        "{{ 1 | round(10 ** 9) }}",
        "{{ " + "(" * 300 + "1" + ")" * 300 + " }}",
        "{{ " + "-" * 5000 + "1 }}",
    ],
)
@pytest.mark.timeout(20)
def test_a_template_cannot_run_away(source: str) -> None:
    fault(source)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ vars.items }}", [1, 2]),
        (" {{ 1 + 1 }} ", 2),
        ("{{ vars.flag }}", True),
        ("{{ vars.nothing }}", None),
        ("{{ 5 if not vars.flag }}", None),
        ("{{ '}}' }}", "}}"),
        ("{{ range(3) }}", [0, 1, 2]),
        ("{{ vars.items | map('string') }}", ["1", "2"]),
        ("{{ {'a': (1, 2)} }}", {"a": [1, 2]}),
    ],
)
def test_one_whole_expression_keeps_its_type(source: str, expected: object) -> None:
    assert native(source)(NAMES) == expected


@pytest.mark.parametrize("source", ["{{ 1 }}{{ 2 }}", "x {{ 1 }}", "{{ 1 }} x", "{% if true %}1{% endif %}", "1"])
def test_anything_else_is_not_one_whole_expression(source: str) -> None:
    with pytest.raises(TemplateFault, match=r"one whole \{\{ \}\} was expected here"):
        native(source)


@pytest.mark.parametrize("source", ["{{ range }}", "{{ vrs }}", "{{ containers.output }}", "{{ vars.items.append }}"])
def test_an_expression_that_is_no_data_is_a_fault(source: str) -> None:
    with pytest.raises(TemplateFault):
        native(source)(NAMES)


@pytest.mark.parametrize(
    ("source", "at"),
    [
        ("one\ntwo {{ vrs }}\n", "vrs"),
        ("{{ vars.title }} {{ vars.titel }}", "titel"),
        ("{{ vars['titel'] | upper }}", "titel"),
        ("{{ name ~ vars.name }}", "name }}"),
        ("{{ vars.title | replace('a') | sh }}", "replace"),
        ("{{ vars.title | uper | sh }}", "uper"),
        ("a {{ 1 / 0 }} b", "1 / 0"),
        ("{{ name }}{% if vars.flags %}x{% endif %}", "flags"),
        ("{% for x in [1] %}{{ x.y }}{% endfor %}", "y }}"),
        ("{% set a = vars.b %}{{ a }}", "b %}"),
        ("one\r\ntwo {{ vrs }}\r\n", "vrs"),
        ("a {{- vrs }}", "vrs"),
        ("{{ name }}\n\n{% if %}", "%}"),
        ("{% if true %}{{ name }}", "{% if"),
        ("{{ name }} and {{ name", "{{ name"),
        ("{{ name }} and {{ a ? b }}", "? b"),
        ("{{ name }}{% include 'x' %}", "include"),
        ("{% raw %}{{ x }}{% endraw %}{{ x }}", "x }}"),
    ],
)
def test_a_fault_knows_its_place(source: str, at: str) -> None:
    with pytest.raises(TemplateFault) as caught:
        text_of(source)(NAMES)
    assert source[caught.value.offset :].startswith(at)
    if source.count(at) > 1:
        assert caught.value.offset == source.rindex(at)


def test_a_fault_of_a_whole_expression_knows_its_place() -> None:
    source = "\n {{ vars.flags }}\n"
    with pytest.raises(TemplateFault) as caught:
        native(source)(NAMES)
    assert caught.value.offset == source.index("flags")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ 1 + 'a' }}", "`+` does not go with a number and a text; `~` joins texts"),
        ("{{ 'a' + 1 }}", "`+` does not go with a text and a number; `~` joins texts"),
        ("{{ vars.items - 1 }}", "`-` does not go with a list and a number"),
        ("{{ 'a' < 1 }}", "`<` does not compare a text and a number"),
        ("{{ name | with_suffix }}", "the filter `with_suffix` lacks its argument 'new'"),
        ("{{ name | stem(1) }}", "the filter `stem` takes fewer arguments"),
        ("{{ name | truncate(size=5) }}", "the filter `truncate` has no argument 'size'"),
        ("{{ name | with_suffix(5) }}", "the filter `with_suffix` cannot use a number there"),
        ("{{ 5 | join }}", "a number stands where a list belongs"),
        ("{% for x in 5 %}{% endfor %}", "a number stands where a list belongs"),
    ],
)
def test_values_that_do_not_go_together_are_told_in_the_words_of_a_spec(source: str, expected: str) -> None:
    assert fault(source) == f"cannot be rendered: {expected}"


@given(st.text(alphabet="{}%#' |.()[]+*~abnx_019:\n\"", max_size=40))
@settings(max_examples=300, deadline=None)
def test_whatever_is_written_only_a_fault_is_raised(source: str) -> None:
    for compile_ in (text_of, native):
        try:
            compile_(source)(NAMES)
        except TemplateFault:
            pass


@given(st.text())
def test_a_text_without_braces_stays_as_it_is(source: str) -> None:
    if not is_template(source):
        assert text_of(source)(NAMES) == source


@given(st.text())
def test_a_value_is_never_rendered_again(value: str) -> None:
    assert text_of("{{ value }}")({**NAMES, "value": value}) == value or symbol_characters(value)


def symbol_characters(value: str) -> bool:
    return any(c in value for c in "\ue000\ue001\ue002")
