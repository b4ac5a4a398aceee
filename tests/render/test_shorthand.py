from typing import Any

import pytest

from batchspec.render.symbolic import symbol
from tests.render.conftest import Render

HEAD = """\
containers: {input: {}, output: {}}
uploads:
  files: {container: input, files: "in/*", prefix: p/}
pool: {vm_size: s, image: {publisher: a, offer: b, sku: c}}
tasks:
  - id: one
    command_line: x
"""
FILES = {"in/a b.txt": "1", "in/b.txt": "2"}


def entry(name: str, path: str, **more: str) -> dict[str, str]:
    return {"httpUrl": symbol("blob_sas_url", "input", name), "filePath": path, **more}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("[{upload: files}]", [entry("p/a b.txt", "p/a b.txt"), entry("p/b.txt", "p/b.txt")]),
        ("[{upload: files, file: p/b.txt}]", [entry("p/b.txt", "p/b.txt")]),
        (
            "[{upload: files, file: '{{ uploads.files[1].name }}', file_path: x.txt, file_mode: '0640'}]",
            [entry("p/b.txt", "x.txt", fileMode="0640")],
        ),
        ("[{upload: files, file_path: d}]", [entry("p/a b.txt", "d/p/a b.txt"), entry("p/b.txt", "d/p/b.txt")]),
        (
            "[{container: output, prefix: '{{ name }}/', file_path: d}]",
            [{"storageContainerUrl": symbol("sas_url", "output", "rl"), "blobPrefix": "run/", "filePath": "d"}],
        ),
        ("[{container: output}]", [{"storageContainerUrl": symbol("sas_url", "output", "rl")}]),
        ("[{http_url: 'https://x/y', file_path: y}]", [{"httpUrl": "https://x/y", "filePath": "y"}]),
        ("\"{{ [{'upload': 'files', 'file': 'p/b.txt'}] }}\"", [entry("p/b.txt", "p/b.txt")]),
        ("[\"{{ {'upload': 'files', 'file': 'p/b.txt'} }}\"]", [entry("p/b.txt", "p/b.txt")]),
    ],
)
def test_resource_files(render_spec: Render, written: str, expected: list[dict[str, str]]) -> None:
    (body,) = render_spec(f"{HEAD}    resource_files: {written}\n", FILES).bodies
    assert body["resourceFiles"] == expected


@pytest.mark.parametrize(("number", "entries"), [(55, 55), (70, 1), (3_000, 1)])
def test_a_large_upload_is_named_by_its_container(render_spec: Render, number: int, entries: int) -> None:
    files = {f"in/{position:05}": "" for position in range(number)}
    (body,) = render_spec(f"{HEAD}    resource_files: [{{upload: files}}]\n", files).bodies
    assert len(body["resourceFiles"]) == entries
    if entries == 1:
        assert body["resourceFiles"] == [{"storageContainerUrl": symbol("sas_url", "input", "rl"), "blobPrefix": "p/"}]


def test_the_whole_list_counts(render_spec: Render) -> None:
    spec = HEAD.replace("in/*", "in/**").replace("pool:", "  more: {container: output, files: 'more/**'}\npool:")
    files = {f"{folder}/deep/x/{position:03}": "" for folder in ("in", "more") for position in range(40)}
    one, two = (
        render_spec(f"{spec}    resource_files: [{uploads}]\n", files).bodies[0]["resourceFiles"]
        for uploads in (
            "{upload: files}",
            "{upload: files}, {upload: more, file_path: m}, {upload: files, file: p/deep/x/001}",
        )
    )
    assert len(one) == 40
    assert two == [
        {"storageContainerUrl": symbol("sas_url", "input", "rl"), "blobPrefix": "p/deep/x/"},
        {"storageContainerUrl": symbol("sas_url", "output", "rl"), "blobPrefix": "deep/x/", "filePath": "m"},
        entry("p/deep/x/001", "p/deep/x/001"),
    ]


def test_single_files_that_are_too_many_are_a_fault(render_spec: Render) -> None:
    files = {f"in/{position:04}": "" for position in range(100)}
    single = ", ".join(f"{{upload: files, file: p/{position:04}}}" for position in range(100))
    (told,) = render_spec(f"{HEAD}    resource_files: [{single}]\n", files).told
    assert told == (
        "spec.yaml:10:21: tasks[0].resource_files: the list has about 51,600 characters, Azure Batch takes 32,768; "
        "name a container and a `prefix` instead of single files"
    )


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (
            "resource_files: [{upload: fils}]",
            "resource_files[0].upload: there is no upload 'fils'; did you mean 'files'?",
        ),
        (
            "resource_files: [{upload: files, file: p/c.txt}]",
            "resource_files[0].file: the upload 'files' has no file 'p/c.txt'; did you mean 'p/b.txt'?",
        ),
        (
            "resource_files: [{upload: files, file_path: ../x}]",
            "resource_files[0].file_path: '../x' leaves the task's working directory",
        ),
        (
            "resource_files: [{container: inptu}]",
            "resource_files[0].container: there is no container 'inptu'; did you mean 'input'?",
        ),
        (
            "output_files: [{file_pattern: x, container: ouput}]",
            "output_files[0].container: there is no container 'ouput'; did you mean 'output'?",
        ),
    ],
)
def test_a_reference_to_nothing_is_told(render_spec: Render, written: str, message: str) -> None:
    (told,) = render_spec(f"{HEAD}    {written}\n", FILES).told
    assert told.endswith(f": tasks[0].{message}")


def test_output_files(render_spec: Render) -> None:
    spec = f"""{HEAD}
    output_files:
      - {{file_pattern: "*.txt", container: output}}
      - {{file_pattern: a, container: output, path: "{{{{ name }}}}/a", upload_condition: tasksuccess}}
      - file_pattern: b
        destination: {{container: {{container_url: "https://x"}}}}
        upload_options: {{upload_condition: taskfailure}}
      - {{file_pattern: b, destination: {{container: {{container_url: "https://y"}}}}}}
      - file_pattern: c
        container: output
        upload_options: {{upload_condition: tasksuccess}}
        upload_headers: [{{name: x-ms-blob-content-type, value: text/csv}}]
"""
    (body,) = render_spec(spec, FILES).bodies
    url = symbol("sas_url", "output", "cw")
    assert body["outputFiles"] == [
        {
            "filePattern": "*.txt",
            "destination": {"container": {"containerUrl": url}},
            "uploadOptions": {"uploadCondition": "taskcompletion"},
        },
        {
            "filePattern": "a",
            "destination": {"container": {"containerUrl": url, "path": "run/a"}},
            "uploadOptions": {"uploadCondition": "tasksuccess"},
        },
        {
            "filePattern": "b",
            "destination": {"container": {"containerUrl": "https://x"}},
            "uploadOptions": {"uploadCondition": "taskfailure"},
        },
        {
            "filePattern": "b",
            "destination": {"container": {"containerUrl": "https://y"}},
            "uploadOptions": {"uploadCondition": "taskcompletion"},
        },
        {
            "filePattern": "c",
            "destination": {
                "container": {
                    "containerUrl": url,
                    "uploadHeaders": [{"name": "x-ms-blob-content-type", "value": "text/csv"}],
                }
            },
            "uploadOptions": {"uploadCondition": "tasksuccess"},
        },
    ]


@pytest.mark.parametrize(
    "written",
    [
        "{B: '{{ name }}', A: 1, C: true}",
        "\"{{ {'B': name, 'A': 1, 'C': true} }}\"",
        "[{name: B, value: '{{ name }}'}, {name: A, value: '1'}, {name: C, value: 'true'}]",
    ],
)
def test_environment_settings_keep_their_order(render_spec: Render, written: str) -> None:
    (body,) = render_spec(f"{HEAD}    environment_settings: {written}\n", FILES).bodies
    expected = [{"name": "B", "value": "run"}, {"name": "A", "value": "1"}, {"name": "C", "value": "true"}]
    assert body["environmentSettings"] == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("command: echo {{ 'a b' | sh }}", "/bin/bash -c 'echo '\"'\"'a b'\"'\"''"),
        ("commands: [a, '{{ name }}']", "/bin/bash -c 'set -e; set -o pipefail\na\nrun'"),
        ("command_line: a 'b'", "a 'b'"),
    ],
)
def test_commands(render_spec: Render, written: str, expected: str) -> None:
    (body,) = render_spec(f"pool: {{vm_size: s}}\ntasks:\n  - id: one\n    {written}\n").bodies
    assert body["commandLine"] == expected


def test_an_empty_command_is_told(render_spec: Render) -> None:
    told = render_spec(
        "pool: {vm_size: s}\ntasks:\n  - {id: a, commands: [x, '{{ \"\" }}']}\n  - {id: b, command: ' '}\n"
    ).told
    assert told == [
        "spec.yaml:6:22: tasks[1].command: is an empty command",
        "spec.yaml:5:27: tasks[0].commands[1]: is an empty command",
    ]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (
            "image: {publisher: a, offer: b, sku: c}",
            {
                "imageReference": {"publisher": "a", "offer": "b", "sku": "c", "version": "latest"},
                "nodeAgentSKUId": symbol("node_agent_sku"),
            },
        ),
        (
            "image: {id: /x}\n  virtual_machine_configuration: {node_agent_sku_id: n}",
            {"nodeAgentSKUId": "n", "imageReference": {"virtualMachineImageId": "/x"}},
        ),
        (
            "image: {id: /x}\n  virtual_machine_configuration: \"{{ {'os_disk': {'caching': 'none'}} }}\"",
            {
                "osDisk": {"caching": "none"},
                "imageReference": {"virtualMachineImageId": "/x"},
                "nodeAgentSKUId": symbol("node_agent_sku"),
            },
        ),
        (
            "virtual_machine_configuration: {image_reference: {publisher: a, offer: b, sku: c}}",
            {
                "imageReference": {"publisher": "a", "offer": "b", "sku": "c"},
                "nodeAgentSKUId": symbol("node_agent_sku"),
            },
        ),
    ],
)
def test_an_image_becomes_a_configuration(render_spec: Render, written: str, expected: Any) -> None:
    pool = render_spec(f"pool:\n  vm_size: s\n  {written}\n").desired.pool
    assert pool is not None
    assert pool.body is not None
    assert pool.body["virtualMachineConfiguration"] == expected


def test_an_image_that_a_template_gives_as_well_is_told(render_spec: Render) -> None:
    machine = "{{ {'image_reference': {'virtual_machine_image_id': '/y'}} }}"
    spec = f'pool: {{vm_size: s, image: {{id: /x}}, virtual_machine_configuration: "{machine}"}}\n'
    assert render_spec(spec).told == [
        (
            "spec.yaml:3:68: pool.virtual_machine_configuration.image_reference: `image` says this already; "
            "remove one of the two"
        )
    ]


def test_metadata_may_be_a_mapping(render_spec: Render) -> None:
    desired = render_spec("pool: {vm_size: s, metadata: {team: '{{ name }}', n: 5}}\n").desired
    assert desired.pool is not None
    assert desired.pool.body is not None
    metadata: Any = desired.pool.body["metadata"]
    assert metadata[:2] == [{"name": "team", "value": "run"}, {"name": "n", "value": "5"}]
