"""Steps of training that need no more of the host than a word to begin: recorded once, on a CUDA GPU as one graph.

A step of a small network is tens of kernels of a few microseconds each, which a GPU does faster than Python asks for
them. A graph asks for all of them at once.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from engines.torch_adam import Adam
from engines.torch_feed import Feed
from engines.torch_operations import Moment
from engines.torch_pass import Pass

Step = Callable[[], None]
Recorder = Callable[[Step], Step]
"""Makes of what a step does on memory that stays what does the same again."""

_ROUNDING = 0.01

FEWEST_STEPS = 4
"""That an epoch is to have: recording takes as many."""


def recorder_for(device: torch.device) -> Recorder | None:
    """Give what records on `device`; None where steps are not recorded, as on a CPU, which waits for no host."""
    return (lambda step: _record_cuda_graph(step, device)) if device.type == "cuda" else None


class RecordedSteps:
    """Steps of whole batches; where in the epoch the next one is, is on the device too."""

    def __init__(self, feed: Feed, batch: Pass, adam: Adam, logits: Tensor, record: Recorder) -> None:
        self._feed, self._batch, self._adam, self._logits = feed, batch, adam, logits
        self._rows = torch.arange(feed.batch_size, device=logits.device)
        self._position = torch.zeros_like(self._rows[0])
        self._batch.draw(Moment(0, 0))
        with self._undone():
            self._replay = record(self._step)

    def run(self, first_step: int, rates: list[float], moment: Moment) -> None:
        """Do a step of the epoch at each of the `rates`, of which `moment` is that of the first."""
        self._position.fill_(first_step * self._feed.batch_size)
        for step, lr in enumerate(rates, moment.step):
            self._batch.draw(moment._replace(step=step))
            self._adam.set_learning_rate(lr)
            self._replay()

    def is_faithful(self) -> bool:
        """Tell whether what was recorded does what the step itself does, but for the rounding."""
        asked, replayed = self._moved_by(self._step), self._moved_by(self._replay)
        return bool((asked - replayed).norm() <= _ROUNDING * asked.norm())

    def _moved_by(self, step: Step) -> Tensor:
        # Not the weights: a first step of Adam is as long for a gradient that is nothing but rounding.
        with self._undone():
            step()
            return self._adam.exp_avg.clone()

    def _step(self) -> None:
        rows = self._rows + self._position
        self._batch.find_gradients(*self._feed.gather(self._feed.order.index_select(0, rows)))
        self._logits.index_copy_(0, rows, self._batch.logits)
        self._adam.step()
        self._position.add_(self._feed.batch_size)

    @contextmanager
    def _undone(self) -> Iterator[None]:
        adam = self._adam
        changed = (adam.values, adam.exp_avg, adam.exp_avg_sq, adam.steps, self._position)
        before = [tensor.clone() for tensor in changed]
        try:
            yield
        finally:
            for tensor, value in zip(changed, before, strict=True):
                tensor.copy_(value)


def record_steps(feed: Feed, batch: Pass, adam: Adam, logits: Tensor, record: Recorder) -> RecordedSteps | None:
    """Record steps of whole batches, of which `feed` is to have `FEWEST_STEPS` at least; `adam` stays as it is.

    Where the device cannot, or does other than it was told, say so on stderr, which is the run's log, and give None.
    """
    try:
        steps = RecordedSteps(feed, batch, adam, logits, record)
        if steps.is_faithful():
            return steps
        reason = "the recorded step gives other numbers"
    except RuntimeError as error:  # What CUDA and its libraries refuse has no other type.
        reason = str(error).partition("\n")[0]
    sys.stderr.write(f"Steps are asked for one operation at a time, not recorded as a graph: {reason}.\n")
    return None


def _record_cuda_graph(step: Step, device: torch.device) -> Step:
    with torch.cuda.device(device):
        current, aside = torch.cuda.current_stream(), torch.cuda.Stream()  # type: ignore[no-untyped-call]
        aside.wait_stream(current)
        try:
            # What libraries set up at their first calls cannot be recorded.
            with torch.cuda.stream(aside):
                for _ in range(FEWEST_STEPS - 1):
                    step()
        finally:
            current.wait_stream(aside)  # What is undone must not be done afterwards, be it that a step has failed.
        graph = torch.cuda.CUDAGraph()
        # The stream it records on is left again: by itself `torch.cuda.graph` does not where recording has failed.
        with torch.cuda.stream(current), torch.cuda.graph(graph):
            step()
    return graph.replay
