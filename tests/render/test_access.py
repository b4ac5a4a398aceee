"""How nodes get at containers: with a SAS of ours, with one that was given, with an identity, or with nothing."""

from batchspec.render.model import DesiredContainer
from batchspec.render.symbolic import symbol
from tests.render.conftest import Render

URL = "https://theirs.blob.core.windows.net/data"
CONTAINERS = f"""\
containers:
  own: {{}}
  theirs: {{existing: true, url: {URL}, sas: {{from_env: THEIR_SAS}}}}
  public: {{existing: true, url: {URL}-public}}
uploads: {{files: {{container: own, files: a.txt}}}}
"""
POOL = "pool: {vm_size: s, image: {publisher: a, offer: b, sku: c}}\n"
IDENTITY = "/subscriptions/s/reader"
FILES = {"a.txt": "1"}
TASK = """\
tasks:
  - id: one
    command_line: x
    resource_files: [{upload: files}, {container: theirs}, {container: public}]
    output_files: [{file_pattern: a, container: own}, {file_pattern: a, container: theirs, path: p}]
"""


def test_a_container_of_another_account_is_known_by_its_address(render_spec: Render) -> None:
    desired = render_spec(CONTAINERS + POOL + TASK, FILES).desired

    name = "data@theirs.blob.core.windows.net"
    at = ("containers", "theirs")
    assert desired.containers["theirs"] == DesiredContainer("theirs", name, True, False, at, URL, "THEIR_SAS")


def test_a_sas_is_sent_where_there_is_one_to_send(render_spec: Render) -> None:
    (body,) = render_spec(CONTAINERS + POOL + TASK, FILES).bodies

    assert body["resourceFiles"] == [
        {"httpUrl": symbol("blob_sas_url", "own", "a.txt"), "filePath": "a.txt"},
        {"storageContainerUrl": symbol("sas_url", "theirs", "rl")},
        {"storageContainerUrl": symbol("container_url", "public")},
    ]
    assert [one["destination"] for one in body["outputFiles"]] == [
        {"container": {"containerUrl": symbol("sas_url", "own", "cw")}},
        {"container": {"containerUrl": symbol("sas_url", "theirs", "cw"), "path": "p"}},
    ]


def test_with_the_identity_of_the_pool_no_sas_is_sent(render_spec: Render) -> None:
    pool = f"pool: {{id: p, existing: true, identity: {IDENTITY}}}\n"
    (body,) = render_spec(CONTAINERS + pool + TASK, FILES).bodies

    reference = {"identityReference": {"resourceId": IDENTITY}}
    assert body["resourceFiles"] == [
        {"httpUrl": symbol("blob_url", "own", "a.txt"), "filePath": "a.txt", **reference},
        {"storageContainerUrl": symbol("container_url", "theirs"), **reference},
        {"storageContainerUrl": symbol("container_url", "public"), **reference},
    ]
    assert [one["destination"] for one in body["outputFiles"]] == [
        {"container": {"containerUrl": symbol("container_url", "own"), **reference}},
        {"container": {"containerUrl": symbol("container_url", "theirs"), **reference, "path": "p"}},
    ]


def test_an_entry_can_name_an_identity_of_its_own(render_spec: Render) -> None:
    task = """\
tasks:
  - id: one
    command_line: x
    resource_files: [{container: own, identity_reference: {resource_id: "{{ name }}"}}]
    output_files: [{file_pattern: a, container: public, identity_reference: {resource_id: w}}]
"""
    (body,) = render_spec(CONTAINERS + POOL + task, FILES).bodies

    read, write = ({"identityReference": {"resourceId": one}} for one in ("run", "w"))
    assert body["resourceFiles"] == [{"storageContainerUrl": symbol("container_url", "own"), **read}]
    destination = {"container": {"containerUrl": symbol("container_url", "public"), **write}}
    assert [one["destination"] for one in body["outputFiles"]] == [destination]


def test_nothing_can_be_written_where_nothing_allows_it(render_spec: Render) -> None:
    task = """\
tasks:
  - id: one
    command_line: x
    output_files: [{file_pattern: a, container: public}]
    environment_settings: {A: "{{ containers.public.sas_url('cw') }}", B: "{{ containers.public.url }}"}
"""
    assert render_spec(CONTAINERS + POOL + task, FILES).told == [
        (
            "spec.yaml:12:49: tasks[0].output_files[0].container: the container 'public' of another account has no "
            "`sas`, so that nothing can be written to it; give it one, or an `identity_reference` here"
        ),
        (
            "spec.yaml:13:35: tasks[0].environment_settings.A: cannot be rendered: the container 'public' of another "
            "account has no `sas`"
        ),
    ]


def test_a_wrong_address_is_told_where_it_stands(render_spec: Render) -> None:
    spec = "vars: {x: data}\ncontainers: {a: {existing: true, url: 'https://{{ vars.x }}'}}\n"

    assert render_spec(spec).told == [
        (
            "spec.yaml:4:39: containers.a.url: expected the address of one container and nothing below it, such as "
            "https://ACCOUNT.blob.core.windows.net/CONTAINER"
        )
    ]


def test_another_container_of_others_is_another_input(render_spec: Render) -> None:
    task = "tasks: [{id: one, command_line: x, resource_files: [{container: theirs}]}]\n"
    spec = CONTAINERS + POOL + task
    first, again, other = (
        next(iter(render_spec(text, FILES).desired.tasks())).hash
        for text in (spec, spec.replace("THEIR_SAS", "NEW_SAS"), spec.replace("/data", "/more"))
    )

    assert first == again
    assert first != other
