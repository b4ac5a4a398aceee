"""Small files that ask for much: bombs, ranges, products, folders in circles, long lists; all end within 2 s."""

import pytest

from tests.hostile.forked import CPU_S, Forked
from tests.hostile.ran import HEAD, POOL

TASK = 'tasks: [{{id: "{{{{ {0} | string | task_id }}}}", command: "{1}", for_each: {2}}}]\n'
LAUGHS = "".join(f"  v{n}: &v{n} [{', '.join([f'*v{n - 1}'] * 9)}]\n" for n in range(1, 20))
DEEP = "{zip: {a: " * 30 + "[1]" + "}}" * 30


def each(generator: str, name: str = "value", command: str = "echo") -> str:
    """A task for each element."""
    return POOL + TASK.format(name, command, generator)


SPECS = {
    "billion laughs": "vars:\n  v0: &v0 [lol]\n" + LAUGHS,
    "billion laughs of texts": f"vars:\n  v0: &v0 {'x' * 100_000}\n" + LAUGHS,
    "merges of merges": "vars:\n  m0: &m0 {a: 1}\n" + "".join(f"  m{n}: &m{n} {{<<: [*m{n - 1}, *m{n - 1}], k{n}: 1}}\n" for n in range(1, 2_000)),
    "an anchor inside of itself": "vars:\n  a: &a [*a, *a]\n",
    "many anchors": "vars:\n" + "".join(f"  v{n}: &a{n} {n}\n" for n in range(3_000)),
    "deep brackets": "vars: " + "[" * 50_000,
    "deep blocks": "vars:\n" + "".join(" " * n + "- \n" for n in range(1, 900)),
    "a long key": f"{'k' * 500_000}: 1\n",
    "a long number": f"vars: {{a: {'9' * 500_000}}}\n",
    "a long duration": f"wait: {{timeout: P{'9' * 500_000}D}}\n",
    "many problems": "".join(f"k{n}: {n}\n" for n in range(20_000)),
    "many doubled keys": "k: 1\n" * 50_000,
    "a huge range": each("{range: 1000000000000}"),
    "a range of the longest": each("{range: 10000000}"),
    "a range beyond all numbers": each("{range: [-9223372036854775807, 9223372036854775807]}"),
    "a huge product": each("{matrix: {a: {range: 3000000}, b: {range: 3000000}}}", "matrix.a"),
    "a product of many": each("{matrix: {" + ", ".join(f"a{n}: [0, 1]" for n in range(400)) + "}}", "matrix.a1"),
    "a product of ones": each("{matrix: {" + ", ".join(f"a{n}: [0]" for n in range(2_000)) + "}}", "matrix.a1"),
    "generators in generators": each(DEEP, "item.a"),
    "pairs of long ranges": each("{zip: {a: {range: 9999999}, b: {range: 9999999}}}", "item.a"),
    "a long loop in each of many tasks": each("{range: 100000}", command="{% for i in range(9999) %}{% endfor %}"),
    "a long text in each of many tasks": each("{range: 100000}", command="{{ 'a' * 100000 }}"),
    "many templates": POOL + "tasks: [{id: a, command: x, environment_settings: {" + ", ".join(f"A{n}: '{{{{ name ~ {n} }}}}'" for n in range(9_000)) + "}}]\n",
    "many tasks with wrong ids": POOL + "tasks:\n" + "- {id: 'a b', command: x}\n" * 5_000,
    "many tasks with one id": POOL + "tasks:\n" + "- {id: a, command: x}\n" * 2_000,
    "many tasks that wait for none": POOL + "tasks:\n" + "".join(f"- {{id: a{n}, command: x, depends_on: {{task_ids: [b{n}]}}}}\n" for n in range(2_000)),
    "all wait for all": POOL + "tasks:\n" + "".join(f"- {{id: a{n}, name: n{n}, command: x, needs: [{', '.join(f'n{m}' for m in range(n))}]}}\n" for n in range(200)),
    "a circle of many": POOL + "tasks:\n" + "".join(f"- {{id: a{n}, command: x, depends_on: {{task_ids: [a{(n + 1) % 1500}]}}}}\n" for n in range(1_500)),
    "a circle of tens of thousands": POOL + "tasks: [{id: 'a{{ index }}', command: x, for_each: {range: 40000}, depends_on: {task_ids: ['a{{ (index + 1) % 40000 }}']}}]\n",
    "long ranges of ids": POOL + "tasks:\n" + "".join(f"- {{id: '{n}', command: x, depends_on: {{task_id_ranges: [{{start: 0, end: 2147483647}}]}}}}\n" for n in range(900)),
    "a formula of brackets": "pool: {vm_size: s, autoscale: {formula: '$a=" + "(" * 200_000 + "'}, image: {publisher: a, offer: b, sku: c}}\n",
    "a formula of sums": "pool: {vm_size: s, autoscale: {formula: '$a=" + "1+" * 20_000 + "1'}, image: {publisher: a, offer: b, sku: c}}\n",
    "many patterns": "containers: {c: {}}\nuploads: {u: {container: c, files: [" + ", ".join(f"'f{n}*'" for n in range(5_000)) + "]}}\n",
    "a pattern of stars": "containers: {c: {}}\nuploads: {u: {container: c, files: '" + "*a" * 5_000 + "'}}\n",
    "ranges of many ids in many tasks": POOL + "tasks: [{id: '{{ index + 1 }}', command: x, for_each: {range: 20000}, depends_on: {task_id_ranges: [{start: 1, end: 20000}]}}]\n",
    "ranges that lack one id": POOL + "tasks: [{id: '{{ index + 1 }}', command: x, for_each: {range: 20000}, depends_on: {task_id_ranges: [{start: 1, end: 20001}]}}]\n",
    "many ranges of many ids": POOL + "tasks:\n- {id: '{{ index + 1 }}', command: x, for_each: {range: 20000}}\n- {id: '30000', command: x, depends_on: {task_id_ranges: [" + "{start: 1, end: 20000}, " * 9_000 + "]}}\n",
    "many tasks with one wrong name": each("{range: 500000}", command="{{ nam }}"),
    "many files": "containers: {c: {}}\nuploads: {u: {container: c, files: [" + "s.yaml, " * 200_000 + "]}}\n",
    "many uploads": "containers: {c: {}}\nuploads: {" + "".join(f"u{n}: {{container: c, files: '*'}}, " for n in range(20_000)) + "}\n",
    "many wrong names of many": "vars: {" + "".join(f"c{n}: 1, " for n in range(3_000)) + "}\n" + POOL + "tasks:\n- {id: a, command: x, environment_settings: {" + "".join(f"A{n}: '{{{{ vars.d{n} }}}}', " for n in range(2_000)) + "}}\n",
    "long templates": POOL + "tasks:\n- {id: a, command: x, environment_settings: {" + "".join(f"A{n}: '{{{{ {{" + "1:1," * 2_400 + f"1:{n}}} }}}}', " for n in range(100)) + "}}\n",
    "a setting without value, many times": POOL + "tasks:\n- {id: a, command: x, environment_settings: {" + "".join(f"A{n}: , " for n in range(110_000)) + "}}\n",
    "tasks without anything": POOL + "tasks: [" + "{}, " * 200_000 + "]\n",
    "entries to clean up": POOL + "cleanup: {after_success: [" + "'{{ \"pol\" }}', " * 100_000 + "]}\n",
    "a pattern of brackets": "containers: {c: {}}\nuploads: {u: {container: c, files: '" + "[" * 500_000 + "'}}\n",
    "a pattern of question marks": "containers: {c: {}}\nuploads: {u: {container: c, files: '" + "?*" * 500_000 + "'}}\n",
    "a pattern of brackets for blobs": "containers: {c: {existing: true, name: abc}}\n" + each("{container: c, pattern: '" + "[" * 500_000 + "'}", "index"),
    "a path of many folders": "containers: {c: {}}\nuploads: {u: {container: c, files: '" + "x/" * 500_000 + "y*'}}\n",
    "a pattern of folders": "containers: {c: {}}\nuploads: {u: {container: c, files: '" + "**/*/" * 300 + "x'}}\n",
}  # fmt: skip


@pytest.mark.parametrize("name", SPECS)
def test_no_small_file_asks_for_too_much(forked: Forked, name: str) -> None:
    ended = forked.command("validate", "s.yaml", files={"s.yaml": HEAD + SPECS[name]})
    assert ended.code in (0, 2), ended
    assert ended.cpu_s < CPU_S
    assert len(ended.out) < 1_000_000


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("many.csv", ",".join(f"c{number}" for number in range(100_000)) + "\n"),
        ("double.csv", ",".join(f"c{number}" for number in range(100_000)) + ",c99999\n"),
        ("quotes.csv", 'a\n"' + '""' * 400_000),
        ("wide.csv", "a\n" + "," * 1_000_000 + "\n"),
        ("deep.jsonl", "[" * 500_000 + "\n"),
        ("long.jsonl", '{"a": ' + "9" * 500_000 + "}\n"),
        ("double.jsonl", "{" + ", ".join(f'"c{number}": 1' for number in range(100_000)) + ', "c99999": 1}\n'),
    ],
)
def test_no_table_asks_for_too_much(forked: Forked, name: str, content: str) -> None:
    spec = HEAD + each(f"{{rows: {name}}}", "row.a")
    ended = forked.command("validate", "s.yaml", files={"s.yaml": spec, name: content})
    assert ended.code in (0, 2), ended
    assert ended.cpu_s < CPU_S


def test_no_table_is_read_again_and_again_for_nothing(forked: Forked) -> None:
    task = "- {id: 'a{{ row.a }}', command: x, for_each: {rows: empty.csv}}\n"
    spec = HEAD + POOL + "tasks:\n" + task * 1_000
    refused = forked.command("validate", "s.yaml", files={"s.yaml": spec, "empty.csv": "a\n" + "\n" * 900_000})
    assert refused.code == 2, refused
    assert refused.cpu_s < CPU_S
    assert "--allow-large" in refused.out


def test_what_is_refused_by_its_size_says_how_to_have_it(forked: Forked) -> None:
    spec = HEAD + each("{range: 60000}", command="{% for i in range(999) %}{% endfor %}")
    refused = forked.command("validate", "s.yaml", files={"s.yaml": spec})
    assert refused.code == 2
    assert "the spec takes too long to render" in refused.out
    assert "or say --allow-large if that is meant" in refused.out
