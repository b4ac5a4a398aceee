"""The sweep spec: every combination of the parameters, and one task that merges what they found."""

from collections.abc import Callable

from tests.end_to_end.workspace import Services, Workspace

HEADER = "contacts,days,ill at the peak,day of the peak,ill altogether\n"
TWO_AND_FOUR = ("4,10,424256,56,984600\n", "4,5,160976,74,808431\n", "2,10,157092,143,802485\n", "2,5,1,0,358\n")


def test_the_merge_waits_for_every_combination_and_runs_again_with_what_is_new(
    make: Callable[[str], Workspace], raw: Services
) -> None:
    work = make("sweep")
    job = f"{work.name}-job"

    ran = work.run("apply")

    assert ran.code == 0, ran
    assert (work.folder / "results/sweep/table.csv").read_text() == "".join(
        [HEADER, "8,10,665499,28,999944\n", "8,5,446737,31,989056\n", *TWO_AND_FOUR]
    )
    assert {path.name for path in (work.folder / "results/sweep").iterdir()} == {"table.csv"}
    ended = {
        str(task.id): (task.execution_info.start_time, task.execution_info.end_time)
        for task in raw.batch.list_tasks(job)
        if task.execution_info
    }
    began, _ = ended.pop("merge")
    assert set(ended) == {f"contacts-{contacts}-days-{days}" for contacts in (2, 4, 8) for days in (5, 10)}
    assert began is not None
    assert all(end is not None and end <= began for _, end in ended.values()), (began, ended)
    before = raw.added(job)

    other = work.run("apply", "--var", "contacts=[2, 4, 6]", "--yes")

    assert other.code == 0, other
    after = raw.added(job)
    assert {task for task in after if after[task] != before.get(task)} == {
        "contacts-6-days-5",
        "contacts-6-days-10",
        "merge",
    }
    six_ten, six_five = "6,10,572332,37,998850\n", "6,5,324773,42,953213\n"
    assert (work.folder / "results/sweep/table.csv").read_text() == "".join(
        [HEADER, six_ten, TWO_AND_FOUR[0], six_five, *TWO_AND_FOUR[1:]]
    )

    again = work.run("plan", "--var", "contacts=[2, 4, 6]", "--detailed-exitcode")
    assert (again.code, "Nothing to do" in again.stdout) == (0, True), again

    deleted = work.run("delete", "--yes")
    assert deleted.code == 0, deleted
    assert raw.of(work.name) == ([], [], [])
