"""The readme is true: its specs are valid, its commands exist, and its options are those of `--help`."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from batchspec.cli.parser import parse
from batchspec.errors import BatchspecError
from batchspec.reconcile.preflight import CHECKS
from batchspec.spec.words import GENERATORS as WORDS

REPOSITORY = Path(__file__).resolve().parents[1]
README = (REPOSITORY / "README.md").read_text()
SHARED = {"--var", "--var-file", "--target", "--allow-outside", "--allow-large", "--quiet", "--verbose", "--help"}
COMMANDS = re.findall(r"(?m)^\| `batchspec ([a-z]+)", README)


def blocks(language: str, text: str = README) -> list[str]:
    """The contents of the fenced blocks in a language."""
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```$", text)


def section(title: str) -> str:
    """The text below a heading, up to the next one of its level."""
    return README.split(f"\n## {title}\n")[1].split("\n## ")[0]


def batchspec(*arguments: str, cwd: Path = REPOSITORY) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "batchspec", *arguments],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def test_the_spec_that_is_explained_is_the_one_that_is_shipped() -> None:
    explained = "".join(blocks("yaml", section("The topwords spec, line by line")))

    assert yaml.safe_load(explained) == yaml.safe_load((REPOSITORY / "specs/topwords.yaml").read_text())


@pytest.mark.parametrize("block", [block for block in blocks("yaml") if "\npool:" in block and "version:" in block])
def test_every_whole_spec_in_the_readme_is_valid(block: str, tmp_path: Path) -> None:
    shutil.copytree(REPOSITORY / "specs", tmp_path / "specs")
    (tmp_path / "specs/readme.yaml").write_text(block)

    ran = batchspec("validate", "specs/readme.yaml", cwd=tmp_path)

    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_braces_come_out_as_the_readme_says(tmp_path: Path) -> None:
    (block,) = [block for block in blocks("yaml") if "name: braces" in block]
    (tmp_path / "braces.yaml").write_text(block)

    ran = batchspec("render", "braces.yaml", cwd=tmp_path)

    assert ran.returncode == 0, ran.stderr
    lines = {task["id"]: shlex.split(task["commandLine"])[-1] for task in yaml.safe_load(ran.stdout)["tasks"]}
    printed = {
        name: subprocess.run(["bash", "-c", line], capture_output=True, encoding="utf-8", timeout=60, check=True).stdout
        for name, line in lines.items()
    }
    assert printed == {
        "shell": "four 4 fo\n",
        "raw": "{{ not a template }} {% nor this %}\n",
        "json": '{"a": {"b": 1}}\n',
    }


GENERATORS = [
    [cell.strip() for cell in line.strip("|").split("|")][2:]
    for line in section("The spec").split("| `for_each` |")[1].split("\n\n")[0].splitlines()[2:]
]
POOL = "pool: {vm_size: s, target_dedicated_nodes: 1, image: {publisher: p, offer: o, sku: s}}"
FILES = 'containers: {input: {}}\nuploads: {texts: {container: input, files: "topwords/*.txt"}}'


@pytest.mark.parametrize(("generator", "id_", "told"), GENERATORS, ids=[row[0].strip("`") for row in GENERATORS])
def test_a_generator_makes_the_tasks_that_the_readme_says(generator: str, id_: str, told: str, tmp_path: Path) -> None:
    shutil.copytree(REPOSITORY / "specs", tmp_path / "specs")
    template = f'for_each: {generator.strip("`")}\n    id: "{id_.strip("`")}"\n    command: x'
    (tmp_path / "specs/readme.yaml").write_text(f"version: 1\nname: r\n{POOL}\n{FILES}\ntasks:\n  - {template}\n")

    ran = batchspec("render", "specs/readme.yaml", "--format", "json", cwd=tmp_path)

    assert ran.returncode == 0, ran.stderr
    tasks = json.loads(ran.stdout)["tasks"]
    if told == "one per blob, once they are listed":
        assert [set(task) for task in tasks] == [{"for_each", "template"}]
    else:
        assert [task["id"] for task in tasks] == re.findall("`(.+?)`", told)


def test_the_table_of_generators_has_an_example_of_each() -> None:
    assert list(dict.fromkeys(re.findall(r"^`\{(\w+)", row[0])[0] for row in GENERATORS)) == list(WORDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_options_of_a_command_are_those_of_its_help(command: str) -> None:
    (row,) = [line for line in section("Commands").splitlines() if line.startswith(f"| `batchspec {command}")]
    told = set(re.findall(r"--[a-z-]+", row.rsplit(" | ", 1)[-1]))

    helped = batchspec(command, "--help")

    assert (helped.returncode, helped.stderr) == (0, "")
    assert told == set(re.findall(r"--[a-z-]+", helped.stdout.split("examples:")[0])) - SHARED


def test_the_table_of_checks_has_every_check_in_the_order_in_which_they_are_told() -> None:
    told = re.findall(r"(?m)^\| ((?:`[\w -]+`(?:, )?)+) \|", section("Preflight"))

    assert [tuple(re.findall("`(.+?)`", names)) for names in told] == list(CHECKS.values())


def test_every_command_has_its_row() -> None:
    listed = re.findall(r"(?m)^    ([a-z]+) ", batchspec("--help").stdout)

    assert listed == COMMANDS


def commands() -> list[str]:
    """The command lines of batchspec in the readme's consoles and in its text."""
    consoles = "\n".join(blocks("console"))
    found = re.findall(r"(?m)\bbatchspec [a-z]+[^`#\n()>|]*", consoles) + re.findall(
        r"`(batchspec [a-z][^`|.]*)`", README
    )
    # Two words in running text name a command; they are no command line.
    return sorted({line.strip() for line in found if line.strip().count(" ") > 1})


@pytest.mark.parametrize("line", commands())
def test_a_command_line_in_the_readme_is_understood(line: str) -> None:
    words = shlex.split(line.replace("ACTION", "status").strip('"'))[1:]
    if words[-1] == "--help" or words == ["COMMAND"]:
        pytest.skip("prints help")

    try:
        parse(words)
    except BatchspecError as error:
        pytest.fail(f"{line}: {error}")


def test_the_exit_codes_are_those_that_help_names() -> None:
    told = set(re.findall(r"(?m)^\| (\d+) \|", section("Commands")))

    assert told == set(re.findall(r"\b(\d+) (?=[a-z])", batchspec("--help").stdout.split("exit codes:")[1]))


def test_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\(([^)]+)\)", README)
    anchors = {
        re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in re.findall(r"(?m)^#+ (.*)$", README)
    }

    files = {one.split("#")[0] for one in targets if not one.startswith(("#", "https://"))}
    assert {one for one in files if not (REPOSITORY / one).exists()} == set()
    assert {one[1:] for one in targets if one.startswith("#")} <= anchors
