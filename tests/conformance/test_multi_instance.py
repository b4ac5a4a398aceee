"""Multi-instance tasks, through the official clients."""

from azure.batch import BatchClient

from tests.conformance.things import Things


def test_a_task_runs_on_several_nodes(client: BatchClient, things: Things) -> None:
    pool = things.pool(nodes=2, enableInterNodeCommunication=True)
    job = things.job(pool)
    task = things.task(
        job,
        "/bin/sh -c 'test -n \"$AZ_BATCH_HOST_LIST\"'",
        multiInstanceSettings={"numberOfInstances": 2, "coordinationCommandLine": "/bin/true"},
    )
    ended = things.completed(job, task)

    [subtask] = client.list_subtasks(job, task)

    assert ended["executionInfo"]["result"] == "success"
    assert (subtask.id, subtask.state, subtask.result) == (1, "completed", "success")


def test_a_plain_task_has_no_subtasks(client: BatchClient, things: Things, pool_with_nodes: str) -> None:
    job = things.job(pool_with_nodes)
    task = things.task(job)

    assert list(client.list_subtasks(job, task)) == []
