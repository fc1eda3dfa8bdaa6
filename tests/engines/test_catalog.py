"""The datasets: their names and their classes."""

import pytest

from engines.catalog import DATASETS


@pytest.mark.parametrize("dataset", DATASETS.values(), ids=DATASETS.keys())
def test_every_dataset_has_ten_classes_by_different_names(dataset):
    assert len(set(dataset.class_names)) == 10


def test_fashion_mnists_classes_stand_in_the_order_of_its_labels():
    assert DATASETS["fashion-mnist"].class_names == (
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
