"""Count the words of one text and send the most frequent ones to a blob container.

This runs on a node of the pool, once per text, with nothing but Python's standard library (3.8 or newer):

    python3 topwords_task.py --filepath TEXT --numwords 3

It writes `<stem of TEXT>_OUTPUT.txt` into the working directory, one line `word,count` per word, the most frequent
first and equally frequent ones in alphabetical order, and uploads that file to the container whose SAS URL stands in
the environment setting OUTPUT_CONTAINER_SAS_URL. The SAS only needs to create and write; it is never printed.

A word is a run of letters of any script, in lower case. Apostrophes may stand inside. The typewriter's (') and the
printer's (’) spell the same word, so both are written as ('); an accent typed as a mark of its own is one letter
with what it stands on.

Exit code: 0 when the result is in the container, 1 with the reason on stderr when it is not.
"""

from __future__ import annotations

import argparse
import base64
import collections
import hashlib
import http.client
import os
import pathlib
import re
import sys
import time
import unicodedata
import urllib.error
import urllib.parse
import urllib.request

SAS_SETTING = "OUTPUT_CONTAINER_SAS_URL"
ATTEMPTS = 6
TIMEOUT_S = 60
WORTH_A_RETRY = {408, 429, 500, 502, 503, 504}


class TaskError(Exception):
    """Why there is no result in the container, in words for a person."""


def main() -> int:
    parser = argparse.ArgumentParser(description="Upload the most frequent words of a text.")
    parser.add_argument("--filepath", type=pathlib.Path, required=True, help="the text, in UTF-8")
    parser.add_argument("--numwords", type=int, default=3, help="how many words (default: 3)")
    arguments = parser.parse_args()
    try:
        if arguments.numwords < 1:
            raise TaskError(f"--numwords is {arguments.numwords}; expected 1 or more")
        lines = top_lines(read(arguments.filepath), arguments.numwords)
        result = pathlib.Path(arguments.filepath.stem + "_OUTPUT.txt")
        result.write_text(lines, encoding="utf-8")
        print(lines, end="")
        upload(result)
    except TaskError as error:
        print(f"topwords_task.py: {error}", file=sys.stderr)
        return 1
    return 0


def read(path: pathlib.Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise TaskError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise TaskError(f"{path} is not UTF-8: byte {error.start} is {error.object[error.start]:#04x}") from error


def top_lines(text: str, number: int) -> str:
    counts = collections.Counter(words(text))
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return "".join(f"{word},{count}\n" for word, count in ranked[:number])


def words(text: str) -> list[str]:
    text = unicodedata.normalize("NFC", text.lower()).replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    # The regular expressions of the standard library know no letters and marks of Unicode; so look the characters up.
    letters = "".join(c for c in set(text) if unicodedata.category(c).startswith("L"))
    marks = "".join(c for c in set(text) if unicodedata.category(c).startswith("M"))
    if not letters:
        return []
    run = f"[{re.escape(letters)}][{re.escape(letters + marks)}]*"
    return re.findall(f"{run}(?:'{run})*", text)


def upload(path: pathlib.Path) -> None:
    container = urllib.parse.urlsplit(os.environ.get(SAS_SETTING, ""))
    if not (container.scheme and container.netloc and container.query):
        raise TaskError(f"the environment setting {SAS_SETTING} does not hold the SAS URL of a container")
    blob = container._replace(path=container.path.rstrip("/") + "/" + urllib.parse.quote(path.name, safe=""))
    content = path.read_bytes()
    headers = {
        "x-ms-blob-type": "BlockBlob",
        "x-ms-version": "2021-12-02",
        "Content-Type": "text/plain; charset=utf-8",
        # The service compares this with what arrives and keeps it, so that a download can be verified too.
        "Content-MD5": base64.b64encode(hashlib.md5(content).digest()).decode("ascii"),
    }
    for attempt in range(1, ATTEMPTS + 1):
        request = urllib.request.Request(blob.geturl(), data=content, headers=headers, method="PUT")
        problem, again = put(request)
        if not problem:
            return
        if not again or attempt == ATTEMPTS:
            raise TaskError(f"upload of {path.name} to {container.netloc}{container.path} {problem}")
        time.sleep(2 ** (attempt - 1) / 2)


def put(request: urllib.request.Request) -> tuple[str, bool]:
    """What went wrong, empty when nothing did, and whether another attempt may help. Shows no part of the SAS."""
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S):
            return "", False
    except urllib.error.HTTPError as error:
        code = error.headers.get("x-ms-error-code") or error.reason
        hint = {
            403: "; the SAS has expired, was revoked, or does not allow create and write",
            404: "; the container is gone",
        }.get(error.code, "")
        error.close()
        return f"was refused: {error.code} {code}{hint}", error.code in WORTH_A_RETRY
    except urllib.error.URLError as error:
        return f"failed: {error.reason}", True
    except http.client.InvalidURL:  # its text would show the SAS
        return f"is not possible: {SAS_SETTING} is not a valid URL", False
    except (OSError, http.client.HTTPException) as error:
        return f"failed: {type(error).__name__}", True


if __name__ == "__main__":
    sys.exit(main())
