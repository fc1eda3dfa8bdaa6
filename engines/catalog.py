"""The frameworks and datasets that can be chosen, as data: names, sizes, classes. No framework is imported."""

import msgspec

IMAGE_SIZE = 28
CLASS_COUNT = 10
FRAMEWORKS = ("torch", "tensorflow")
"""The frameworks that a person may choose; `rehearsal` is for tests and pictures and is not offered."""

FRAMEWORK_TITLES = {"torch": "PyTorch", "tensorflow": "TensorFlow", "rehearsal": "Rehearsal"}


class Dataset(msgspec.Struct, frozen=True):
    """A dataset by name: how many images it has and what its ten classes are called."""

    name: str
    title: str
    train_size: int
    test_size: int
    class_names: tuple[str, ...]


_DIGIT_NAMES = tuple(str(digit) for digit in range(CLASS_COUNT))
_FASHION_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)

DATASETS: dict[str, Dataset] = {
    dataset.name: dataset
    for dataset in (
        Dataset("mnist", "MNIST", 60_000, 10_000, _DIGIT_NAMES),
        Dataset("fashion-mnist", "Fashion-MNIST", 60_000, 10_000, _FASHION_NAMES),
        Dataset("digits", "Digits", 1_437, 360, _DIGIT_NAMES),
    )
}
