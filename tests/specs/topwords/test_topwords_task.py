"""The task script of the topwords workload, run as a node runs it, against a container that answers as it is told."""

import base64
import hashlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "specs" / "topwords" / "topwords_task.py"
SAS = "sv=2021-12-02&sr=c&sp=cw&sig=s3cr%2Ft%3D"
DEADLINE_S = 60


@dataclass
class Container:
    """A container behind a SAS: gives the `answers` in turn, the last one for ever, and keeps what it got."""

    server: ThreadingHTTPServer
    answers: list[int] = field(default_factory=lambda: [201])
    got: list[tuple[str, bytes, str | None, str | None]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/account/output?{SAS}"


@pytest.fixture
def container() -> Iterator[Container]:
    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            one.got.append((self.path, body, self.headers["x-ms-blob-type"], self.headers["Content-MD5"]))
            self.send_response(one.answers.pop(0) if len(one.answers) > 1 else one.answers[0])
            self.send_header("x-ms-error-code", "ErrorOfTheService")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        one = Container(server)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield one
        server.shutdown()
        thread.join(DEADLINE_S)


def run(cwd: Path, file: str, *options: str, sas_url: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), "--filepath", file, *options],
        cwd=cwd,
        env={"OUTPUT_CONTAINER_SAS_URL": sas_url, "LC_ALL": "C", "PYTHONUTF8": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=DEADLINE_S,
        check=False,
    )


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("The the THE a A b", "the,3\na,2\nb,1\n"),
        ("b a c b a c d", "a,2\nb,2\nc,2\n"),
        ("It's it’s IT'S its", "it's,3\nits,1\n"),
        ("'quoted' ’tis dogs' rock'n'roll", "dogs,1\nquoted,1\nrock'n'roll,1\n"),
        ("a1b2_c a-b", "a,2\nb,2\nc,1\n"),
        ("Ünder ünder U\N{COMBINING DIAERESIS}nder", "ünder,3\n"),
        ("भाषा भाषा Ελλάδα", "भाषा,2\nελλάδα,1\n"),
        ("\ufeffword m² ½ 12", "m,1\nword,1\n"),
        ("12 34 …", ""),
        ("", ""),
    ],
    ids=["case", "ties", "apostrophes", "quotes", "digits", "marks", "scripts", "not-letters", "no-words", "empty"],
)
def test_a_word_is_a_run_of_letters_with_apostrophes_inside(
    text: str, lines: str, container: Container, tmp_path: Path
) -> None:
    (tmp_path / "a text.txt").write_text(text, encoding="utf-8")

    done = run(tmp_path, "a text.txt", "--numwords", "3", sas_url=container.url)

    assert (done.returncode, done.stdout, done.stderr) == (0, lines, "")
    assert (tmp_path / "a text_OUTPUT.txt").read_text(encoding="utf-8") == lines
    md5 = base64.b64encode(hashlib.md5(lines.encode()).digest()).decode()
    assert container.got == [(f"/account/output/a%20text_OUTPUT.txt?{SAS}", lines.encode(), "BlockBlob", md5)]


def test_the_name_of_the_result_is_percent_encoded(container: Container, tmp_path: Path) -> None:
    (tmp_path / "a#b?c%d é'.v1.txt").write_text("word")

    done = run(tmp_path, "a#b?c%d é'.v1.txt", sas_url=container.url)

    assert (done.returncode, done.stderr) == (0, "")
    assert container.got[0][0] == f"/account/output/a%23b%3Fc%25d%20%C3%A9%27.v1_OUTPUT.txt?{SAS}"


def test_a_busy_service_is_asked_again(container: Container, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("word")
    container.answers = [503, 500, 201]

    done = run(tmp_path, "text.txt", sas_url=container.url)

    assert (done.returncode, done.stderr, len(container.got)) == (0, "", 3)


@pytest.mark.parametrize(
    ("status", "hint"),
    [
        (403, "; the SAS has expired, was revoked, or does not allow create and write"),
        (404, "; the container is gone"),
        (400, ""),
    ],
)
def test_a_refused_upload_is_told_once_and_without_the_sas(
    status: int, hint: str, container: Container, tmp_path: Path
) -> None:
    (tmp_path / "text.txt").write_text("word")
    container.answers = [status]

    done = run(tmp_path, "text.txt", sas_url=container.url)

    where = container.url.removeprefix("http://").split("?")[0]
    assert (done.returncode, len(container.got)) == (1, 1)
    assert done.stderr == (
        f"topwords_task.py: upload of text_OUTPUT.txt to {where} was refused: {status} ErrorOfTheService{hint}\n"
    )


def test_a_missing_setting_a_missing_text_and_a_wrong_number_are_told(container: Container, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("word")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9 ")

    where = "upload of text_OUTPUT.txt to local host/c"
    told = [
        run(tmp_path, "text.txt"),
        run(tmp_path, "none.txt", sas_url=container.url),
        run(tmp_path, "latin.txt", sas_url=container.url),
        run(tmp_path, "text.txt", "--numwords", "0", sas_url=container.url),
        run(tmp_path, "text.txt", sas_url=f"http://local host/c?{SAS}"),
    ]

    assert [one.returncode for one in told] == [1] * 5
    assert [one.stderr.removeprefix("topwords_task.py: ") for one in told] == [
        "the environment setting OUTPUT_CONTAINER_SAS_URL does not hold the SAS URL of a container\n",
        "cannot read none.txt: No such file or directory\n",
        "latin.txt is not UTF-8: byte 3 is 0xe9\n",
        "--numwords is 0; expected 1 or more\n",
        f"{where} is not possible: OUTPUT_CONTAINER_SAS_URL is not a valid URL\n",
    ]
    assert container.got == []
