"""Templates that would run away: each ends within 2 s and 500 MB, with a fault or with what it makes."""

import pytest

from tests.hostile.forked import CPU_S, Forked

LOOP = "{%% for i in range(99999) %%}{%% for j in range(99) %%}%s{%% endfor %%}{%% endfor %%}"
LONG = "{%% set a = 'ab' * 250000 %%}{%% for i in range(99999) %%}{%% if %s %%}{%% endif %%}{%% endfor %%}"
MANY = "{%% set a = range(99999) | list %%}{%% for i in range(99999) %%}{%% if %s %%}{%% endif %%}{%% endfor %%}"

RUNAWAYS = {
    "loops in loops": "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
    "loops with a condition": "{% for i in range(99999) %}{% for j in range(99999) if j < 0 %}{% endfor %}{% endfor %}",
    "loops around a long body": LOOP % ("{{ -1 }}" * 900),
    "loops around a long sum": LOOP % ("{% set x = 1" + " - 1" * 1500 + " %}"),
    "loops around names": LOOP % ("{% set x = [" + "i," * 3000 + "] %}"),
    **{
        f"loops around {each}": LOOP % each
        for each in (
            "{{ i }}",
            "{% set x = i * j + 1 %}",
            "{% if i | int | abs | float %}{% endif %}",
            "{% if 'x' | sh | trim | task_id | stem %}{% endif %}",
            "{% if [1, 2, 3] == [1, 2, 3] and 3 in [1, 2] %}{% endif %}",
            "{% if dict(a=1).items() | list %}{% endif %}",
            "{{ loop.cycle(1, 2) }}",
            "{{ loop.length }}",
            "{% if loop.changed(i) %}{% endif %}",
            "{% set ns = namespace(a=1) %}{% set ns.a = i %}",
            "{% with x = i, y = j %}{{ x }}{% endwith %}",
            "{{ '%s' % i }}",
            "{{ '{}'.format(i) }}",
            "{{ 'abc'[::-1] }}",
            "{{ i | string | upper | replace('1', '2') }}",
            "{% if i is even or i is divisibleby 3 %}{% endif %}",
        )
    },
    **{
        f"{each} of a long text, again and again": LONG % each
        for each in (
            *("'c' in a", "a is lower", "a == a[1:]", "a < a[1:]", "a[1:]", "a[::-1]", "a.find('c')", "a.count('c')"),
            *("a.split('a') | length", "a.upper()", "a.replace('a', 'b')", "a.splitlines()", "a.startswith('c')"),
            *("a | upper", "a | title", "a | wordcount", "a | urlencode", "a | stem", "a | task_id", "a | trim"),
            *("a | list | length", "a | sort | first", "a | unique | list", "a | reverse | first", "a | sh", "a ~ ''"),
            *("a | int", "a | float", "a | truncate(5)", "a | tojson", "a | indent", "a | with_suffix('.x')"),
            *("'%s' % a", "'{}'.format(a)", "a | replace('ab', 'ba')", "a | basename", "a | dirname", "a | last"),
            *(
                "a in [a]",
                "[a, a] | join",
                "a | select | list",
                "a | map('upper') | first",
                "a | max",
                "a | default(1)",
            ),
        )
    },
    **{
        f"{each} of a long list, again and again": MANY % each
        for each in (
            *("-1 in a", "a == a", "a != a", "a < a", "a[1:]", "a[::-1]", "a.index(99998)", "a.count(1)", "a + []"),
            *("a | sum", "a | max", "a | min", "a | sort", "a | unique | list", "a | reverse | list", "a | join"),
            *("a | map('abs') | sum", "a | select('lt', 0) | list", "a | reject('odd') | first", "a | length"),
            *(
                "a | sort | first",
                "a | map('string') | join",
                "a | tojson",
                "a | string",
                "[a, a] | length",
                "a | last",
            ),
            *("1.5 in range(99999)", "range(99999) | sum", "range(99999) | list", "range(99999) | sort | first"),
            *("a | map('round', 1) | list", "a | select('in', a) | list", "a | min(attribute='a')", "a is sequence"),
        )
    },
    "a list in a list, thousands of times": (
        "{% set n = namespace(a=[], b=[]) %}{% for i in range(99999) %}{% set n.a = [n.a] %}{% set n.b = [n.b] %}"
        "{% endfor %}{{ n.a == n.b }}{{ n.a }}"
    ),
    "a list that holds itself": "{% set n = namespace() %}{% set n.a = [n] %}{{ n.a == n.a }}{{ n.a }}",
    "names of parts of parts": "{{ range(99999) | map(attribute='" + "a." * 4000 + "a', default=1) | list }}",
    "sorting by parts of parts": "{{ range(99999) | sort(attribute='" + "real." * 1000 + "real') }}",
    "a number of many digits": "{{ " + "9" * 9_000 + " }}",
    "a number of many digits as text": "{{ ('9' * 400000) | int }}",
    "powers of powers": "{{ 9 ** 9 ** 9 ** 9 }}",
    "powers of fractions": "{{ 9.5 ** 999999 }}",
    "a power in steps": "{% set n = namespace(x=3) %}{% for i in range(99) %}{% set n.x = n.x * n.x %}{% endfor %}",
    "an infinite number": "{{ 1e999 }}",
    "what is no number": "{{ 1e999 - 1e999 }}",
    "a text in steps": "{% set n = namespace(x='a') %}{% for i in range(99) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
    "texts in a list": "{{ ['a' * 100000] * 100000 }}",
    "a wide pad of a pad": "{{ ('%9999d' * 1000) % ((1,) * 1000) }}",
    "formats in formats": "{{ '{0:{1}}'.format(1, 10 ** 9) }}",
    "a precision of a million": "{{ '{:.1000000f}'.format(1) }}",
    "a padded part": "{{ '{0[0]:>999999999}'.format(['a']) }}",
    "the text of texts": "{{ ([['a' * 9999] * 100] * 100) | tojson }}",
    "many concatenations": "{{ " + "a~" * 4900 + "a }}",
    "many comparisons": "{{ " + "1<" * 4900 + "1 }}",
    "many brackets": "{{ " + "(" * 4900 + "1" + ")" * 4900 + " }}",
    "many calls": "{{ a" + "()" * 4900 + " }}",
    "many filters": "{{ a" + "|sh" * 3000 + " }}",
    "many conditions": "{% if a %}" * 900,
    "many names": "".join(f"{{{{a{number}}}}}" for number in range(900)),
    "braces that are never closed": "{{" * 400_000,
    "white space before a brace": " \n" * 400_000 + "{{- x }}",
    "many accents on one letter": "{{ ('a' ~ '\u0301\u0323' * 200000) | task_id }}",
    "a recursive loop": "{% for x in [[1]] recursive %}{{ loop(x) }}{% endfor %}",
    "a macro that calls itself": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "a cycler": "{% set c = cycler('a', 'b') %}{% for i in range(99999) %}{{ c.next() }}{% endfor %}",
    "a joiner": "{{ joiner('a' * 999)() }}",
    "lorem ipsum": "{{ lipsum(n=99999) }}",
    "a block that includes itself": "{% block a %}{{ self.a() }}{% endblock %}",
}


@pytest.mark.parametrize("name", RUNAWAYS)
def test_no_template_runs_away(forked: Forked, name: str) -> None:
    ended = forked.template(RUNAWAYS[name])
    assert ended.code in (0, 2), ended
    assert ended.cpu_s < CPU_S
