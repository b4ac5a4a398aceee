"""Blobs of containers as generators; the other sources are in `test_expand`."""

from batchspec.render.model import Blob, BlobQuery, Listing
from batchspec.render.printed import document
from batchspec.render.warnings import warnings
from batchspec.spec.build import build
from batchspec.spec.load import load
from tests.render.conftest import Render, Rendered

HEAD = """\
containers: {input: {}, found: {existing: true, name: shared}}
pool: {vm_size: s, target_dedicated_nodes: 1}
"""
EACH = """\
tasks:
  - for_each: {container: found, prefix: "raw/", pattern: "*.txt"}
    id: "{{ file.stem | task_id }}"
    command: "wc {{ file.name | sh }} {{ file.size }} {{ file.suffix }} {{ file.url }}"
    resource_files: [{container: found, file: "{{ file.name }}"}]
"""
QUERY = BlobQuery("found", "shared", "raw/", "*.txt")
A = Blob("raw/a b.txt", 3, b"\x01" * 16, "etag-1")
B = Blob("raw/b.txt", 4, None, "etag-2")
LISTINGS = {QUERY: Listing((A, B))}


def test_offline_nothing_is_known_and_the_template_is_shown_as_written(render_spec: Render) -> None:
    desired = render_spec(HEAD + EACH).desired
    assert desired.unlisted == (QUERY,)
    assert list(desired.tasks()) == []
    assert list(document(desired)[1]) == [
        {
            "for_each": {"container": "found", "prefix": "raw/", "pattern": "*.txt"},
            "template": {
                "id": "{{ file.stem | task_id }}",
                "command": "wc {{ file.name | sh }} {{ file.size }} {{ file.suffix }} {{ file.url }}",
                "resource_files": [{"container": "found", "file": "{{ file.name }}"}],
            },
        }
    ]


def test_what_needs_tasks_that_nobody_knows_is_not_known_either(render_spec: Render) -> None:
    spec = EACH.replace("  - for_each", "  - name: each\n    for_each") + (
        "  - {name: merge, id: merge, needs: [each], command: x}\n"
        "  - {id: last, needs: [merge], command: x}\n"
        "  - {id: alone, command: x}\n"
    )
    assert [task.id for task in render_spec(HEAD + spec).desired.tasks()] == ["alone"]
    assert [task.id for task in render_spec(HEAD + spec, listings=LISTINGS).desired.tasks()][-3:] == [
        "merge",
        "last",
        "alone",
    ]


def test_offline_wrong_names_are_found(render_spec: Render) -> None:
    spec = EACH.replace("file.suffix", "file.path").replace("file.size", "fiel.size")
    assert [told.partition(": tasks[0].command: ")[2] for told in render_spec(HEAD + spec).told] == [
        "unknown name 'fiel'; did you mean 'file'?",
        "this has no 'path'; there are: md5, name, size, stem, suffix, url",
    ]
    spec = EACH.replace("file.suffix", "file.path")
    assert [told.partition(": tasks[0].command: ")[2] for told in render_spec(HEAD + spec).told] == [
        "this has no 'path'; there are: md5, name, size, stem, suffix, url"
    ]


def test_each_blob_is_a_task_that_fetches_it(render_spec: Render) -> None:
    rendered = render_spec(HEAD + EACH, listings=LISTINGS)
    assert rendered.desired.unlisted == ()
    assert [task.id for task in rendered.desired.tasks()] == ["a-b-" + rendered.bodies[0]["id"][4:], "b"]
    (body, _) = document(rendered.desired)[1]
    assert isinstance(body, dict)
    assert body["resourceFiles"] == [{"httpUrl": "<blob_sas_url found raw/a b.txt>", "filePath": "raw/a b.txt"}]
    assert str(body["commandLine"]).replace("""'"'"'""", "'") == (
        "/bin/bash -c 'wc 'raw/a b.txt' 3 .txt <blob_url found raw/a b.txt>'"
    )


def test_a_blob_with_other_content_makes_its_own_task_another(render_spec: Render) -> None:
    def hashes(*blobs: Blob) -> dict[str, str]:
        rendered = render_spec(HEAD + EACH, listings={QUERY: Listing(blobs)})
        return {task.id: task.hash for task in rendered.desired.tasks()}

    before = hashes(A, B)
    same_content = Blob(A.name, A.size, A.md5, "another")
    assert hashes(same_content, B) == before
    (first, second) = before
    changed = hashes(Blob(A.name, A.size, b"\x02" * 16, A.etag), B)
    assert (changed[first] != before[first], changed[second] == before[second]) == (True, True)
    written_again = hashes(A, Blob(B.name, B.size, None, "etag-3"))
    assert (written_again[first] == before[first], written_again[second] != before[second]) == (True, True)


def test_a_blob_without_md5_says_so(render_spec: Render) -> None:
    spec = EACH.replace("file.suffix", "file.md5")
    (told,) = render_spec(HEAD + spec, listings=LISTINGS).told
    assert "the service has no MD5 of the blob 'raw/b.txt': whoever wrote it gave none (for blob 'raw/b.txt')" in told


def test_blobs_whose_names_cannot_be_used_are_told(render_spec: Render) -> None:
    blobs = (Blob("raw/\ue000.txt", 1, None, "e"), Blob("raw//x.txt", 1, None, "e"))
    told = render_spec(HEAD + EACH, listings={QUERY: Listing(blobs)}).told
    assert [one.split(": ", 1)[1] for one in told] == [
        (
            "tasks[0].for_each.container: the blob 'raw/\\ue000.txt' of 'shared' holds one of the characters U+E000 to "
            "U+E002, which batchspec reserves; leave it out with `prefix` or `pattern`"
        ),
        (
            "tasks[0].resource_files[0].file: 'raw//x.txt' has an empty part, . or .. in its path, which is no path "
            "on a node; say another with `file_path` (for blob 'raw//x.txt')"
        ),
    ]


def told_by(render_spec: Render, listing: Listing, query: BlobQuery = QUERY, spec: str = HEAD + EACH) -> list[str]:
    return warned(render_spec(spec, listings={query: listing}))


def warned(rendered: Rendered) -> list[str]:
    assert rendered.maybe is not None
    folder = rendered.maybe.tasks.walk.document.path  # type: ignore[attr-defined]
    parsed = build(load(folder, "spec.yaml"))
    assert parsed is not None
    return [problem.message for problem in warnings(parsed, rendered.maybe)]


def test_an_empty_listing_is_a_warning(render_spec: Render) -> None:
    gone = told_by(render_spec, Listing((), there=False))
    assert gone == ["the container 'shared' is not there, so there is nothing to make tasks of"]
    assert told_by(render_spec, Listing(())) == [
        (
            "the container 'shared' has no blob whose name begins with 'raw/' and then matches '*.txt', "
            "so there is nothing to make tasks of"
        )
    ]


def test_a_generator_without_an_element_is_a_warning(render_spec: Render) -> None:
    for generator in ("{items: []}", "{range: -1}", "{matrix: {a: [], b: [1]}}", "{rows: spec.csv}"):
        spec = f"{HEAD}tasks:\n  - {{for_each: {generator}, id: x, command_line: x}}\n"
        (told,) = warned(render_spec(spec, {"spec.csv": "a,b\n"}))
        assert told == "is empty, so it makes no task"
    broken = f"{HEAD}tasks:\n  - {{for_each: {{range: [0, 1, 0]}}, id: x, command_line: x}}\n"
    assert warned(render_spec(broken)) == []


def test_a_container_that_an_upload_fills_later_is_a_warning(render_spec: Render) -> None:
    spec = (
        HEAD
        + "uploads: {u: {container: input, files: spec.yaml}}\n"
        + EACH.replace("container: found", "container: input")
    )
    query = BlobQuery("input", "run-input", "raw/", "*.txt")
    assert told_by(render_spec, Listing((A,)), query, spec) == [
        "lists what is there before the upload 'u' sends its files; for those, use `upload`"
    ]


def test_blobs_and_files_go_into_a_matrix(render_spec: Render) -> None:
    spec = """\
uploads: {u: {container: input, files: "*.bin"}}
tasks:
  - for_each: {matrix: {blob: {container: found, prefix: raw/, pattern: "*.txt"}, tool: {upload: u}, n: {range: 2}}}
    id: "{{ matrix.blob.stem | task_id }}-{{ matrix.tool.stem }}-{{ matrix.n }}"
    command_line: x
"""
    rendered = render_spec(HEAD + spec, {"t.bin": "tool"}, listings=LISTINGS)
    ids = [task.id for task in rendered.desired.tasks()]
    assert ids[2:] == ["b-t-0", "b-t-1"]
    before = {task.id: task.hash for task in rendered.desired.tasks()}
    changed = render_spec(HEAD + spec, {"t.bin": "other"}, listings=LISTINGS)
    assert all(task.hash != before[task.id] for task in changed.desired.tasks())
    offline = render_spec(HEAD + spec.replace("matrix.n }}", "matrix.m }}"), {"t.bin": "tool"}).told
    assert [one.split(": ", 2)[2] for one in offline] == ["`matrix` has no 'm'; there are: blob, n, tool"]
