"""Values of variables: where they come from, and what is wrong with them."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from batchspec.spec.variables import values
from tests.spec.written import ACCOUNT_KEY, SAS, spec

CONTENT = """
    version: 1
    name: demo
    vars:
      text: hello
      count: 3
      ratio: 0.5
      flag: true
      words: [a]
      map: {type: object, default: {}}
      size: {allowed: [small, large], default: small}
      must: {type: integer}
      token: {secret: true, from_env: TOKEN}
    pool: {id: p, existing: true}
    """
DEFAULTS = {"text": "hello", "count": 3, "ratio": 0.5, "flag": True, "words": ["a"], "map": {}, "size": "small"}


def of(
    folder: Path,
    given: Mapping[str, str],
    *contents: str,
    environ: Mapping[str, str] | None = None,
) -> tuple[Mapping[str, object], list[str]]:
    """The values and the problems; `contents` are those of variable files."""
    files = []
    for index, content in enumerate(contents):
        files.append(folder / f"vars{index}.yaml")
        files[-1].write_text(content)
    found, problems = values(spec(folder, CONTENT), given, files, environ)
    return found, [str(problem).replace(f"{folder}/", "") for problem in problems]


def test_defaults_and_secrets_are_filled_in(tmp_path: Path) -> None:
    found = of(tmp_path, {"must": "7"}, environ={"TOKEN": "t"})
    assert found == ({**DEFAULTS, "must": 7, "token": "t"}, [])


def test_the_command_line_goes_before_files_and_a_later_file_before_an_earlier_one(tmp_path: Path) -> None:
    found, problems = of(tmp_path, {"count": "1"}, "{count: 2, must: 2, text: x}", "must: 3\n")
    assert (found, problems) == ({**DEFAULTS, "count": 1, "must": 3, "text": "x"}, [])


def test_texts_become_values_of_the_declared_type(tmp_path: Path) -> None:
    given = {
        "text": "5",
        "count": " -4 ",
        "ratio": "1e-2",
        "flag": "False",
        "words": '["x", 1]',
        "map": '{"a": null}',
        "size": "large",
        "must": "0",
    }
    expected = {
        "text": "5",
        "count": -4,
        "ratio": 0.01,
        "flag": False,
        "words": ["x", 1],
        "map": {"a": None},
        "size": "large",
        "must": 0,
    }
    assert of(tmp_path, given) == (expected, [])


def test_a_whole_number_may_be_as_large_as_one_in_the_spec(tmp_path: Path) -> None:
    found, problems = of(tmp_path, {"count": str(2**63 - 1), "ratio": str(1 - 2**63), "must": "0"})
    assert (found["count"], found["ratio"], problems) == (2**63 - 1, 1 - 2**63, [])


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("count", "1.5", "expected a whole number, got '1.5'"),
        (
            "count",
            "9" * 5000,
            "expected a whole number, got '999999999999999999999999999999999999999999999999999999999...'",
        ),
        ("count", str(2**63), f"expected a whole number (64 bits), got '{2**63}'"),
        ("ratio", "nan", "expected a number, got 'nan'"),
        ("flag", "yes", "expected true or false, got 'yes'"),
        ("words", "a,b", 'expected a list as JSON such as ["a", "b"], got \'a,b\''),
        ("words", '{"a": 1}', 'expected a list as JSON such as ["a", "b"], got \'{"a": 1}\''),
        ("words", "[NaN]", 'expected a list as JSON such as ["a", "b"], got \'[NaN]\''),
        ("map", "[" * 10_000, f"expected a mapping as JSON such as {{\"a\": 1}}, got '{'[' * 57}...'"),
        ("size", "lrge", "'lrge' is not one of 'small', 'large'; did you mean 'large'?"),
        ("text", "\ue000", "holds a character that batchspec reserves (U+E000 to U+E002, NUL); remove it"),
        ("text", "\udcff", "holds bytes that are not UTF-8"),
        ("text", SAS, "a SAS is given here and would be shown; declare it as {secret: true, from_env: NAME}"),
        ("count", ACCOUNT_KEY, "expected a whole number, got '<secret>'"),
    ],
)
def test_a_text_without_the_type_is_told_at_the_declaration(tmp_path: Path, name: str, text: str, message: str) -> None:
    found, problems = of(tmp_path, {"must": "1", name: text})
    assert [line.split(": ", 2)[1:] for line in problems] == [[f"vars.{name}", f"--var {name}: {message}"]]
    assert name in found


def test_unknown_names_and_secrets_on_the_command_line_are_told(tmp_path: Path) -> None:
    _, problems = of(tmp_path, {"must": "1", "cuont": "1", "zzz": "1", "token": "x"})
    declared = "text, count, ratio, flag, words, map, size, must, token"
    assert problems == [
        "s:5:3: vars: --var cuont: s declares no such variable; did you mean 'count'?",
        "s:5:3: vars: --var token: is a secret; set the environment variable TOKEN instead",
        f"s:5:3: vars: --var zzz: s declares no such variable; it declares {declared}",
    ]


def test_faults_in_a_file_have_their_place_there(tmp_path: Path) -> None:
    content = 'cuont: 1\nmust: three\ntext: 5\ntoken: x\nwords: [a, "\\0"]\nflag: true\nflag: true\n'
    _, problems = of(tmp_path, {}, content)
    assert problems == [
        "vars0.yaml:1:1: cuont: s declares no such variable; did you mean 'count'?",
        "vars0.yaml:2:7: must: expected a whole number, got 'three'",
        "vars0.yaml:3:7: text: expected a text, got 5; write it in quotes",
        "vars0.yaml:4:1: token: is a secret; set the environment variable TOKEN instead",
        "vars0.yaml:5:8: words: holds a character that batchspec reserves (U+E000 to U+E002, NUL); remove it",
        "vars0.yaml:5:12: words[1]: holds a NUL character (\\0), which no command, name or path can carry; remove it",
        "vars0.yaml:7:1: flag: key given twice, first on line 6; remove one of them",
    ]


def test_a_file_may_be_json_with_tabs(tmp_path: Path) -> None:
    found, problems = of(tmp_path, {}, '{\n\t"must": 1,\n\t"text": "a\\/b\\u00e9"\n}\n')
    assert (found["text"], problems) == ("a/bé", [])


def test_a_file_that_is_missing_or_no_mapping_is_told(tmp_path: Path) -> None:
    _, problems = values(spec(tmp_path, CONTENT), {"must": "1"}, [Path("nope.yaml")])
    assert [str(one) for one in problems] == ["nope.yaml:1:1: no such file; check the path and the current directory"]
    assert of(tmp_path, {"must": "1"}, "- a\n")[1] == [
        "vars0.yaml:1:1: expected a mapping of variables to values, got a list"
    ]


def test_what_has_no_value_is_told_and_stands_in(tmp_path: Path) -> None:
    found, problems = of(tmp_path, {}, environ={"TOKEN": ""})
    assert problems == [
        "s:12:9: vars.must: has no value; give one with --var must=VALUE or --var-file, or a default",
        "s:13:10: vars.token: the environment variable TOKEN is not set; it holds this secret",
    ]
    assert found == {**DEFAULTS, "must": 1, "token": "token"}


def test_without_an_environment_secrets_are_not_asked_for(tmp_path: Path) -> None:
    assert of(tmp_path, {"must": "1"}) == ({**DEFAULTS, "must": 1}, [])


def test_the_values_of_a_plan_go_before_defaults_and_are_passed_over_where_they_are_no_use(tmp_path: Path) -> None:
    frozen: dict[str, object] = {
        "text": "planned",
        "count": 5,
        "ratio": 0.25,
        "flag": "no boolean",
        "size": "other",
        "words": ["a", "\ud800"],
        "must": 7,
        "token": "a secret is never taken from a plan",
        "gone": 1,
    }
    found, problems = values(spec(tmp_path, CONTENT), {"count": "6"}, frozen=frozen, environ={"TOKEN": "t"})

    assert problems == []
    assert found == {**DEFAULTS, "text": "planned", "count": 6, "ratio": 0.25, "must": 7, "token": "t"}
