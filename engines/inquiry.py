"""What is asked of the process that a drawing is shown to, and what it answers: one JSON object a line each way."""

import msgspec


class Question(msgspec.Struct, frozen=True):
    """What is this? `image` is base64 of uint8, 28 x 28, 255 full ink."""

    image: str


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The probabilities of the ten classes, from the checkpoint after `step` of `epoch`.

    `seen` is the image as the network saw it, in the form of the question's. Where there is a `problem`, a line for a
    person, there is no answer.
    """

    probabilities: list[float] = []
    seen: str = ""
    epoch: int = 0
    step: int = 0
    problem: str = ""
