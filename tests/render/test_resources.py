from pathlib import Path

import pytest

from batchspec.render.resources import seen_from_here
from tests.render.conftest import Render


@pytest.mark.parametrize(
    ("existing", "column", "message"),
    [
        ("'{{ 5 }}'", 28, "expected true or false, got 5"),
        ("'{{ nothing }}'", 32, "unknown name 'nothing'; there are: name, target, vars"),
        ("yes", 28, "one whole {{ }} was expected here, with nothing around it"),
    ],
)
def test_what_is_no_boolean_is_told(render_spec: Render, existing: str, column: int, message: str) -> None:
    (told,) = render_spec(f"containers: {{a: {{existing: {existing}}}}}\n").told
    assert told == f"spec.yaml:3:{column}: containers.a.existing: {message}"


def test_templates_see_containers_and_the_files_of_uploads(render_spec: Render) -> None:
    spec = """\
containers: {a: {name: "{{ name }}-x"}}
uploads: {u: {container: a, files: "in/*"}}
pool: {vm_size: "{{ uploads.u | map(attribute='path') | join(',') }}", display_name: "{{ containers.a.name }}"}
"""
    pool = render_spec(spec, {"in/f": "", "in/e": ""}).desired.pool
    assert pool is not None
    assert pool.body is not None
    assert (pool.body["vmSize"], pool.body["displayName"]) == ("in/e,in/f", "run-x")


def test_a_file_that_two_patterns_name_is_one_file(render_spec: Render) -> None:
    spec = 'containers: {a: {}}\nuploads: {u: {container: a, files: ["*.txt", "f.txt"]}}\n'
    files = render_spec(spec, {"f.txt": "", "g.txt": ""}).desired.uploads["u"].files
    assert [file.name for file in files] == ["f.txt", "g.txt"]


def test_nothing_outside_is_uploaded_unless_allowed(render_spec: Render, tmp_path: Path) -> None:
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    outside.write_text("")
    spec = f"containers: {{a: {{}}}}\nuploads: {{u: {{container: a, files: ../{outside.name}}}}}\n"
    (told,) = render_spec(spec).told
    assert "lies outside" in told
    assert len(render_spec(spec, allow_outside=True).desired.uploads["u"].files) == 1


def test_a_folder_is_shown_as_seen_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = tmp_path / "a" / "b" / "c" / "d"
    here.mkdir(parents=True)
    monkeypatch.chdir(here)
    assert seen_from_here(here / "results") == "results"
    assert seen_from_here(tmp_path / "a" / "b" / "results") == "../../results"
    assert seen_from_here(tmp_path / "results") == str(tmp_path / "results")
