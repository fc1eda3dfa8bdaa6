"""What surrounds the launcher's form: the machine, the chosen model and dataset, runs made before, what Enter does."""

import time
from pathlib import Path

from textual import events
from textual.geometry import Size

from engines.catalog import DATASETS, FRAMEWORK_TITLES
from engines.models import find_model
from engines.run_reader import ALIVE
from engines.runs import RunSummary
from tui import formats
from tui.choice_lines import image_lines, model_lines, run_line
from tui.choices import Choices
from tui.dataset_look import DatasetLook
from tui.digits import ImageStyle, next_style
from tui.headings import titled
from tui.lines import Line, justify, shorten, width_of, wrap
from tui.machine import Machine
from tui.messages import RunChosen, RunsChosen
from tui.streams import output_encoding
from tui.widgets.picture import Picture

TALL = 36
"""Lines of a screen on which each of several GPUs has one of its own."""

LOWEST_IMAGE = 4
"""Lines, its name's among them, below which an image would show nothing."""


class Heading(Picture):
    """The program's name and the machine; on the right, whether runs are alive; below, what has to be said."""

    DEFAULT_CSS = "Heading { height: auto; }"

    def __init__(self, notice: str) -> None:
        super().__init__()
        self._machine: Machine | None = None
        self._alive_count = self._waiting_count = 0
        self._notice = notice

    def show(self, machine: Machine, alive_count: int, waiting_count: int) -> None:
        """Show what the machine is and how many runs are alive, and wait for their turn."""
        lines_before = len(self._gpu_lines())
        self._machine, self._alive_count, self._waiting_count = machine, alive_count, waiting_count
        if len(self._gpu_lines()) != lines_before:
            self.refresh(layout=True)
        self.redraw()

    def say(self, notice: str) -> None:
        """Show `notice`, in as many lines as it takes."""
        if notice != self._notice:
            self._notice = notice
            self.refresh(layout=True)
            self.redraw()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Give one line, and those of the GPUs and of the notice."""
        return 1 + len(self._gpu_lines()) + len(self._notice_lines(width))

    def draw(self, width: int, height: int) -> list[Line]:
        """Give the first line, on a tall screen each GPU with its users, and the notice."""
        name: Line = [("mnist-tui", "chosen"), ("  ", "text")]
        alive: Line = []
        if self._alive_count:
            runs = "1 run is alive" if self._alive_count == 1 else f"{self._alive_count} runs are alive"
            waiting = f", {self._waiting_count} waiting" if self._waiting_count else ""
            alive = [(f"{runs}{waiting}: ", "warning"), ("a", "key"), (" opens", "muted")]
        room = width - width_of(name) - width_of(alive) - 1
        gpus = self._gpu_lines()
        machine = self._machine.lines()[-1] if self._machine and gpus else self._machine and self._machine.summary()
        first = justify([*name, (_shortened(machine or "", room), "muted")], alive, width)
        return [
            first,
            *([(line, "muted")] for line in gpus),
            *([(line, "warning")] for line in self._notice_lines(width)),
        ]

    def _gpu_lines(self) -> list[str]:
        is_tall = self.app.size.height >= TALL
        return self._machine.lines()[:-1] if self._machine and len(self._machine.gpus) > 1 and is_tall else []

    def _notice_lines(self, width: int) -> list[str]:
        return wrap(self._notice, width) if self._notice else []


def _shortened(line: str, room: int) -> str:
    return line if len(line) <= room else wrap(line, room)[0] if room > 0 else ""


class ModelPane(Picture):
    """The layers of the chosen model, in the framework that is chosen."""

    def __init__(self) -> None:
        super().__init__()
        self._model, self._framework, self._version = "", "", ""

    def show(self, model: str, framework: str, version: str) -> None:
        """Show `model` in `framework`, of which we know in a word what is installed."""
        self._model, self._framework, self._version = model, framework, version
        self.redraw()

    def draw(self, width: int, height: int) -> list[Line]:
        """Give a heading, the layers, and in words what model it is where there is room."""
        if not self._model:
            return []
        model = find_model(self._model)
        if model is None:
            return []
        title = f"{model.name} in {FRAMEWORK_TITLES[self._framework]} {self._version}".strip()
        layers = model_lines(model, self._framework, width) if model.torch_layers else []
        lines = [titled([(title, "title")], width), *layers]
        described = [[(line, "muted")] for line in wrap(model.summary, width)]
        return [*lines, *described] if len(lines) + len(described) <= height else lines


class ImagesPane(Picture):
    """The chosen dataset: how many images, where they are, and the first of them."""

    def __init__(self, choices: Choices) -> None:
        super().__init__()
        self._dataset = ""
        self._look: DatasetLook | None = None
        self._choices = choices

    def show(self, dataset: str, look: DatasetLook | None) -> None:
        """Show `dataset` and what is known of it; None while it is being looked for."""
        if (dataset, look) != (self._dataset, self._look):  # Drawing the images takes longer than a key should.
            self._dataset, self._look = dataset, look
            self.redraw()

    def step_style(self) -> None:
        """Show the images in the next style, and remember it."""
        self._choices.image_style = next_style(self._style)
        self.redraw()

    @property
    def _style(self) -> ImageStyle:
        return self._choices.style_of_images(ascii_only=output_encoding() == "ascii")

    def draw(self, width: int, height: int) -> list[Line]:
        """Give a heading and the images, or why there are none."""
        if not self._dataset:
            return []
        dataset = DATASETS[self._dataset]
        sizes = f" {formats.count(dataset.train_size)} + {formats.count(dataset.test_size)} images · "
        summary = self._look.summary if self._look else "looking for it ..."
        room = width - len(dataset.title) - len(sizes)
        shown = summary if len(summary) <= room else f"{summary[: room - 1]}…"
        place: Line = [(shown, "muted" if not self._look or self._look.state == "here" else "warning")]
        heading = titled([(dataset.title, "title"), (sizes, "muted"), *place], width)
        if self._look and self._look.images and height > LOWEST_IMAGE:
            return [heading, *image_lines(self._look.images, dataset.class_names, self._style, width, height - 1)]
        classes = f"Ten classes: {', '.join(dataset.class_names)}."
        return [heading, [], *([(f"  {line}", "muted")] for line in wrap(classes, width - 4))]


class RecentRuns(Picture):
    """The newest runs, as many as there is room for; a click opens one, on the title the table."""

    def __init__(self) -> None:
        super().__init__()
        self._runs: list[RunSummary] = []
        self._empty = "reading ..."

    def show(self, runs: list[RunSummary], empty: str) -> None:
        """Show `runs`, newest first; where there are none, what `empty` says of that."""
        self._runs, self._empty = runs, empty
        self.redraw()

    def on_click(self, event: events.Click) -> None:
        """Open the run, or the table."""
        if event.y == 0:
            self.post_message(RunsChosen())
        elif event.y <= len(self._runs):
            run = self._runs[event.y - 1]
            if run.state == "queued":
                self.notify("It waits for its turn.", title=run.run_id, markup=False)
            else:
                self.post_message(RunChosen(Path(run.directory)))

    def draw(self, width: int, height: int) -> list[Line]:
        """Give a heading and a line for each run."""
        heading = titled([("r", "key"), (" Runs", "title")], width)
        if not self._runs:
            return [heading, [(self._empty, "muted")]]
        return [heading, *(run_line(run, time.time(), width) for run in self._runs[: height - 1])]


class StartBar(Picture):
    """What Enter does now, or why it cannot; a click does it."""

    DEFAULT_CSS = "StartBar { height: auto; max-height: 3; }"

    def __init__(self) -> None:
        super().__init__()
        self._call, self._more, self._problem, self._aside, self._warning = "", "", "", "", ""

    def show(self, *, call: str = "", more: str = "", problem: str = "", aside: str = "", warning: str = "") -> None:
        """Show what a start would do (`call`, and as much of `more` as there is room for), or what is wrong.

        Beside it stands what speaks against it, or else `aside`.
        """
        if problem != self._problem:
            self.refresh(layout=True)
        self._call, self._more, self._problem, self._aside, self._warning = call, more, problem, aside, warning
        self.redraw()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Give one line, or as many as the problem takes."""
        return len(self._problem_lines(width)) or 1

    async def on_click(self) -> None:
        """Start, as Enter does."""
        await self.run_action("screen.start")

    def draw(self, width: int, height: int) -> list[Line]:
        """Give one line, or those of the problem."""
        if self._problem:
            return [[(line, "wrong")] for line in self._problem_lines(width)]
        beside = (self._warning, "warning") if self._warning else (self._aside, "muted")
        return [justify(self._call_line(width), [beside], width)]

    def _call_line(self, width: int) -> Line:
        room = max(width - width_of([(self._warning, "warning")]) - 1, width_of([(f" {self._call} ", "call")]))
        return shorten([(f" {self._call}{self._more} ", "call")], min(width, room if self._warning else width))

    def _problem_lines(self, width: int) -> list[str]:
        return wrap(self._problem, width) if self._problem else []


def count_alive(runs: list[RunSummary]) -> int:
    """Give how many of `runs` have a worker."""
    return sum(run.state in ALIVE for run in runs)


def count_waiting(runs: list[RunSummary]) -> int:
    """Give how many of `runs` wait for their turn."""
    return sum(run.state == "queued" for run in runs)
