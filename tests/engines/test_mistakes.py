"""Which mistakes of an evaluation are told: the worst of all, some of each cell, each image once, never too many."""

import base64

import numpy as np
import pytest
from msgspec.structs import replace

from engines import mistakes
from engines.datasets import ImageData
from engines.engine import Evaluation
from engines.gallery import Gallery
from engines.mistakes import MOST_MISTAKES, WORST, WorstMistakes

SIZE = 4_000


def data_of(labels):
    images = np.zeros((len(labels), 28, 28), np.uint8)
    images[:, 0, 0], images[:, 0, 1] = np.arange(len(labels)) % 256, np.arange(len(labels)) // 256
    nothing = np.zeros(0, np.uint8)
    return ImageData(nothing.reshape(0, 28, 28), nothing, images, np.array(labels, np.uint8))


def evaluation_of(predictions, confidences):
    confusion = np.zeros((10, 10), np.int64)
    return Evaluation(1.0, 0.5, confusion, np.array(predictions, np.int64), np.array(confidences, np.float32))


def random_evaluation(seed, favoured=0.0):
    """Guesses at random; of a 0, which is often taken for a 1, most confidently where `favoured` is 1."""
    random = np.random.default_rng(seed)
    labels = np.arange(SIZE) % 10
    predictions = random.integers(0, 10, SIZE)
    confidences = random.random(SIZE) * 0.5
    confidences[(labels == 0) & (predictions == 1)] += favoured * 0.5
    return labels, evaluation_of(predictions, confidences)


def test_all_are_told_where_they_are_few_the_most_confident_first():
    found = WorstMistakes(data_of([3, 4, 5, 6])).found(evaluation_of([3, 9, 5, 0], [0.9, 0.6, 0.8, 0.7]), epoch=2)
    assert (found.epoch, found.count) == (2, 2)
    assert (found.indices, found.labels, found.predictions) == ([3, 1], [6, 4], [0, 9])
    assert found.confidences == pytest.approx([0.7, 0.6])


def test_of_many_the_worst_of_all_are_told_and_some_of_every_cell():
    labels, evaluation = random_evaluation(0, favoured=1.0)
    found = WorstMistakes(data_of(labels)).found(evaluation, 1)
    wrong = np.flatnonzero(evaluation.predictions != labels)
    by_confidence = wrong[np.argsort(-evaluation.confidences[wrong])]
    assert len(found.indices) == MOST_MISTAKES < found.count == len(wrong)
    assert found.indices[:WORST] == by_confidence[:WORST].tolist()
    assert {*zip(found.labels, found.predictions, strict=True)} == {(a, b) for a in range(10) for b in range(10)} - {
        (a, a) for a in range(10)
    }


def test_the_same_evaluation_gives_the_same_event():
    labels, evaluation = random_evaluation(1)
    assert WorstMistakes(data_of(labels)).found(evaluation, 1) == WorstMistakes(data_of(labels)).found(evaluation, 1)


def test_equal_confidences_are_in_the_order_of_the_images():
    found = WorstMistakes(data_of([0] * 5)).found(evaluation_of([1] * 5, [0.5] * 5), 1)
    assert found.indices == [0, 1, 2, 3, 4]


def test_a_confidence_that_is_no_number_comes_last():
    found = WorstMistakes(data_of([0] * 3)).found(evaluation_of([1] * 3, [np.nan, 0.1, 0.9]), 1)
    assert found.indices == [2, 1, 0]


def test_no_mistakes_at_all_are_told_as_such():
    found = WorstMistakes(data_of([1, 2])).found(evaluation_of([1, 2], [0.9, 0.9]), 1)
    assert (found.count, found.indices, found.images) == (0, [], "")


def test_each_image_comes_once_and_a_reader_has_that_of_every_mistake():
    gallery, teller, told = Gallery(), None, []
    for epoch in range(1, 4):
        labels, evaluation = random_evaluation(epoch)
        teller = teller or WorstMistakes(data_of(labels))
        event = teller.found(evaluation, epoch)
        told += event.image_indices
        gallery.apply_mistakes(event)
        assert [found.index for found in gallery.mistakes] == event.indices
        assert all(found.image[0] + 256 * found.image[1] == found.index for found in gallery.mistakes)
    assert len(told) == len(set(told))


def test_a_record_that_lacks_some_of_it_gives_the_rest():
    labels, evaluation = random_evaluation(4)
    found = WorstMistakes(data_of(labels)).found(evaluation, 1)
    gallery = Gallery()
    gallery.apply_mistakes(replace(found, images="", confidences=found.confidences[:3]))
    assert [(one.index, one.image) for one in gallery.mistakes] == [(index, None) for index in found.indices[:3]]


def test_however_long_an_attempt_is_its_images_are_bounded(monkeypatch):
    monkeypatch.setattr(mistakes, "MOST_IMAGES", 250)
    labels, first = random_evaluation(0)
    teller = WorstMistakes(data_of(labels))
    events = [teller.found(first, 1), *(teller.found(random_evaluation(seed)[1], seed) for seed in range(2, 9))]
    shown = {index for event in events for index in event.image_indices}
    assert len(shown) == 250
    assert all(set(event.indices) <= shown for event in events)
    assert sum(len(base64.b64decode(event.images)) for event in events) == 250 * 784


def test_a_cell_has_its_mistakes_and_another_attempt_drops_what_it_does_again():
    gallery = Gallery()
    gallery.apply_mistakes(WorstMistakes(data_of([4, 4, 9])).found(evaluation_of([9, 9, 4], [0.5, 0.7, 0.6]), 3))
    assert [found.index for found in gallery.in_cell(4, 9)] == [1, 0]
    assert gallery.in_cell(1, 7) == []
    gallery.begin_attempt(3)
    assert gallery.epoch == 3
    gallery.begin_attempt(2)
    assert (gallery.epoch, gallery.mistakes) == (None, [])
