"""Inputs from, and results to, containers of another account, with a SAS that its owner gave."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from azure.storage.blob import generate_container_sas

from tests.end_to_end.workspace import Services, Workspace, exported

SPEC = """\
containers:
  theirs: {existing: true, url: "URL", sas: {from_env: THEIR_SAS}}
tasks:
  - id: count
    command: cat in/*.txt | wc -c > count.out
    resource_files: [{container: theirs, prefix: in/}]
    output_files: [{file_pattern: "*.out", container: theirs, path: results, upload_condition: tasksuccess}]
downloads: [{container: theirs, prefix: results/, to: ../results}]
"""


def test_a_spec_uses_a_container_of_another_account(
    write: Callable[[str], Workspace], raw: Services, env: Mapping[str, str], tmp_path: Path
) -> None:
    account = exported(env, tmp_path)
    endpoint = next(
        part.removeprefix("BlobEndpoint=")
        for part in account["AZURE_STORAGE_CONNECTION_STRING"].split(";")
        if part.startswith("BlobEndpoint=")
    )
    container = raw.blobs.create_container(f"theirs-{tmp_path.parent.name}-others".lower().replace("_", "-")[:60])
    container.upload_blob("in/a.txt", b"12345")

    def sas(permissions: str) -> str:
        return generate_container_sas(
            account["AZURE_STORAGE_ACCOUNT"],
            container.container_name,
            account_key=account["AZURE_STORAGE_KEY"],
            permission=permissions,
            expiry=datetime.now(UTC) + timedelta(hours=1),
        )

    work = write(SPEC.replace("URL", f"{endpoint.rstrip('/')}/{container.container_name}"))
    unset = work.run("apply", "--yes")
    weak = replace(work, env={**env, "THEIR_SAS": sas("rl")}).run("apply", "--yes")
    blind = work.run("plan", "--detailed-exitcode")
    assert (unset.code, weak.code) == (2, 6), f"{unset}\n{weak}"
    assert "THEIR_SAS is not set" in unset.stderr
    assert "allows 'rl', and 'cw' is needed" in weak.stderr
    assert (blind.code, "+ pool " in blind.stdout) == (5, True), blind
    assert "Not in this plan: downloads from it" in blind.stdout
    assert raw.pools().count(f"{work.name}-pool") == 0

    given = sas("rlcw")
    ran = replace(work, env={**env, "THEIR_SAS": given}).run("apply", "--yes", "-v")
    again = replace(work, env={**env, "THEIR_SAS": given}).run("apply", "--yes")
    withheld = replace(work, env={**env, "THEIR_SAS": given}).run("plan")
    whole = replace(work, env={**env, "THEIR_SAS": f"{container.url}?{given}"}).run("plan")

    assert ran.code == 0, ran
    assert (work.folder / "results/count.out").read_text().strip() == "5"
    assert (again.code, "Nothing to do" in again.stdout) == (0, True), again
    assert (withheld.code, whole.code, whole.stdout) == (0, 0, "Nothing to do\n"), f"{withheld}\n{whole}"
    assert withheld.stdout.startswith("Nothing to do in what could be looked at\nNot in this plan: downloads from it (")
    assert "THEIR_SAS holds a SAS without its address" in withheld.stdout
    assert "sig=" not in (ran.stdout + ran.stderr).replace("sig=***", "")
    deleted = replace(work, env=env).run("delete", "--yes")
    assert deleted.code == 0, deleted
    assert container.exists()
