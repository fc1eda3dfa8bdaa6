"""The training loop on an engine whose every number is known beforehand, with requests that come as written."""

from collections import deque

import numpy as np

from engines.checkpoints import CheckpointStore, Progress
from engines.control import Request
from engines.datasets import ImageData
from engines.engine import Evaluation
from engines.mistakes import WorstMistakes
from engines.problems import NonFiniteLoss, StorageProblem
from engines.sample_images import SampleImages
from engines.spec import RunSpec
from engines.training_loop import TrainingLoop

TRAIN_SIZE, BATCH_SIZE = 70, 8
STEPS = 9  # the last of them with six images

DATA = ImageData(
    train_images=np.zeros((TRAIN_SIZE, 28, 28), np.uint8),
    train_labels=np.zeros(TRAIN_SIZE, np.uint8),
    test_images=np.zeros((20, 28, 28), np.uint8),
    test_labels=np.arange(20, dtype=np.uint8) % 10,
)


class ScriptedEngine:
    """Loses 1/n at its n-th step, gets half of each batch right, and gets better by a tenth with each epoch."""

    def __init__(self):
        self.done = 0
        self.rates = []
        self.orders = []
        self.accuracies = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]
        self.held_out_accuracies = []
        self.told = {}
        self.losses = {}
        self.copies = 0

    def begin_epoch(self, order):
        self.orders.append(order)

    def train(self, first_step, step_count, rates):
        self.rates += rates.tolist()
        for step in range(first_step, first_step + step_count):
            self.done += 1
            size = min(BATCH_SIZE, TRAIN_SIZE - step * BATCH_SIZE)
            self.told[step] = (self.losses.get(self.done, 1 / self.done), size // 2)

    def read_steps(self, first_step, step_count):
        losses, right = zip(*(self.told[first_step + step] for step in range(step_count)), strict=True)
        return np.array(losses), np.array(right)

    def gradient_norm(self, step):
        return 123.0

    def evaluate(self, split):
        accuracies = self.held_out_accuracies if split == "validation" else self.accuracies
        accuracy = accuracies[len(self.orders) - 1]
        return Evaluation(
            1.0, accuracy, np.zeros((10, 10), np.int64), np.zeros(20, np.int64), np.linspace(0, 1, 20, dtype=np.float32)
        )

    def predict(self, split, indices):
        return np.full((len(indices), 10), 0.1, np.float32)

    def state(self):
        self.copies += 1
        return {"model/weight": np.array([self.losses.get("weights", self.done)], np.float32)}


class ScriptedRequests:
    """Gives each request once its time has come, counted in looks."""

    def __init__(self, *timed):
        self.timed = deque(timed)
        self.looks = 0

    def take(self):
        self.looks += 1
        if self.timed and self.timed[0][0] <= self.looks:
            return self.timed.popleft()[1]
        return None


def request(action, value=None):
    return Request(id=f"id-of-{action}", action=action, value=value, by="ann")


class Trained:
    """A loop that has run, with all that it wrote."""

    def __init__(
        self,
        directory,
        *,
        engine=None,
        requests=(),
        progress=None,
        chunk=None,
        batch_events=0,
        disk_is_full=False,
        **asked,
    ):
        self.engine = engine or ScriptedEngine()
        self.events = []
        self.requests = ScriptedRequests(*requests)
        self.spec = RunSpec(**{"epochs": 2, "batch_size": BATCH_SIZE, **asked})
        self.kept = []
        self.disk_is_full = disk_is_full
        directory.mkdir()
        self.store = CheckpointStore(directory, self.spec)
        self.loop = TrainingLoop(
            engine=self.engine,
            samples=SampleImages(DATA),
            mistakes=WorstMistakes(DATA),
            train_size=TRAIN_SIZE,
            spec=self.spec,
            progress=progress or Progress(lr=self.spec.lr),
            checkpoints=self.store,
            requests=self.requests,
            write=self.events.append,
            keep_spec=self.keep,
            batch_events=batch_events,
        )
        if chunk is not None:
            self.loop._plan.pace.learn = lambda steps, seconds: None
            self.loop._plan.pace.steps = chunk
        self.error = None
        try:
            self.outcome = self.loop.run()
        except NonFiniteLoss as error:
            self.error = error

    def keep(self, spec):
        if self.disk_is_full:
            raise StorageProblem("cannot write to there: No space left on device.")
        self.kept.append(spec)

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]
