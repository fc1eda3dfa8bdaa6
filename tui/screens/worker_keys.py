"""The keys that ask something of a run's worker, or have the run go on once that is gone."""

from math import inf
from pathlib import Path
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.screen import Screen

from engines import control
from engines.problems import Problem
from tui.continuation import continuation_of
from tui.messages import ContinuationChosen
from tui.screens.confirm import ConfirmScreen
from tui.view import View
from tui.watch import Watch

FOR_A_WORKER = frozenset({"stop", "pause", "checkpoint", "scale_rate"})
TO_GO_ON = frozenset({"go_on", "more_epochs"})
_CHECKPOINT_OR_CONTINUE = "save a checkpoint; after the end: continue"


class WorkerKeys(Screen[None]):
    """A screen of a run: a subclass gives its `directory`, how it is `watched`, and the `view` of it that is shown."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "stop", "stop", tooltip="stop the run with a checkpoint"),
        Binding("p", "pause", "pause", tooltip="pause the run, or have it go on"),
        Binding("c", "checkpoint", "checkpoint", tooltip=_CHECKPOINT_OR_CONTINUE),
        Binding("c", "go_on", "continue", tooltip=_CHECKPOINT_OR_CONTINUE),
        Binding(
            "plus,equals_sign",
            "scale_rate(2)",
            "rate up",
            key_display="+",
            show=False,
            tooltip="twice the learning rate",
        ),
        Binding("minus", "scale_rate(0.5)", "rate down", key_display="-", show=False, tooltip="half the learning rate"),
        Binding(
            "E",
            "more_epochs",
            "epochs more",
            show=False,
            tooltip="as many epochs more as you say, also after the end",
        ),
    ]
    directory: Path
    watched: Watch
    view: View | None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer each action only where there is a worker to do it, or none any more."""
        view = self.view
        if view is None or view.is_alive:
            return action != "go_on"
        return action not in FOR_A_WORKER and not (action in TO_GO_ON and view.is_gone)

    @work
    async def action_stop(self) -> None:
        """Stop the run with a checkpoint, once that is confirmed."""
        if await self.app.push_screen_wait(ConfirmScreen("Stop this run with a checkpoint? It can be continued.")):
            self.ask("stop")

    def action_pause(self) -> None:
        """Pause the run, or have it go on."""
        self.ask("resume" if self.watched.will_be_paused else "pause")

    def action_checkpoint(self) -> None:
        """Have a checkpoint saved now."""
        self.ask("checkpoint")

    def action_scale_rate(self, factor: float) -> None:
        """Have the run go on with its learning rate times `factor`."""
        rate = self.watched.coming_rate
        if rate is not None and 0 < (wanted := rate * factor) < inf and self.ask("lr", wanted):
            self.notify(f"learning rate {wanted:g} asked for", timeout=2)

    @work
    async def action_more_epochs(self) -> None:
        """Have the run train for more epochs than it was asked, or has done by its end, as many as are chosen."""
        from tui.screens.epochs_more import EpochsMoreScreen  # Its input field is nothing to wait for before.

        if self.view and not self.view.is_alive:
            if more := await self.app.push_screen_wait(EpochsMoreScreen(self.view.state.epochs_done)):
                self.post_message(ContinuationChosen(self.directory, more))
            return
        spec = self.watched.spec
        if spec is None or not self.watched.has_worker:
            self._miss_worker()
            return
        if spec.epochs is None:
            self.notify("Time alone ends this run; once it has ended, it can go on for epochs or seconds more.")
            return
        more = await self.app.push_screen_wait(EpochsMoreScreen(spec.epochs))
        if more and self.ask("epochs", more):
            self.notify(f"{more:,} more asked for: {spec.epochs + more:,} epochs in all", timeout=3)

    @work
    async def action_go_on(self) -> None:
        """Go on with the run, past its end where it is there, once that is confirmed."""
        view = self.view
        if view is None or view.spec is None:
            return
        is_completed = view.status == "completed"
        more, how = continuation_of(self.directory, view.spec, view.state.epochs_done, is_completed=is_completed)
        if await self.app.push_screen_wait(ConfirmScreen(f"Continue this run {how}?")):
            self.post_message(ContinuationChosen(self.directory, more))

    def ask(self, action: control.Action, value: float | None = None) -> bool:
        """Ask something of the run's worker; False where there is none, or it cannot be told, which is said."""
        try:
            is_asked = self.watched.ask(action, value)
        except Problem as problem:
            self.notify(problem.hint, title=problem.message, severity="error", markup=False)
            return False
        if not is_asked:
            self._miss_worker()
        return is_asked

    def _miss_worker(self) -> None:
        # It may have ended since the key was offered, or while a question was open.
        self.notify("A run that has ended goes on with c.", title="No worker is there to ask", timeout=4)
