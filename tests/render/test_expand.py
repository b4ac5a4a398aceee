import pytest

from tests.render.conftest import Render

POOL = "pool: {vm_size: s}\n"


def tasks(generator: str, id_: str) -> str:
    return f'{POOL}tasks:\n  - for_each: {generator}\n    id: "{id_}"\n    command_line: x\n'


@pytest.mark.parametrize(
    ("generator", "id_", "expected"),
    [
        ("{items: [a, {b: c}, 3]}", "i{{ index }}-{{ item.b | default('x') }}", ["i0-x", "i1-c", "i2-x"]),
        ("{items: ['{{ name }}', '{{ [1] }}']}", "{{ item | string | task_id }}", ["run", "1-080a9ed4"]),
        ("{items: \"{{ ['a', 'b'] }}\"}", "{{ item }}", ["a", "b"]),
        ("{range: 3}", "r{{ value }}", ["r0", "r1", "r2"]),
        ("{range: '{{ 1 + 1 }}'}", "r{{ value }}", ["r0", "r1"]),
        ("{range: [2, 4]}", "r{{ value }}", ["r2", "r3"]),
        ("{range: [4, 0, -2]}", "r{{ value }}", ["r4", "r2"]),
        ("{range: {start: 1, stop: 8, step: 3}}", "r{{ value }}", ["r1", "r4", "r7"]),
        ("{range: {start: 1, end: 3}}", "r{{ value }}", ["r1", "r2", "r3"]),
        ("{range: {start: 5, end: 1, step: -2}}", "r{{ value }}", ["r5", "r3", "r1"]),
        ("{range: {end: '{{ 1 }}'}}", "r{{ value }}", ["r0", "r1"]),
        ("{range: '{{ 4 / 2 }}'}", "r{{ value }}", ["r0", "r1"]),
        ("{range: -3}", "r{{ value }}", []),
        ("{items: []}", "{{ item }}", []),
        ("{matrix: {a: [], b: [1]}}", "{{ matrix.b }}", []),
        ("{zip: {a: [], b: []}}", "{{ item.a }}", []),
        ("{matrix: {a: {zip: {x: [1, 2], y: {range: 2}}}}}", "{{ matrix.a.x }}-{{ matrix.a.y }}", ["1-0", "2-1"]),
        (
            "{zip: {a: {matrix: {x: [1, 2], y: {matrix: {z: [3]}}}}, b: [p, q]}}",
            "{{ item.b }}{{ item.a.x }}{{ item.a.y.z }}",
            ["p13", "q23"],
        ),
        ("{matrix: {a: [x, y], b: [1, 2]}}", "{{ matrix.a }}{{ matrix.b }}", ["x1", "x2", "y1", "y2"]),
        ("{matrix: {items: [1], get: '{{ [2] }}'}}", "m{{ matrix.items }}{{ matrix.get }}", ["m12"]),
        ("{zip: {a: [x, y], b: [1, 2]}}", "{{ item.a }}{{ item.b }}", ["x1", "y2"]),
    ],
)
def test_a_generator_gives_these_tasks(render_spec: Render, generator: str, id_: str, expected: list[str]) -> None:
    assert [task.id for task in render_spec(tasks(generator, id_)).desired.tasks()] == expected


@pytest.mark.parametrize(
    ("generator", "place", "message"),
    [
        ("{items: '{{ name }}'}", "items", "expected a list, got 'run'"),
        (
            "{range: '{{ name }}'}",
            "range",
            "expected a whole number, or start, stop and step as whole numbers, got 'run'",
        ),
        (
            "{range: '{{ 5 / 2 }}'}",
            "range",
            "expected a whole number, or start, stop and step as whole numbers, got 2.5",
        ),
        ("{range: '{{ 1e308 * 10 }}'}", "range", "cannot be rendered: makes a number that is too large, or none"),
        (
            "{matrix: {a: {zip: {b: [1], c: []}}}}",
            "matrix.a.zip",
            "the lists must have the same length: b has 1, c has 0",
        ),
        (
            "{matrix: {a: {rows: none.csv}, b: [1]}}",
            "matrix.a.rows",
            "'none.csv': no such file; check the path, which starts at the folder of the spec",
        ),
        ("{range: [0, 5, 0]}", "range", "a step of 0 never ends"),
        ("{range: 99999999}", "range", "makes 99,999,999 tasks; the limit is 1,000,000"),
        ("{matrix: {a: '{{ 1 }}'}}", "matrix.a", "expected a list, got 1"),
        ("{zip: {a: [1], b: [1, 2]}}", "zip", "the lists must have the same length: a has 1, b has 2"),
        ("{upload: nothing}", "upload", "there is no upload 'nothing'; there are none"),
        (
            "{rows: none.csv}",
            "rows",
            "'none.csv': no such file; check the path, which starts at the folder of the spec",
        ),
    ],
)
def test_a_generator_that_cannot_work_is_explained(
    render_spec: Render, generator: str, place: str, message: str
) -> None:
    (told,) = render_spec(tasks(generator, "x")).told
    assert told.endswith(f": tasks[0].for_each.{place}: {message}")


def test_a_matrix_too_large_is_not_begun(render_spec: Render) -> None:
    many = "'{{ range(99999) | list }}'"
    (told,) = render_spec(tasks(f"{{matrix: {{a: {many}, b: {many}}}}}", "x")).told
    assert "makes 9,999,800,001 tasks; the limit is 1,000,000" in told


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("r.csv", 'id,items\na,1\n\n"b","x, y"\n', ["a-1", "b-x, y"]),
        ("r.csv", "\ufeffid,items\r\na,{{ name }}\r\n", ["a-{{ name }}"]),
        ("r.tsv", "id\titems\na b\t1\n", ["a b-1"]),
        ("r.jsonl", '{"id": "a", "items": 1}\n\n{"id": "b", "items": [2]}\n', ["a-1", "b-[2]"]),
    ],
)
def test_rows_are_read_from_a_file(render_spec: Render, name: str, content: str, expected: list[str]) -> None:
    spec = (
        f"{POOL}tasks:\n  - for_each: {{rows: {name}}}\n    id: 't{{{{ index }}}}'\n"
        "    command_line: '{{ row.id }}-{{ row.items }}'\n"
    )
    assert [body["commandLine"] for body in render_spec(spec, {name: content}).bodies] == expected


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("r.csv", "", "is empty; the first line must name the columns"),
        ("r.csv", "a,a\n", "the first line names the column 'a' twice"),
        ("r.csv", "a,\n", "column 2 of the first line has no name"),
        ("r.csv", "a,b\n1\n", "line 2 has 1 field, the first line 2; put quotes around a field with a separator"),
        ("r.csv", 'a\n"x\n', "line 2: a quote is opened and never closed"),
        ("r.csv", b"a\n\xff\n", "byte 0xff is not UTF-8; save it as UTF-8"),
        ("r.csv", "a\n\ue000\n", "row 1 holds one of the characters U+E000 to U+E002, which batchspec reserves"),
        ("r.jsonl", "{}\n[1]\n", "line 2 is a list, a JSON object was expected"),
        ("r.jsonl", "{\n", "line 1 is not JSON: Expecting property name enclosed in double quotes: "),
        ("r.jsonl", '{"a": NaN}\n', "line 1 is not JSON: NaN is no number"),
        ("r.txt", "a\n", "is none of .csv, .tsv, .jsonl, .ndjson by its suffix"),
    ],
)
def test_rows_that_cannot_be_used_are_explained(
    render_spec: Render, name: str, content: str | bytes, message: str
) -> None:
    (told,) = render_spec(tasks(f"{{rows: {name}}}", "i{{ index }}"), {name: content}).told
    assert f"tasks[0].for_each.rows: '{name}'" in told
    assert message in told
