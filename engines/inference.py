"""The process that a drawing is shown to: what the newest whole checkpoint of a run takes it for, in numpy.

`python -m engines.inference RUN_DIRECTORY` answers each question on stdin, see `inquiry`, and ends with it.
"""

import base64
import sys
from pathlib import Path

import msgspec
import numpy as np

from engines.catalog import IMAGE_SIZE
from engines.checkpoints import CheckpointStore
from engines.forward import ForwardPass
from engines.framing import frame
from engines.inquiry import Answer, Question
from engines.problems import CheckpointProblem, Problem, Unavailable
from engines.runs import read_spec


class Inference:
    """Answers for the run in `directory`, always from its newest whole checkpoint."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._spec = read_spec(directory)
        self._names: list[str] = []
        self._network: ForwardPass | None = None
        self._place = (0, 0)

    def answer(self, question: Question) -> Answer:
        """Say what the image is taken for, or why that cannot be said."""
        try:
            pixels = np.frombuffer(base64.b64decode(question.image, validate=True), np.uint8)
            image = pixels.reshape(IMAGE_SIZE, IMAGE_SIZE)
        except ValueError as error:
            return Answer(problem=f"the question holds no image of 28 x 28: {error}.")
        try:
            network = self._newest_network()
        except Problem as problem:
            return Answer(problem=str(problem))
        seen = frame(image, self._spec.dataset if self._spec else "")
        probabilities = network.probabilities(seen).tolist()
        epoch, step = self._place
        text = base64.b64encode(seen.tobytes()).decode()
        return Answer(probabilities=probabilities, seen=text, epoch=epoch, step=step)

    def _newest_network(self) -> ForwardPass:
        if self._spec is None:
            raise Unavailable("this run has no spec.json that makes sense.")
        store = CheckpointStore(self._directory, self._spec)
        names = store.names()
        if self._network is None or names != self._names:
            try:
                newest = store.newest()
            except CheckpointProblem:
                # They may be replaced just now; what was loaded before still answers.
                if self._network is None:
                    raise
                return self._network
            if newest is None:
                raise Unavailable("there is no checkpoint yet: the first comes after an epoch.")
            manifest, state, _ = newest
            self._network = ForwardPass(self._spec, state)
            self._names, self._place = names, (manifest.epoch, manifest.step)
        return self._network


def main() -> int:
    """Answer until stdin ends."""
    inference = Inference(Path(sys.argv[1]))
    for line in sys.stdin.buffer:
        answer = inference.answer(msgspec.json.decode(line, type=Question))
        sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
        sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
