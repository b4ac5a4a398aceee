import shlex
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from batchspec.render.filters import sh
from batchspec.render.shell import joined, text_fault, wrapped
from batchspec.render.symbolic import symbol

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)


def output(command_line: str) -> str:
    """What a command line prints when it is split and run without a shell, as Batch does."""
    done = subprocess.run(shlex.split(command_line), capture_output=True, timeout=20, check=False)
    return done.stdout.decode()


@given(st.lists(WORDS, max_size=4))
@settings(max_examples=25, deadline=None)
def test_any_words_survive_quoting_and_wrapping(words: list[str]) -> None:
    script = "import sys; sys.stdout.buffer.write('\\0'.join(sys.argv[1:]).encode())"
    command = " ".join([sh(sys.executable), "-c", sh(script), *map(sh, words)])
    assert output(wrapped(command, "linux")) == "\0".join(words)


def test_a_list_stops_at_the_first_failure() -> None:
    assert output(wrapped(joined(["echo one", "false", "echo two"], "linux"), "linux")) == "one\n"
    assert output(wrapped(joined(["echo one", "false | cat", "echo two"], "linux"), "linux")) == "one\n"


def test_heredocs_and_comments_in_a_list_end_where_they_end() -> None:
    commands = ["cat <<'END'\nit's {here}\nEND\n", "echo two # three", "echo four"]
    assert output(wrapped(joined(commands, "linux"), "linux")) == "it's {here}\ntwo\nfour\n"


def test_a_single_command_is_wrapped_once() -> None:
    assert wrapped("echo 'a' $X\n", "linux") == "/bin/bash -c 'echo '\"'\"'a'\"'\"' $X'"


def test_windows_takes_the_text_as_it_is() -> None:
    assert wrapped(joined(['dir "a b"', "exit /b 0"], "windows"), "windows") == 'cmd /c "dir "a b" && exit /b 0"'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("echo", None),
        (" \n", "is an empty command"),
        ("a\0", "holds a NUL character, which no command can"),
        ("x" * 131_072, "has 131,072 bytes, bash -c takes 131,071; upload a script and call it"),
    ],
)
def test_a_text_that_cannot_run_is_explained(text: str, expected: str | None) -> None:
    assert text_fault(text, "linux", {}) == expected


@pytest.mark.parametrize(
    ("commands", "expected"),
    [
        (["del x || echo none", "a & b", "exit /b 0"], "(del x || echo none) && (a & b) && exit /b 0"),
        (["if exist x del x", "@FOR %i in (1 2) do echo %i"], "(if exist x del x) && (@FOR %i in (1 2) do echo %i)"),
        (['echo (1) "a & b" ^& c', "iffy", "format x"], 'echo (1) "a & b" ^& c && iffy && format x'),
        (["a & b"], "a & b"),
    ],
)
def test_a_command_for_windows_keeps_to_itself(commands: list[str], expected: str) -> None:
    assert joined(commands, "windows") == expected


def test_windows_has_its_own_limits() -> None:
    assert text_fault("a\nb", "windows", {}) == "has several lines, which cmd cannot run; write a list under commands"
    assert text_fault("x" * 9000, "windows", {}) is not None


def test_a_secret_that_would_end_the_quotes_is_refused() -> None:
    text = f"login {sh(symbol('secret', 'token'))}"
    assert text_fault(text, "linux", {"token": "plain"}) is None
    fault = text_fault(text, "linux", {"token": "it's"})
    assert fault == "the secret 'token' holds a quote or a line break; pass it in environment_settings instead"
