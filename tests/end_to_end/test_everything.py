"""What Azure Batch can do beyond the plainest pools, jobs and tasks: what arrives, and what the engine makes of it.

Where the local engine lacks something, the run ends as it would at Azure when that fails, and the message says whose
limit it is.
"""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.docker import calls, stand_in
from tests.end_to_end.workspace import Services, Workspace, batchspec, environment, written

IMAGE = "image: {publisher: canonical, offer: ubuntu-24_04-lts, sku: server}"
POOL = f"""\
pool:
  id: "{{{{ name }}}}-pool"
  vm_size: standard_d2s_v3
  target_dedicated_nodes: 1
  {IMAGE}
"""
WITH_CONTAINERS = 'image: {publisher: microsoft-dsvm, offer: ubuntu-hpc, sku: "2204"}'
SECRET = "correct-horse-battery"
READER = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/reader"


def with_secret(work: Workspace) -> Workspace:
    """The same, with the variable that the spec's secret comes from."""
    return replace(work, env={**work.env, "THE_SECRET": SECRET})


def test_environment_is_a_mapping_and_a_task_s_own_goes_before_the_job_s(
    write: Callable[[str], Workspace], raw: Services
) -> None:
    work = write("""\
        job: {common_environment_settings: {WHO: job, FROM_JOB: "{{ name }}"}}
        tasks:
          - id: one
            command: echo "$WHO $FROM_JOB $NUMBER $FLAG [$EMPTY]"
            environment_settings: {WHO: task, NUMBER: 5, FLAG: true, EMPTY: ""}
    """)

    ran = work.run("apply")

    assert ran.code == 0, ran
    assert work.run("logs", "one").stdout == f"task {work.name} 5 true []\n"
    settings = {one.name: one.value for one in raw.batch.get_task(work.name, "one").environment_settings or ()}
    assert {name: settings[name] for name in ("WHO", "NUMBER", "FLAG")} == {
        "WHO": "task",
        "NUMBER": "5",
        "FLAG": "true",
    }
    assert work.run("plan").stdout == "Nothing to do\n"
    assert work.run("delete", "--yes").code == 0


def test_one_spec_owns_a_pool_and_others_use_it(write: Callable[[str], Workspace], raw: Services) -> None:
    shared = write(POOL)
    user = write(f"""\
        containers: {{input: {{}}, output: {{}}}}
        uploads: {{words: {{container: input, files: words.txt}}}}
        pool: {{id: {shared.name}-pool, existing: true, identity: {READER}}}
        job: {{id: "{{{{ name }}}}-job"}}
        tasks:
          - id: count
            command: wc -w < words.txt > count.out
            resource_files: [{{upload: words}}, {{container: input, prefix: words, file_path: again}}]
            output_files: [{{file_pattern: "*.out", container: output, upload_condition: tasksuccess}}]
        downloads: [{{container: output, to: ../results}}]
    """)
    (user.folder / "specs/words.txt").write_text("to be or not to be")

    early = user.run("apply")
    assert (
        early.code,
        f"not there, though the spec says `existing: true`: pool {shared.name}-pool" in early.stderr,
    ) == (
        6,
        True,
    ), early
    assert shared.run("apply").code == 0
    ran = user.run("apply")

    assert ran.code == 0, ran
    assert (user.folder / "results/count.out").read_text().strip() == "6"
    task = raw.batch.get_task(f"{user.name}-job", "count")
    files = [(one.http_url or one.storage_container_url, one.identity_reference) for one in task.resource_files or ()]
    (output,) = task.output_files or []
    assert output.destination.container is not None
    files.append((output.destination.container.container_url, output.destination.container.identity_reference))
    assert [(str(url).count("?"), identity and identity.resource_id) for url, identity in files] == [(0, READER)] * 3
    assert user.run("plan").stdout == "Nothing to do\n"
    assert user.run("delete", "--yes").code == 0
    assert raw.of(user.name) == ([], [], [])
    assert shared.run("plan").stdout == "Nothing to do\n"
    assert shared.run("delete", "--yes").code == 0


def test_tasks_run_as_accounts_of_the_pool_whose_passwords_nobody_sees(
    write: Callable[[str], Workspace], raw: Services
) -> None:
    work = with_secret(
        write(f"""\
{POOL}  user_accounts:
    - name: analyst
      password: "{{{{ vars.password }}}}"
      elevation_level: admin
      linux_user_configuration: {{uid: 2001, gid: 2001}}
vars: {{password: {{secret: true, from_env: THE_SECRET}}}}
tasks:
  - {{id: named, command: "true", user_identity: {{username: analyst}}}}
  - {{id: own, command: "true", user_identity: {{auto_user: {{scope: task, elevation_level: admin}}}}}}
""")
    )

    runs = [work.run("render"), work.run("apply", "-v"), work.run("plan"), work.run("status", "--format", "json")]

    assert [ran.code for ran in runs] == [0, 0, 0, 0], runs
    assert runs[2].stdout == "Nothing to do\n"
    assert all(SECRET not in ran.stdout + ran.stderr for ran in runs)
    (account,) = raw.batch.get_pool(f"{work.name}-pool").user_accounts or []
    assert (account.name, account.elevation_level, str(account.password)) == ("analyst", "admin", "None")
    identity = raw.batch.get_task(work.name, "named").user_identity
    assert identity is not None
    assert identity.username == "analyst"
    assert work.run("delete", "--yes").code == 0


def test_an_application_package_is_refused_and_it_is_said_that_the_engine_has_none(
    write: Callable[[str], Workspace], raw: Services
) -> None:
    package = 'application_package_references: [{application_id: tool, version: "1.0"}]'
    of_pool = write(f"{POOL}  {package}\ntasks: [{{id: one, command: 'true'}}]\n")
    of_task = write(f"tasks:\n  - id: one\n    command: 'true'\n    {package}\n")

    runs = [work.run("apply", "--yes") for work in (of_pool, of_task)]

    for ran in runs:
        assert ran.code == 1, ran
        assert "InvalidApplicationPackageReferences" in ran.stderr
        assert "ApplicationId: tool" in ran.stderr
        assert "The local engine has no application packages: this is its limit, not the service's" in ran.stderr
    (shown,) = json.loads(of_task.run("render", "--format", "json").stdout)["tasks"]
    assert shown["applicationPackageReferences"] == [{"applicationId": "tool", "version": "1.0"}]
    assert f"{of_pool.name}-pool" not in raw.pools()
    for work in (of_pool, of_task):
        assert work.run("delete", "--yes").code == 0


def test_a_mount_makes_nodes_unusable_and_it_is_said_that_the_engine_mounts_nothing(
    write: Callable[[str], Workspace], raw: Services
) -> None:
    work = with_secret(
        write(f"""\
{POOL}  mount_configuration:
    - azure_file_share_configuration:
        account_name: mystorage
        azure_file_url: https://mystorage.file.core.windows.net/share
        account_key: "{{{{ vars.key }}}}"
        relative_mount_path: share
vars: {{key: {{secret: true, from_env: THE_SECRET}}}}
tasks: [{{id: one, command: ls $AZ_BATCH_NODE_MOUNTS_DIR/share}}]
""")
    )

    ran = work.run("apply", "-v")

    assert ran.code == 3, ran
    assert f"no node of pool {work.name}-pool can run tasks: each of them is unusable" in ran.stderr
    assert "MountConfigurationError: The local engine mounts no file systems" in ran.stderr
    status = work.run("status")
    assert (status.code, "MountConfigurationError" in status.stdout) == (0, True), status
    assert SECRET not in ran.stdout + ran.stderr + status.stdout
    (mount,) = raw.batch.get_pool(f"{work.name}-pool").mount_configuration or []
    assert mount.azure_file_share_configuration is not None
    assert mount.azure_file_share_configuration.relative_mount_path == "share"
    assert work.run("delete", "--yes").code == 0


def test_a_container_task_fails_where_no_runtime_is_and_says_so(
    write: Callable[[str], Workspace], raw: Services
) -> None:
    work = write(f"""\
{POOL.replace(IMAGE, WITH_CONTAINERS)}\
  virtual_machine_configuration: {{container_configuration: {{type: dockerCompatible}}}}
tasks:
  - id: one
    command: "true"
    container_settings: {{image_name: mine.example.com/tools:1, container_run_options: --memory 1g}}
""")

    ran = work.run("apply")

    assert ran.code == 3, ran
    assert "The local engine finds neither docker nor podman to run containers" in ran.stderr
    settings = raw.batch.get_task(work.name, "one").container_settings
    assert settings is not None
    assert (settings.image_name, settings.container_run_options) == ("mine.example.com/tools:1", "--memory 1g")
    assert work.run("delete", "--yes").code == 0


def test_a_container_task_logs_in_to_its_registry_and_runs_with_its_options(tmp_path: Path) -> None:
    runtime = stand_in(tmp_path / "bin")
    env = environment(tmp_path / "state", PATH=f"{runtime}:{os.environ['PATH']}", REGISTRY_PASSWORD="right")
    registry = '{registry_server: mine.example.com, username: me, password: "{{ vars.password }}"}'
    work = written(
        tmp_path / "work",
        "boxes",
        f"""\
{POOL.replace(IMAGE, WITH_CONTAINERS)}\
  virtual_machine_configuration: {{container_configuration: {{type: dockerCompatible}}}}
vars: {{password: {{secret: true, from_env: REGISTRY_PASSWORD}}}}
containers: {{output: {{}}}}
tasks:
  - id: one
    command: echo "$WHO in $AZ_BATCH_TASK_ID" > said.txt
    environment_settings: {{WHO: me}}
    container_settings:
      image_name: mine.example.com/tools:1
      container_run_options: --memory 1g
      registry: {registry}
    output_files: [{{file_pattern: said.txt, container: output, upload_condition: tasksuccess}}]
downloads: [{{container: output, to: ../results}}]
""",
        env,
    )

    ran = work.run("apply", "-v")
    planned = work.run("plan")

    stopped = batchspec("engine", "stop", cwd=tmp_path, env=env)
    assert (ran.code, planned.code, stopped.code) == (0, 0, 0), f"{ran}\n{planned}\n{stopped}"
    assert planned.stdout == "Nothing to do\n"
    assert (work.folder / "results/said.txt").read_text() == "me in one\n"
    (login,) = [words for words in calls(runtime) if words[0] == "login"]
    assert login[1:] == ["--username", "me", "--password-stdin", "mine.example.com"]
    (run,) = [words for words in calls(runtime) if words[0] == "run"]
    assert run[run.index("--memory") + 1] == "1g"
    assert "WHO" in run


def test_each_way_to_fail_has_the_outcome_that_its_exit_condition_gives_it(
    write: Callable[[str], Workspace], raw: Services
) -> None:
    work = write("""\
containers: {output: {}}
tasks:
  - for_each: {items: [{id: in-range, code: 15}, {id: out-of-range, code: 21}]}
    id: "{{ item.id }}"
    command: exit {{ item.code }}
    exit_conditions: {exit_code_ranges: [{start: 10, end: 20, exit_options: {dependency_action: satisfy}}]}
  - id: no-input
    command: cat nothing.txt
    resource_files: [{container: output, file: nothing.txt}]
    exit_conditions: {pre_processing_error: {dependency_action: satisfy}}
  - id: no-output
    command: "true"
    output_files: [{file_pattern: result.txt, container: output}]
    exit_conditions: {file_upload_error: {dependency_action: satisfy}}
  - for_each: {items: [in-range, out-of-range, no-input, no-output]}
    id: "after-{{ item }}"
    depends_on: {task_ids: ["{{ item }}"]}
    command: "true"
""")

    ran = work.run("apply")

    assert ran.code == 3, ran
    assert "7 of 8 completed: 3 succeeded, 4 failed; 1 blocked" in ran.stdout
    causes = (
        "BlobNotFound\n",
        "FailureExitCode (exit code 15)\n",
        "FailureExitCode (exit code 21)\n",
        "FileUploadMiscError (exit code 0)\n",
    )
    assert [cause for cause in causes if f"\n  {cause}" not in ran.stderr] == []
    dependents = {name: ended for name, ended in raw.tasks(work.name).items() if name.startswith("after-")}
    assert dependents == {
        "after-in-range": ("completed", "success", 0),
        "after-out-of-range": ("active", "", None),
        "after-no-input": ("completed", "success", 0),
        "after-no-output": ("completed", "success", 0),
    }
    assert work.run("delete", "--yes").code == 0
