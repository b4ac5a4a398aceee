"""What stands in for a fingerprint stands for just that one."""

from batchspec.render.model import DesiredTask
from tests.render.conftest import Render

START = "start_task: {command: echo}"


def only(tasks: list[DesiredTask]) -> DesiredTask:
    (task,) = tasks
    return task


def test_the_mark_of_an_imported_pool_is_the_services_until_the_pool_is_edited(render_spec: Render) -> None:
    plain = render_spec(f"pool: {{vm_size: s, {START}}}\n").desired.pool
    assert plain is not None
    word = f"imported: {plain.hash}=pool {plain.start_task_hash}=start"

    same = render_spec(f"pool: {{vm_size: s, {START}, {word}}}\n").desired.pool
    edited = render_spec(f"pool: {{vm_size: t, {START}, {word}}}\n").desired.pool

    assert same is not None
    assert same.body is not None
    assert edited is not None
    assert (same.hash, same.start_task_hash) == ("pool", "start")
    assert same.body["metadata"] == [
        {"name": "batchspec:name", "value": "run"},
        {"name": "batchspec:hash", "value": "pool"},
        {"name": "batchspec:start", "value": "start"},
    ]
    assert edited.hash not in (plain.hash, "pool")
    assert edited.start_task_hash == "start"


def test_the_mark_of_an_imported_job_is_the_services_until_the_job_is_edited(render_spec: Render) -> None:
    plain = render_spec("pool: {id: p, existing: true}\njob: {priority: 1}\n").desired.job
    assert plain is not None

    found = [
        render_spec(
            f"pool: {{id: p, existing: true}}\njob: {{priority: {n}, imported: {plain.hash}=job}}\n"
        ).desired.job
        for n in (1, 2)
    ]

    assert [one and one.hash == "job" for one in found] == [True, False]


def test_the_mark_of_an_imported_task_is_the_services_until_the_task_is_edited(render_spec: Render) -> None:
    head = "pool: {id: p, existing: true}\n"
    plain = only(list(render_spec(f"{head}tasks: [{{id: a, command: x}}]\n").desired.tasks()))
    word = f"imported: {plain.hash.partition(':')[2]}=task"

    same = only(list(render_spec(f"{head}tasks: [{{id: a, command: x, {word}}}]\n").desired.tasks()))
    edited = only(list(render_spec(f"{head}tasks: [{{id: a, command: y, {word}}}]\n").desired.tasks()))

    assert same.hash == "run:task"
    assert same.body["environmentSettings"] == [{"name": "BATCHSPEC_TASK_HASH", "value": "run:task"}]
    assert edited.hash not in (plain.hash, "run:task")


def test_the_word_of_a_task_may_come_from_its_row(render_spec: Render) -> None:
    head = "pool: {id: p, existing: true}\n"
    plain = only(list(render_spec(f"{head}tasks: [{{id: a, command: x}}]\n").desired.tasks()))
    fingerprint = plain.hash.partition(":")[2]
    rows = f'{{"id": "a", "imported": "{fingerprint}=one"}}\n{{"id": "b", "imported": ""}}\n'
    text = 'tasks: [{for_each: {rows: t.jsonl}, id: "{{ row.id }}", command: x, imported: "{{ row.imported }}"}]\n'

    first, second = render_spec(head + text, {"t.jsonl": rows}).desired.tasks()

    assert first.hash == "run:one"
    assert second.hash.startswith("run:")
    assert len(second.hash) == len(plain.hash)


def test_the_word_is_in_no_body_and_no_fingerprint(render_spec: Render) -> None:
    head = "pool: {id: p, existing: true}\n"
    plain, worded = (
        only(list(render_spec(f"{head}tasks: [{{id: a, command: x{word}}}]\n").desired.tasks()))
        for word in ("", ", imported: no=thing")
    )
    assert (worded.body, worded.hash) == (plain.body, plain.hash)
