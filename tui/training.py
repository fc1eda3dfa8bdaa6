"""`mnist-tui [RUN OPTIONS]`: a new run or the next attempt of one, on the screen or without."""

import gc
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engines import launch
from engines.catalog import DATASETS
from engines.launch import Worker
from engines.left_out import left_out
from engines.models import find_model
from engines.own_command import command
from engines.run_queue import RunQueue
from engines.runs import RunStore, read_spec
from engines.spec import RunSpec
from tui import choices, headless
from tui.interrupts import Interrupts
from tui.logout import WARNING, ends_at_logout
from tui.lookup import find_run
from tui.options import build_spec, check_same_run, data_dir, frame_rate, given_options, require_framework, run_store
from tui.streams import OutputRefused, give_up_stdout, say, tell_of_refusal, write_out
from tui.terminal import require_terminal

if TYPE_CHECKING:
    from tui.app import MnistTuiApp


def train(context: click.Context, values: Mapping[str, Any]) -> int:
    """Do what the options ask for and give the exit code; `values` are all options by their parameter's name."""
    given = given_options(context)
    _check_modes(context, values, given)
    if not values["no_ui"]:
        require_terminal()
        frame_rate(context)
    store = run_store(context)
    if values["continue_from"] is not None:
        return _go_on(store, {**values, "data_dir": data_dir(context)}, given)
    chosen = choices.Choices() if values["no_ui"] or values["start"] else choices.load()
    remembered = {name: value for name, value in chosen.run_options().items() if name not in given}
    if "budget" in given:
        remembered.pop("epochs", None)
    asked = {**values, **remembered}
    if values["no_ui"] or values["start"]:
        spec, reason = build_spec(asked, data_dir(context))
        require_framework(spec.framework)
    else:  # The launcher finds out by itself what is to be had: its first frame waits for no mirror.
        spec, reason = build_spec({**asked, "dataset": asked["dataset"] or "mnist"}, data_dir(context))
    if not values["no_ui"]:
        return open_app(store, spec, start=values["start"], notice=reason, keeps_dataset="dataset" in given)
    if reason:
        say(f"{reason}: training on {spec.dataset} instead.")
    if values["queue"]:
        return _queue(store, spec)
    return _without_screen(partial(launch.start, store, spec), values)


def open_app(
    store: RunStore,
    form: RunSpec,
    *,
    start: bool = False,
    attach: Path | None = None,
    replay: tuple[Path, float | None] | None = None,
    race: Sequence[Path] = (),
    notice: str = "",
    keeps_dataset: bool = False,
) -> int:
    """Open the app with its form filled in, and give the exit code.

    At once it `start`s that run, `attach`es to one, plays one again (`replay` has its directory and the speed), or
    shows several side by side: `race` has their directories.
    With `keeps_dataset` digits never takes the place of the form's dataset. Whoever calls has seen that there is a
    terminal, and can say what to do without one.
    """
    gc.disable()  # Until the first frame is drawn, when the app turns it on again; it would come 30 ms later.
    # Imported here: what has no screen should not wait for one. The app's event loop needs no TLS: 20 ms, 4 MB.
    with left_out("ssl"):
        import asyncio  # noqa: F401
    from tui.app import MnistTuiApp

    if not find_model(form.model) or form.dataset not in DATASETS:
        form = RunSpec()  # It is the spec of a run that another program made, or somebody changed.
    chosen = choices.load()
    app = MnistTuiApp(
        store,
        form,
        start=start,
        attach=attach,
        replay=replay,
        race=race,
        notice=notice,
        keeps_dataset=keeps_dataset,
        choices=chosen,
    )
    return show(app)


def show(app: "MnistTuiApp") -> int:
    """Show an app on the terminal, say how runs go on after it has ended, and give the exit code."""
    from tui.frame_pace import FramePace
    from tui.guard import run_app

    app.pace = FramePace(frame_rate(click.get_current_context()))
    code = run_app(app, app.pace, is_last=not app.HAS_WORK_AFTER)
    choices.save(app.choices)
    if app.farewell:
        _say_goodbye(app.farewell)
    if app.crash and code == app.crash.exit_code:
        say(str(app.crash))
    return code


def _say_goodbye(farewell: str) -> None:
    try:
        write_out(f"{farewell}\n")
    except OutputRefused:
        give_up_stdout()  # The terminal may be what ended the app.
    else:
        _warn_of_logout()


def _go_on(store: RunStore, values: Mapping[str, Any], given: Mapping[str, str]) -> int:
    directory = find_run(store, values["continue_from"])
    check_same_run(directory, values, given)
    spec = read_spec(directory) or RunSpec()
    require_framework(spec.framework)
    begin = partial(launch.go_on, directory, values["epochs"], more_seconds=values["budget"])
    if values["no_ui"]:
        return _without_screen(begin, values)
    worker = begin()
    code = open_app(store, spec, attach=directory)
    worker.process.poll()  # Reaped, where it has ended.
    return code


def _queue(store: RunStore, spec: RunSpec) -> int:
    """Print the id that the run will have once its turn comes."""
    run_id = RunQueue(store).add([spec])[0]
    try:
        write_out(f"{run_id}\n")
    except OutputRefused as refusal:
        tell_of_refusal(refusal, f"run {run_id} is queued; `{command(store.root, 'delete', run_id)}` takes it out.")
    _warn_of_logout()
    return 0


def _without_screen(begin: Callable[[], Worker], values: Mapping[str, Any]) -> int:
    with Interrupts() as interrupts:
        worker = begin()
        if values["detach"]:
            try:
                write_out(f"{worker.run_directory.name}\n")
            except OutputRefused as refusal:
                return headless.without_output(worker.run_directory, refusal)
            _warn_of_logout()
            return 0
        printer = headless.choose_printer(as_json=values["as_json"], verbose=values["verbose"])
        return headless.train(worker, printer, interrupts)


def _warn_of_logout() -> None:
    if ends_at_logout():
        say(WARNING)


def _check_modes(context: click.Context, values: Mapping[str, Any], given: Mapping[str, str]) -> None:
    """Refuse options that make no sense together."""
    if values["no_ui"] and values["start"]:
        raise click.UsageError("--start shows the run on the screen, and --no-ui has none: leave one out.", context)
    if values["as_json"] and values["detach"]:
        raise click.UsageError("--detach prints the run's id and --json its events: leave one out.", context)
    for name in ("as_json", "detach", "verbose", "continue_from"):
        if values["queue"] and name in given:
            raise click.UsageError(f"--queue only leaves an order for a new run: leave {given[name]} out.", context)
    for name in ("as_json", "detach", "verbose", "queue"):
        if values[name] and not values["no_ui"]:
            raise click.UsageError(f"{given[name]} goes with --no-ui: add it.", context)
