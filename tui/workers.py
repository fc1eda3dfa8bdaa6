"""The worker processes of an app: starts them, with a spare where one fits, and knows which runs go on without it."""

from collections.abc import Callable, Sequence
from pathlib import Path

from engines import launch
from engines.label import Label
from engines.launch import Spare, Worker
from engines.own_command import command
from engines.run_queue import RunQueue
from engines.run_reader import RunReader
from engines.runs import RunStore
from engines.spec import RunSpec
from tui.formats import counted
from tui.options import require_framework
from tui.warm_spare import WarmSpare


class Workers:
    """Starts runs in `store`; what blocks (`start`, `go_on`, `spare.adjust`) belongs into a thread."""

    def __init__(self, store: RunStore) -> None:
        self.spare = WarmSpare()
        self._store = store
        self._running: list[Worker] = []
        self._watched: list[Path] = []

    def start(self, spec: RunSpec) -> Worker:
        """Start a run of `spec`; raises the problems of `launch.start`."""
        return self._begin(lambda spare: launch.start(self._store, spec, spare))

    def go_on(self, directory: Path, more_epochs: int | None) -> Worker:
        """Start the next attempt of a run; raises the problems of `launch.go_on`."""
        return self._begin(lambda spare: launch.go_on(directory, more_epochs, spare=spare))

    def race(self, specs: Sequence[RunSpec], *, beside: bool) -> list[Path]:
        """Start a run of each spec, `beside` all at once, else as the queue has it, and give their directories.

        Raises `Unavailable` where a framework is missing, before any is started, and the problems of `launch.start`.
        """
        for spec in specs:
            require_framework(spec.framework)
        if beside:
            return [self.start(spec).run_directory for spec in specs]
        return self.queue(specs, Label(tags=("race",)))

    def queue(self, specs: Sequence[RunSpec], label: Label | None = None) -> list[Path]:
        """Have runs begin when their turn comes, and give the directories that they will have.

        Raises the problems of `RunQueue.add`.
        """
        directories = [self._store.root / run_id for run_id in RunQueue(self._store).add(specs, label)]
        for directory in directories:
            self.watch(directory)
        return directories

    def watch(self, directory: Path) -> None:
        """Remember that a person saw this run."""
        if directory not in self._watched:
            self._watched.append(directory)

    def reap(self) -> None:
        """Take note of workers that ended, so that none stays a zombie."""
        self._running = [worker for worker in self._running if worker.process.poll() is None]

    def farewell(self) -> str:
        """Say which of the runs that a person saw or queued go on, and how to see them again; empty where none does."""
        alive = [directory.name for directory in self._watched if RunReader(directory).has_worker()]
        orders = {order.run_id for order in RunQueue(self._store).orders()}
        waiting = len([directory for directory in self._watched if directory.name in orders - {*alive}])
        if not alive and not waiting:
            return ""
        if waiting or len(alive) > 1:
            words = [f"{counted(len(alive), 'run')} {'goes' if len(alive) == 1 else 'go'} on"] if alive else []
            words += (
                [f"{counted(waiting, 'run')} {'waits' if waiting == 1 else 'wait'} in the queue"] if waiting else []
            )
            return f"{', '.join(words)}; list them with: {command(self._store.root, 'runs')}"
        return f"Run {alive[0]} goes on; watch it with: {command(self._store.root, 'attach', alive[0])}"

    def _begin(self, launch_with: Callable[[Spare | None], Worker]) -> Worker:
        worker = launch_with(self.spare.take())
        # Noted here, in the thread: whoever leaves meanwhile is still told that this run goes on.
        self._running.append(worker)
        self.watch(worker.run_directory)
        return worker
