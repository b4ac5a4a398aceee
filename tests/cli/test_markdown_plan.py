"""Plans as comments on a pull request."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchspec.cli.markdown_plan import Where, document, refusal
from batchspec.reconcile.change import Change, Check, Plan, Reason
from tests.cli.made import desired
from tests.cli.test_markdown import LINKED, OUTSIDE, seen
from tests.cli.test_text_plan import CHECKS, plan

WHERE = Where(
    "specs/topwords.yaml", "Azure Batch account mine", "batchspec apply specs/topwords.yaml --digest 3f2a91c07b5e"
)
DIGEST = "3f2a91c07b5e" + 52 * "0"
GITHUB_CHARACTERS = 65_536


def shown(one: Plan, *, all_tasks: bool = False) -> str:
    return document(one, desired(), WHERE, all_tasks=all_tasks)


def test_a_first_run_says_what_comes_to_be_and_how_to_run_it() -> None:
    first = plan(
        *(Change("create", "container", f"topwords-{key}", key=key) for key in ("application", "input")),
        *(Change("create", "upload", f"topwords-input/{one}.txt", key="texts", size=2000) for one in "abc"),
        Change("create", "pool", "topwords-pool"),
        Change("create", "job", "topwords-job"),
        *(Change("create", "task", f"t{number}") for number in range(1200)),
        digest=DIGEST,
    )

    assert (
        shown(first)
        == """\
### batchspec plan of `specs/topwords.yaml` on `Azure Batch account mine`

**1,207 to create, 0 to change, 0 to replace, 0 to delete.**

- **Create containers** `topwords-application`, `topwords-input`
- **Upload** 3 files to input (6.0 kB)
- **Create pool** `topwords-pool`: 2 x standard\\_d2s\\_v3, ubuntu 24.04
- **Create job** `topwords-job`
- **1,200 new tasks** `t0`, `t1`, `t2`, `t3`, `t4` and 1,195 more

<details><summary>3 files to upload</summary>

```text
topwords-input/a.txt
topwords-input/b.txt
topwords-input/c.txt
```

</details>

Digest: `3f2a91c07b5e`. Apply exactly this: `batchspec apply specs/topwords.yaml --digest 3f2a91c07b5e`
"""
    )


def test_what_changes_says_how_and_why() -> None:
    command = "/bin/bash -c 'python3 $AZ_BATCH_NODE_SHARED_DIR/topwords_task.py --filepath {} --numwords {}'"
    changed = plan(
        Change("update", "upload", "topwords-input/b.txt", (Reason("content differs"),), "texts", 900),
        Change(
            "replace",
            "pool",
            "topwords-pool",
            (
                Reason("changed", "vmSize", "standard_d2s_v3", "standard_d4s_v3", replaces=True),
                Reason("changed", "targetDedicatedNodes", 4, 2, "drift"),
            ),
        ),
        Change("update", "job", "topwords-job", (Reason("changed", "priority", 0, 5),), steps=("patch",)),
        *(
            Change(
                "replace",
                "task",
                name,
                (Reason("changed", "commandLine", command.format(name, 3), command.format(name, 7)),),
            )
            for name in "b"
        ),
        failed_tasks=("a",),
        notes=("`x` is no longer in it",),
    )

    assert (
        shown(changed)
        == """\
### batchspec plan of `specs/topwords.yaml` on `Azure Batch account mine`

**0 to create, 2 to change, 2 to replace, 0 to delete.**

- **Overwrite** 1 file to input: b.txt (900 B)
  - content differs
- **Replace pool** `topwords-pool`: replaced by 2 x standard\\_d2s\\_v3, ubuntu 24.04
  - `vm_size`: `standard_d2s_v3` → `standard_d4s_v3` (forces replacement)
  - changed in the service, not in the spec:
    - `target_dedicated_nodes`: `4` → `2`
- **Change job** `topwords-job`: in place
  - `priority`: `0` → `5`
- **1 task to run again** `b`
  - `b`: `command_line`
    - was `/bin/bash -c 'python3 $AZ_BATCH_NODE_SHARED_DIR/topwords_task.py --filepath b --numwords 3'`
    - will be `/bin/bash -c 'python3 $AZ_BATCH_NODE_SHARED_DIR/topwords_task.py --filepath b --numwords 7'`

- 1 property differs since it was changed in the service, not in the spec: apply puts the spec's back.
- 1 unchanged task failed before: a; --retry-failed runs it again.
- Note: \\`x\\` is no longer in it
"""
    )


def test_what_differs_alike_in_the_same_tasks_stands_beneath_their_names() -> None:
    reasons = (
        Reason("changed", "environmentSettings[A]", None, "b"),
        Reason("its content changed", "resourceFiles[x/y]"),
    )
    again = plan(*(Change("replace", "task", name, reasons) for name in "ab"))

    assert (
        shown(again).split("\n\n", 2)[2]
        == """\
- **2 tasks to run again** `a`, `b`
  - `a`, `b`:
    - `environment_settings[A]`: `(not set)` → `b`
    - `resource_files[x/y]`: its content changed
"""
    )


def test_nothing_to_do_is_short() -> None:
    assert (
        shown(plan(kept_tasks=3, digest=DIGEST, checks=CHECKS[:2]))
        == """\
### batchspec plan of `specs/topwords.yaml` on `Azure Batch account mine`

**Nothing to do**
"""
    )


def test_checks_that_are_not_fine_are_seen_at_once_and_all_after_a_click() -> None:
    checked = shown(plan(Change("create", "job", "topwords-job"), checks=CHECKS))

    assert (
        checked.split("\n\n", 3)[3]
        == """\
**Preflight**: 1 ok, 1 warning, 1 failed, 1 not checked

- **warning** image: old
  - take a new one
- **failed** start task: no ffmpeg\\\\n?sig=&lt;masked&gt;

<details><summary>All 4 checks</summary>

- **ok** clock: 0.2 s off
- **not checked** quota: needs an Entra credential
  - az login
- **warning** image: old
  - take a new one
- **failed** start task: no ffmpeg\\\\n?sig=&lt;masked&gt;

</details>
"""
    )


def test_all_tasks_are_listed_when_that_is_asked_for() -> None:
    many = plan(*(Change("create", "task", f"t{number}") for number in range(7)), failed_tasks=("a", "b"))

    assert (
        shown(many, all_tasks=True).split("<details>", 1)[1]
        == """\
<summary>7 new tasks</summary>

```text
t0
t1
t2
t3
t4
t5
t6
```

</details>

<details><summary>2 tasks that failed before</summary>

```text
a
b
```

</details>
"""
    )


def test_a_comment_without_a_plan_says_why() -> None:
    assert (
        refusal("specs/x.yaml", ["container x ``` </details>", "  do @this"])
        == """\
### batchspec plan of `specs/x.yaml`

**There is no plan:**

````text
container x ``` </details>
  do @this
````
"""
    )


@pytest.mark.parametrize("letter", ["a", "🎬", "`", "<"])
def test_it_is_never_longer_than_github_takes_and_keeps_totals_and_digest(letter: str) -> None:
    name = 60 * letter
    long = 4000 * letter
    huge = plan(
        *(Change("create", "container", f"{number}{name}") for number in range(3000)),
        *(Change("create", "upload", f"topwords-input/{number}{name}", key="texts") for number in range(3000)),
        *(Change("replace", "task", f"{number}{name}", (Reason(f"{number} {long}"),)) for number in range(500)),
        *(Change("create", "task", f"t{number}{name}") for number in range(10_000)),
        failed_tasks=tuple(f"f{number}{name}" for number in range(3000)),
        notes=tuple(f"{number} {long}" for number in range(500)),
        unseen=(long,),
        checks=tuple(Check(f"c{number}", "failed", long, long) for number in range(500)),
        digest=DIGEST,
    )
    where = Where(f"specs/{long}.yaml", long, f"batchspec apply {long}")

    text = document(huge, desired(), where, all_tasks=True)

    assert len(text.encode()) < GITHUB_CHARACTERS - 1000, "a line before it has room"
    assert "**16,000 to create, 0 to change, 500 to replace, 0 to delete.**" in text
    assert text.endswith("\nDigest: `3f2a91c07b5e`.\n")
    assert text.count("<details>") == text.count("\n</details>\n")
    assert re.search(r"\n\.\.\. and [\d,]+ more\n", text)
    assert re.search(r"\n- \.\.\. and [\d,]+ more lines\n", text)


@settings(deadline=None, max_examples=50)
@given(st.lists(OUTSIDE, min_size=1, max_size=4), OUTSIDE, OUTSIDE)
def test_nothing_from_outside_can_leave_its_place(names: list[str], value: str, sentence: str) -> None:
    reason = Reason("changed", f"metadata.{value}", value, sentence)
    strange = plan(
        *(Change("create", "container", name) for name in names),
        *(Change("create", "upload", f"topwords-input/{name}", (Reason(sentence),), "texts") for name in names),
        Change("update", "job", names[0], (reason, Reason(sentence))),
        *(Change("delete", "task", name, (Reason(sentence),)) for name in names),
        failed_tasks=tuple(names),
        notes=(sentence,),
        checks=(Check("image", "failed", sentence, value),),
        digest=DIGEST,
    )

    found = seen(document(strange, desired(), Where(names[0], value, sentence), all_tasks=True))

    ours = {"h3", "p", "strong", "ul", "li", "code", "pre", "details", "summary"}
    assert set(found.tags) <= ours
    assert found.tags.count("details") == 4
    assert not LINKED.search(found.outside), found.outside


def test_a_secret_is_masked_before_it_is_escaped_or_cut() -> None:
    secret = "a*secret_with|signs"
    told = plan(Change("update", "job", "j", (Reason("changed", "x", secret, "y"),)), notes=(f"it holds {secret}",))

    text = document(told, desired(), WHERE, mask=lambda one: one.replace(secret, "<masked>"))

    assert "secret" not in text
    assert "`<masked>` → `y`" in text
    assert "it holds &lt;masked&gt;" in text
