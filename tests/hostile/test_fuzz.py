"""Whatever a spec says, `validate` and `render` end with 0 or 2, within 2 s and 500 MB, and never with a bug.

The usual run is short and the same every time. `BATCHSPEC_FUZZ_EXAMPLES=10000 pytest tests/hostile/test_fuzz.py` looks
further, with other examples every time.
"""

import copy
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.hostile.forked import CPU_S, Forked
from tests.hostile.ran import HEAD, POOL

ROOT = Path(__file__).parents[2]
EXAMPLES = int(os.environ.get("BATCHSPEC_FUZZ_EXAMPLES", "0"))
FEW = settings(
    max_examples=EXAMPLES or 30,
    derandomize=not EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
SOURCES = {
    path.stem: path.read_text() for path in [*ROOT.glob("specs/*.yaml"), *ROOT.glob("tests/examples/valid/*.yaml")]
}

TEMPLATES = (
    *(
        "{{ vars }}",
        "{{ name }}",
        "{{ file }}",
        "{{ item }}",
        "{{ row.x }}",
        "{{ value }}",
        "{{ matrix.a }}",
        "{{ index }}",
    ),
    *("{{ uploads }}", "{{ containers }}", "{{ containers.input.sas_url('rl') }}", "{{ pool.id }}", "{{ job }}", "{{"),
    *("{% if name %}x", "{{ [1, {'a': none}] }}", "{{ none }}", "{{ true }}", "{{ 1e999 }}", "{{ 'a' * 99999 }}"),
    *("{{ name | task_id }}", "{{ range(9) }}", "{{ uploads.texts }}", "{% raw %}{{{% endraw %}", "{{ target == 1 }}"),
)
SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=True),
    st.sampled_from(TEMPLATES),
    st.text(max_size=12),
    st.sampled_from(
        ("", "a", "..", "/", "*", "**/*", "P1D", "PT1S", "2026-13-01", "0", "-1", "x" * 300, "a\nb", "\u202e")
    ),
    st.sampled_from((2**63, -(2**63) - 1, 10**400, 1e300, "AccountKey=" + "A" * 86 + "==", "?sv=1&sig=x", "\x85", "é")),
)
WORDS = st.sampled_from(
    sorted(
        {
            *(
                "vars",
                "containers",
                "uploads",
                "pool",
                "job",
                "tasks",
                "for_each",
                "needs",
                "id",
                "items",
                "range",
                "matrix",
            ),
            *(
                "rows",
                "zip",
                "upload",
                "container",
                "command",
                "commands",
                "command_line",
                "resource_files",
                "<<",
                "name",
            ),
            *(
                "output_files",
                "depends_on",
                "autoscale",
                "lifetime",
                "schedule",
                "secret",
                "from_env",
                "start_task",
                "os",
            ),
        }
    )
)
DATA: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forked]:
    """The process, in a folder that has the inputs of the example specs."""
    folder = tmp_path_factory.mktemp("fuzzed")
    shutil.copytree(ROOT / "specs", folder, dirs_exist_ok=True)
    process = Forked(folder)
    yield process
    process.close()


def survives(process: Forked, source: str | bytes) -> None:
    """Both offline commands end as they should."""
    for words in (("validate", "s.yaml", "--format", "json"), ("render", "s.yaml", "--limit", "20")):
        ended = process.command(*words, files={"s.yaml": source})
        assert ended.code in (0, 2), f"{words}: {ended}\n{source!r}"
        assert ended.cpu_s < CPU_S
        assert "Traceback" not in ended.err


@given(data=st.data())
@FEW
def test_mutated_data_of_valid_specs(fuzzed: Forked, data: st.DataObject) -> None:
    spec = copy.deepcopy(yaml.safe_load(SOURCES[data.draw(st.sampled_from(sorted(SOURCES)))]))
    for _ in range(data.draw(st.integers(1, 3))):
        _mutate(spec, data)
    survives(fuzzed, yaml.safe_dump(spec, allow_unicode=True, sort_keys=False))


def _mutate(node: Any, data: st.DataObject) -> None:
    """Change, add or take away one thing somewhere below a mapping or list."""
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        key = data.draw(st.sampled_from(keys)) if keys else None
        inner = node[key] if key is not None else None
        if isinstance(inner, (dict, list)) and inner and data.draw(st.integers(0, 4)):
            node = inner
            continue
        break
    way = data.draw(st.sampled_from(("change", "change", "add", "remove", "wrap")))
    if way == "add" or key is None:
        value = data.draw(DATA)
        if isinstance(node, dict):
            node[data.draw(WORDS)] = value
        else:
            node.append(value)
    elif way == "remove":
        del node[key]
    else:
        node[key] = [inner] if way == "wrap" else data.draw(DATA)


@given(data=st.data())
@FEW
def test_mutated_text_of_valid_specs(fuzzed: Forked, data: st.DataObject) -> None:
    source = SOURCES[data.draw(st.sampled_from(sorted(SOURCES)))]
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(source)))
        end = data.draw(st.integers(start, min(len(source), start + 40)))
        other = data.draw(
            st.sampled_from(
                (*TEMPLATES, "\t", "\n", "  ", ": ", "- ", "&a ", "*a", "<<: *a", "!!int ", "|\n", '"', "'", "---")
            )
            | st.text(max_size=5)
            | st.just(source[end:start])
        )
        source = source[:start] + other + source[end:]
    survives(fuzzed, source.encode("utf-8", "surrogatepass"))


@given(
    st.fixed_dictionaries(
        {},
        optional={
            **dict.fromkeys(
                ("vars", "containers", "uploads"), st.dictionaries(WORDS | st.text(max_size=3), DATA, max_size=2)
            ),
            **dict.fromkeys(("pool", "job", "schedule", "wait", "cleanup", "downloads"), DATA),
            "tasks": st.lists(
                st.fixed_dictionaries(
                    {"id": st.sampled_from(("a", "{{ value }}", "t{{ index }}")) | SCALARS},
                    optional={
                        "command": st.sampled_from(TEMPLATES) | SCALARS,
                        "for_each": st.dictionaries(WORDS, DATA, max_size=2),
                        "needs": DATA,
                        "name": SCALARS,
                        "depends_on": DATA,
                        "environment_settings": DATA,
                        "resource_files": DATA,
                        "output_files": DATA,
                        "exit_conditions": DATA,
                    },
                ),
                max_size=3,
            ),
        },
    )
)
@FEW
def test_specs_made_of_the_right_words(fuzzed: Forked, spec: dict[str, Any]) -> None:
    head = HEAD if "pool" in spec else HEAD + POOL
    survives(fuzzed, head + (yaml.safe_dump(spec, allow_unicode=True, sort_keys=False) if spec else ""))


@given(st.binary(max_size=60) | st.text(alphabet="{}[]&*!|>%@`'\"#-?:, \n\tab0~<=", max_size=60).map(str.encode))
@FEW
def test_random_bytes(fuzzed: Forked, source: bytes) -> None:
    survives(fuzzed, source)
    survives(fuzzed, HEAD.encode() + source)


PARTS = st.sampled_from(
    (
        *(
            "name",
            "vars",
            "index",
            "1",
            "0",
            "'a'",
            "''",
            "none",
            "true",
            "[1, 2]",
            "{'a': 1}",
            "range(3)",
            "1.5",
            "vars.n",
        ),
        *(
            " | sh",
            " | task_id",
            " | length",
            " | first",
            " | join",
            " | int",
            " | map('sh')",
            " | sum",
            " | sort",
            " | list",
        ),
        *(
            " + ",
            " - ",
            " * ",
            " ** ",
            " / ",
            " // ",
            " % ",
            " ~ ",
            " == ",
            " < ",
            " in ",
            " not in ",
            " is ",
            " and ",
            " if ",
        ),
        *(
            "(",
            ")",
            "[",
            "]",
            "{",
            "}",
            ".",
            ",",
            ":",
            " else ",
            "defined",
            ".items()",
            ".format(1)",
            "[0]",
            "[1:]",
            "[::-1]",
        ),
        *(
            "{{ ",
            " }}",
            "{% ",
            " %}",
            "for x in ",
            "endfor",
            "set x = ",
            "if ",
            "endif",
            "with ",
            "raw",
            "-",
            "9" * 30,
            "\\",
        ),
        *(
            " | format",
            " | replace('a')",
            " | tojson",
            " | default",
            " | dictsort",
            " | round(99)",
            " | truncate",
            "()",
            "~",
        ),
    )
)


@given(st.lists(PARTS, max_size=14), st.sampled_from(("{{ %s }}", "%s", "{%% for x in vars %%}%s{%% endfor %%}")))
@FEW
def test_templates_made_of_the_right_parts(fuzzed: Forked, parts: list[str], around: str) -> None:
    source = around % "".join(parts)
    ended = fuzzed.template(source)
    assert ended.code in (0, 2), f"{ended}\n{source!r}"
