"""The command `mnist-tui`: what is asked for, who does it, and the exit code; no traceback leaves here."""

import os
import sys
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from traceback import walk_tb
from typing import Any, NoReturn

import click

from engines.problems import Problem, StorageProblem, UsageProblem
from tui import training, ui_log
from tui.options import folder_options, refuse_before_command, run_options, screen_options
from tui.streams import OutputRefused, end_streams, prepare_streams, say, write_out

PROGRAM = "mnist-tui"
INTERRUPTED_EXIT_CODE = 130


def main() -> NoReturn:
    """Run the command line of this process and end with its exit code."""
    os.umask(os.umask(0o077) & 0o077)  # What we and our workers make, we have to be able to use, whatever the mask.
    prepare_streams()
    code = run(sys.argv[1:])
    end_streams()
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Do what `arguments` ask for and give the exit code; whatever goes wrong has become one line on stderr."""
    try:
        with command_line.make_context(PROGRAM, list(arguments)) as context:
            return int(command_line.invoke(context) or 0)
    except click.exceptions.Exit as end:
        return end.exit_code
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED_EXIT_CODE
    except Exception as error:  # noqa: BLE001 - the last place that can turn a fault of ours into one line
        return _tell(error)


def _tell(error: Exception) -> int:
    match error:
        case BrokenPipeError() | OutputRefused(is_closed=True):
            return 0  # Whoever read stdout had enough, as `| head` has.
        case click.UsageError():
            problem: Problem = UsageProblem(_describe(error))
        case Problem():
            problem = error
        case OSError() if _is_from_click(error):
            problem = OutputRefused(error)
        case OSError():
            ui_log.record_crash(error)
            problem = StorageProblem(f"{error}.", f"The traceback is in {ui_log.path()}.")
        case _:
            problem = ui_log.record_crash(error)
    say(str(problem))
    return problem.exit_code


def _is_from_click(error: OSError) -> bool:
    """Tell whether it was raised where click prints: its help, which it writes to stdout by itself."""
    return any(frame.f_code is click.echo.__code__ for frame, _ in walk_tb(error.__traceback__))


def _describe(error: click.UsageError) -> str:
    if isinstance(error, click.BadParameter) and not isinstance(error, click.MissingParameter) and error.param:
        is_argument = isinstance(error.param, click.Argument)
        name = error.param.human_readable_name if is_argument else max(error.param.opts, key=len)
        return f"{name} {error.message}"
    command = error.ctx.command_path if error.ctx else PROGRAM
    return f"{error.format_message()} See `{command} --help`."


def _show_version(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        write_out(f"{PROGRAM} {version(PROGRAM)}\n")
        context.exit()


class CommandLine(click.Group):
    """Imports the subcommands once one is named, and says which there are when it is given one that there is not."""

    def list_commands(self, _context: click.Context, /) -> list[str]:
        """See click."""
        return [*self._commands]

    def get_command(self, _context: click.Context, name: str, /) -> click.Command | None:
        """See click."""
        return self._commands.get(name)

    def resolve_command(
        self, context: click.Context, arguments: list[str], /
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """See click."""
        if self.get_command(context, arguments[0]) is None and not arguments[0].startswith("-"):
            near = get_close_matches(arguments[0], self._commands, 1)
            guess = f" Did you mean `{near[0]}`?" if near else ""
            names = ", ".join(self._commands)
            context.fail(f"there is no command {arguments[0][:80]!r}; the commands are {names}.{guess}")
        return super().resolve_command(context, arguments)

    def invoke(self, context: click.Context, /) -> Any:  # noqa: ANN401 - click's own
        """See click, which does not say of which command it is that an option lacks its value."""
        try:
            return super().invoke(context)
        except click.UsageError as error:
            name = context.invoked_subcommand or ""
            if error.ctx is None and (command := self.get_command(context, name)):
                error.ctx = click.Context(command, context, name)
            raise

    @property
    def _commands(self) -> Mapping[str, click.Command]:
        from tui.commands import COMMANDS  # The app's first frame needs none of them.

        return {command.name: command for command in COMMANDS if command.name}


@click.group(cls=CommandLine, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@run_options
@click.option(
    "--continue-from",
    metavar="RUN",
    help="Go on with this run from its last checkpoint; --epochs and --budget then say how much more.",
)
@screen_options
@folder_options
@click.option("--start", is_flag=True, help="Start that run at once and show it.")
@click.option("--no-ui", is_flag=True, help="Train without a screen.")
@click.option("--json", "as_json", is_flag=True, help="With --no-ui: print the events, one JSON object a line.")
@click.option("--detach", is_flag=True, help="With --no-ui: start the run, print its id and leave.")
@click.option("--queue", is_flag=True, help="With --no-ui: have it begin when its turn comes, print its id, leave.")
@click.option("-v", "--verbose", is_flag=True, help="With --no-ui: phase times and the table of parameters too.")
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version, help="Show it.")
@click.pass_context
def command_line(context: click.Context, /, **values: Any) -> int:  # noqa: ANN401 - as many types as options
    """Train image classifiers in PyTorch and TensorFlow, and watch them learn.

    Without a command the app opens, its form filled in as the options say. RUN is a run's id, any unambiguous beginning
    of one, or `last`.
    """
    if context.invoked_subcommand:
        refuse_before_command(context)
        return 0
    return training.train(context, values)
