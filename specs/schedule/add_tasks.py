"""Adds a task for every text that has not been counted yet: the job manager of `specs/schedule.yaml`.

It runs on a node, with nothing but the standard library. INPUT and OUTPUT are the containers' addresses, each with its
SAS, BATCH_KEY is the key of the Batch account; the rest is what Azure Batch tells every task.
"""

import base64
import hashlib
import hmac
import json
import os
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from email.utils import formatdate
from urllib.parse import quote, urlsplit
from urllib.request import Request, urlopen

API_VERSION = "2025-06-01"
TIMEOUT_S = 60
MOST_TASKS_A_REQUEST = 100
PROGRAM = "$AZ_BATCH_NODE_SHARED_DIR/count_words.py"


def main() -> None:
    """Add the tasks of this job, and say which."""
    counted = set(blobs(os.environ["OUTPUT"]))
    new = [name for name in blobs(os.environ["INPUT"]) if result_of(name) not in counted]
    for start in range(0, len(new), MOST_TASKS_A_REQUEST):
        add([task(name) for name in new[start : start + MOST_TASKS_A_REQUEST]])
    print(f"{len(new)} new of {len(counted) + len(new)} texts:", ", ".join(new) or "none")


def blobs(container: str) -> Iterator[str]:
    """The names of all blobs of a container, page by page."""
    marker = ""
    while True:
        with urlopen(f"{container}&restype=container&comp=list&marker={quote(marker)}", timeout=TIMEOUT_S) as answer:
            page = ElementTree.fromstring(answer.read())
        yield from (name.text or "" for name in page.iterfind("Blobs/Blob/Name"))
        marker = page.findtext("NextMarker") or ""
        if not marker:
            return


def result_of(name: str) -> str:
    """The blob with the result of a text."""
    return f"{name}.json"


def task(name: str) -> dict[str, object]:
    """The task that counts one text; its id is legal whatever the name is, and no other text has it."""
    address, _, sas = os.environ["INPUT"].partition("?")
    readable = re.sub(r"[^A-Za-z0-9]+", "-", name)[:40]
    return {
        "id": f"{readable}-{hashlib.sha256(name.encode()).hexdigest()[:8]}",
        "displayName": name[:1024],
        "commandLine": f"/bin/sh -c 'python3 {PROGRAM} text.txt > result.json'",
        "resourceFiles": [{"httpUrl": f"{address}/{quote(name)}?{sas}", "filePath": "text.txt"}],
        "outputFiles": [
            {
                "filePattern": "result.json",
                "destination": {"container": {"containerUrl": os.environ["OUTPUT"], "path": result_of(name)}},
                "uploadOptions": {"uploadCondition": "tasksuccess"},
            }
        ],
    }


def add(tasks: list[dict[str, object]]) -> None:
    """Add tasks to this job. Raises SystemExit when one is refused, unless an earlier attempt has added it."""
    account = os.environ["AZ_BATCH_ACCOUNT_URL"].rstrip("/")
    path = f"/jobs/{quote(os.environ['AZ_BATCH_JOB_ID'], safe='')}/addtaskcollection"
    body = json.dumps({"value": tasks}).encode()
    headers = {"Content-Type": "application/json; odata=minimalmetadata", "ocp-date": formatdate(usegmt=True)}
    headers["Authorization"] = signature(urlsplit(account).path + path, headers, len(body))
    request = Request(f"{account}{path}?api-version={API_VERSION}", body, headers)
    with urlopen(request, timeout=TIMEOUT_S) as answer:
        results = json.load(answer)["value"]
    refused = [one for one in results if one["status"] != "success" and one["error"]["code"] != "TaskExists"]
    if refused:
        raise SystemExit(f"{len(refused)} tasks were refused, the first with {json.dumps(refused[0])}")


def signature(path: str, headers: dict[str, str], length: int) -> str:
    """The Authorization header of a POST, by the account's key ("Authenticate via Shared Key")."""
    account = os.environ["AZ_BATCH_ACCOUNT_NAME"]
    lines = ["POST", "", "", str(length), "", headers["Content-Type"], *[""] * 6]
    text = "\n".join([*lines, f"ocp-date:{headers['ocp-date']}", f"/{account}{path}", f"api-version:{API_VERSION}"])
    digest = hmac.new(base64.b64decode(os.environ["BATCH_KEY"]), text.encode(), hashlib.sha256).digest()
    return f"SharedKey {account}:{base64.b64encode(digest).decode()}"


if __name__ == "__main__":
    main()
