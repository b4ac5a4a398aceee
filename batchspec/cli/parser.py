"""The command line: what all commands have in common, and words become what a command is given.

Place in the pipeline: `main` parses with it; what each command takes is in `options`. In: words. Out: an
`argparse.Namespace`, or UsageError with one line. It knows no command's code, so that `--help` imports nothing.

Decisions: options that mean the same everywhere (`--var`, `--target`, `-q` ...) may stand before or after the command;
abbreviations of options are not accepted, since a new option would change what they mean.
"""

import argparse
import difflib
from collections.abc import Sequence
from typing import NoReturn

from batchspec import __version__
from batchspec.cli import phrases
from batchspec.cli.options import COMMANDS, Command
from batchspec.errors import UsageError

DESCRIPTION = "Run parallel workloads on Azure Batch from one YAML file, on Azure or on this machine."

EXIT_CODES = """\
exit codes:
  0 done; 1 refused by the service, unreachable, or local I/O failed; 2 usage or invalid spec; 3 tasks failed;
  4 timed out; 5 plan --detailed-exitcode found changes, or render --check a difference; 6 refused, nothing changed;
  70 a bug; 130 interrupted"""


class _Parser(argparse.ArgumentParser):
    """Raises UsageError instead of printing and exiting."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.prog}: {phrases.harmless(message)}", fix=f"see: {self.prog} --help")


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Parse a command line. Raises UsageError; SystemExit(0) after `--help` and `--version` have printed."""
    parser, commands = _parsers(words)
    found, left = parser.parse_known_args(list(words))
    if found.command is None:
        known = ", ".join(commands)
        raise UsageError(f"which command? One of {known}", fix="see: batchspec --help")
    if found.command == "engine" and found.action != "fault":
        left, found.words = [*found.words, *left], []
    names = [word for word in left if not word.startswith("-")]
    options = [word for word in left if word.startswith("-")]
    if options or not _takes_more(found, names):
        name = f"{found.command} {found.action}" if found.command == "engine" else found.command
        raise _unknown(commands[found.command], name, (options or names)[0])
    if found.command == "apply" and found.spec is None and found.plan is None:
        raise UsageError(
            "batchspec apply: which spec? Expected SPEC, or --plan FILE", fix="see: batchspec apply --help"
        )
    found.variables = (*(found.variables_before or ()), *(found.variables or ()))
    found.files = (*(found.files_before or ()), *(found.files or ()))
    return found


def _takes_more(found: argparse.Namespace, names: list[str]) -> bool:
    """Whether the command takes these names, which argparse 3.11 leaves when options stand between names."""
    if names and found.command == "validate":
        found.specs += names
        return True
    if names and found.command == "engine" and found.action == "fault":
        found.words += names
        return True
    if len(names) == 1 and found.command == "apply" and found.spec is None:
        found.spec = names[0]
        return True
    if len(names) == 1 and found.command == "logs" and found.task is None:
        found.task = names[0]
        return True
    return not names


def _unknown(parser: argparse.ArgumentParser, command: str, word: str) -> UsageError:
    option = word.partition("=")[0]
    text = f"batchspec {command}: {'unknown option' if word.startswith('-') else 'unexpected argument'} {option}"
    near = difflib.get_close_matches(option, parser._option_string_actions, 1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return UsageError(phrases.harmless(text) + hint, fix=f"see: batchspec {command} --help")


def _parsers(words: Sequence[str]) -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    """The parser and those of the commands; the options of commands that `words` do not name are left out: it costs."""
    parser = _Parser(
        prog="batchspec",
        description=DESCRIPTION,
        epilog=EXIT_CODES,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"batchspec {__version__}")
    _add_shared(parser, before=True)
    parser.set_defaults(variables=None, files=None)
    commands: dict[str, argparse.ArgumentParser] = {}
    group = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    for command in COMMANDS:
        commands[command.name] = _add_command(group, command)
        if command.name in words:
            _add_shared(commands[command.name], before=False)
            command.build(commands[command.name])
    return parser, commands


def _add_command(group: "argparse._SubParsersAction[_Parser]", command: Command) -> argparse.ArgumentParser:
    return group.add_parser(
        command.name,
        help=command.summary,
        description=command.summary[0].upper() + command.summary[1:] + ".",
        epilog="examples:\n" + "\n".join(f"  {example}" for example in command.examples),
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _add_shared(parser: argparse.ArgumentParser, *, before: bool) -> None:
    """The options of every command. Those given before the command have their own place: argparse would drop them."""
    later = "_before" if before else ""
    default = None if before else argparse.SUPPRESS
    group = parser.add_argument_group("options of every command")
    group.add_argument(
        "--var", dest=f"variables{later}", action="append", metavar="NAME=VALUE", help="set a variable of the spec"
    )
    group.add_argument(
        "--var-file", dest=f"files{later}", action="append", metavar="FILE", help="variables from a YAML or JSON file"
    )
    group.add_argument(
        "--target",
        choices=("local", "azure"),
        default=default,
        help="where to run: the local engine, or Azure by the AZURE_BATCH_* and AZURE_STORAGE_* variables",
    )
    group.add_argument(
        "--allow-outside",
        action="store_true",
        default=False if before else argparse.SUPPRESS,
        help="let the spec read files outside its git repository (or its folder, where there is none)",
    )
    group.add_argument(
        "--allow-large",
        action="store_true",
        default=False if before else argparse.SUPPRESS,
        help="let the spec take as long to render as it does, also when its templates cost much more than usual",
    )
    group.add_argument(
        "-q",
        "--quiet",
        action="store_true",
        default=False if before else argparse.SUPPRESS,
        help="only results and errors",
    )
    group.add_argument(
        "-v",
        "--verbose",
        action="store_true",
        default=False if before else argparse.SUPPRESS,
        help="show every request",
    )
