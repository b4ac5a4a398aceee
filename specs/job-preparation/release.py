"""Send what a node did for the job to a blob container, and remove what the job left there: `release.py FOLDER`.

This runs once on every node where tasks of the job ran, when the job ends. The container's SAS URL stands in the
environment setting STATISTICS_SAS_URL. A release task has no output files of its own, so it sends its result itself;
and it is not tried again when it fails, so a failed request is repeated here.
"""

import json
import os
import pathlib
import shutil
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

ATTEMPTS = 4


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    node = os.environ["AZ_BATCH_NODE_ID"]
    looked_up = [int(path.read_text()) for path in folder.glob("looked-up/*")]
    statistics = {"node": node, "tasks": len(looked_up), "looked up": sum(looked_up)}
    upload(f"{node}.json", json.dumps(statistics).encode())
    print(statistics)
    shutil.rmtree(folder)  # the last thing: while the statistics are not safe, nothing is lost


def upload(name: str, content: bytes) -> None:
    container = urllib.parse.urlsplit(os.environ["STATISTICS_SAS_URL"])
    url = container._replace(path=f"{container.path}/{urllib.parse.quote(name)}").geturl()
    headers = {"x-ms-blob-type": "BlockBlob", "Content-Type": "application/json"}
    for attempt in range(ATTEMPTS):
        try:
            urllib.request.urlopen(urllib.request.Request(url, content, headers, method="PUT"), timeout=60).close()
        except OSError as error:  # its text has no part of the URL, which is a secret
            if attempt == ATTEMPTS - 1:
                sys.exit(f"release.py: {name} could not be sent: {error}")
            time.sleep(2**attempt)
        else:
            return


if __name__ == "__main__":
    main()
