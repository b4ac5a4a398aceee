"""`batchspec init`: each starter is valid and renders as it is, nothing is overwritten, and the next steps are told."""

from pathlib import Path

import pytest
import yaml

from batchspec.cli.commands.init import KINDS, init
from batchspec.cli.commands.render import Options, render
from batchspec.cli.commands.validate import validate
from batchspec.cli.given import Given
from batchspec.cli.parser import parse
from batchspec.errors import BatchspecError, UsageError
from batchspec.spec import schema
from tests.cli.made import console, shown


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("file", ["batch.yaml", "deep/My_Study.v2.yml"])
def test_each_kind_is_valid_and_renders_as_it_is(kind: str, file: str) -> None:
    init(console(), file, kind=kind, force=False)

    one = console()
    assert validate(one, [file], Given(), format="text") == 0
    assert shown(one) == (f"{file}: valid\n", "")
    printed = console()
    assert render(printed, file, Given(), Options()) == 0
    rendered = yaml.safe_load(shown(printed)[0])
    assert rendered["pool"]["id"] == ("batch" if file == "batch.yaml" else "my-study-v2")
    assert len(rendered["tasks"]) == (6 if kind == "sweep" else 2)
    assert "NAME" not in Path(file).read_text()
    assert "FOLDER" not in Path(file).read_text()


@pytest.mark.parametrize("kind", KINDS)
def test_an_editor_finds_the_schema_beside_the_spec(kind: str) -> None:
    init(console(), "specs/a.yaml", kind=kind, force=False)

    first = Path("specs/a.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=batchspec-v1.schema.json"
    assert Path("specs/batchspec-v1.schema.json").read_text() == schema.text()


def test_what_was_written_and_the_next_commands_are_told() -> None:
    one = console()

    assert init(one, "study.yaml", kind="sweep", force=False) == 0

    out, err = shown(one)
    assert err == ""
    assert out == (
        "study.yaml: one task per combination of parameters\n"
        "  with study/model.py, batchspec-v1.schema.json\n"
        "Next:\n"
        "  batchspec validate study.yaml               # checks it; also after every change\n"
        "  batchspec apply study.yaml --target local   # runs it on this machine, into results/study\n"
        "  batchspec plan study.yaml --target azure    # shows what it would do on Azure\n"
        "  batchspec delete study.yaml --target local  # deletes what it made\n"
    )
    for line in out.splitlines()[3:]:
        parse(line.split("#")[0].split()[1:])


def test_what_is_there_is_not_overwritten_unless_asked(folder: Path) -> None:
    (folder / "batch").mkdir()
    (folder / "batch/first.txt").write_text("mine\n")
    before = contents(folder)

    with pytest.raises(UsageError, match=r"^there already: batch/first\.txt; nothing was written$") as raised:
        init(console(), "batch.yaml", kind="per-file", force=False)
    assert (raised.value.exit_code, contents(folder)) == (2, before)

    assert init(console(), "batch.yaml", kind="per-file", force=True) == 0
    assert contents(folder)["batch/first.txt"] != b"mine\n"


@pytest.mark.parametrize("file", ["batch", "batch.txt", "a b.yaml", "-.yaml", ".yaml", "x*.yaml", "ü.yaml", "folder/"])
def test_a_name_that_cannot_be_a_specs_is_told(folder: Path, file: str) -> None:
    with pytest.raises(UsageError, match="expected"):
        init(console(), file, kind="per-file", force=False)
    assert contents(folder) == {}


def test_the_kinds_are_those_of_the_command_line() -> None:
    assert [parse(["init", "--kind", kind]).kind for kind in KINDS] == list(KINDS)
    assert (parse(["init"]).file, parse(["init"]).kind) == ("batch.yaml", next(iter(KINDS)))
    with pytest.raises(BatchspecError):
        parse(["init", "--kind", "other"])
