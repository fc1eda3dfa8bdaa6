"""Passes of a network, forward and backward by hand, beside what autograd makes of the article's layers."""

import pytest
import torch
from article_networks import article_forward, without_dropout
from noisy_shapes import draw_dataset
from torch import Tensor

from engines.architecture import Conv, Dense, Dropout, Flatten, MaxPool
from engines.datasets import ImageData
from engines.models import ARTICLE_MODELS
from engines.torch_network import Network
from engines.torch_operations import Moment


@pytest.fixture(scope="module")
def data() -> ImageData:
    return draw_dataset(7, 7)


GRADIENT_CASES = {
    **{f"{name}-torch": model.torch_layers for name, model in ARTICLE_MODELS.items()},
    **{f"{name}-tensorflow": model.tensorflow_layers for name, model in ARTICLE_MODELS.items()},
    "odd-sides": (Conv(4, 4), MaxPool(), Conv(5, 3, padding=1), MaxPool(), Conv(3, 2), MaxPool(), Flatten(), Dense(10)),
    "no-first-pool": (Conv(4, 3), Conv(5, 5, padding=1), MaxPool(), Flatten(), Dense(10, relu=False)),
}


@pytest.mark.parametrize("layers", GRADIENT_CASES.values(), ids=GRADIENT_CASES.keys())
def test_backward_by_hand_gives_autograds_gradients(layers, data):
    layers = tuple(layer for layer in layers if not isinstance(layer, Dropout))
    network = Network(layers, 0, torch.device("cpu"))
    images = torch.from_numpy(data.train_images[:7]).unsqueeze(1) / 127.5 - 1
    weights = {name: tensor.clone().requires_grad_() for name, tensor in network.weights.items()}
    logits = article_forward(layers, weights, images)
    direction = torch.randn(logits.shape)
    expected = torch.autograd.grad(logits, list(weights.values()), direction)
    batch = network.pass_of(len(images))
    torch.testing.assert_close(batch.forward(images), logits.detach(), rtol=1e-5, atol=1e-5)
    batch.gradient.copy_(direction)
    batch.backward()
    for (name, gradient), wanted in zip(network.named(network.gradients).items(), expected, strict=True):
        torch.testing.assert_close(
            gradient, wanted, rtol=1e-4, atol=1e-4, msg=lambda text, name=name: f"{name}: {text}"
        )


@pytest.mark.parametrize("layers", GRADIENT_CASES.values(), ids=GRADIENT_CASES.keys())
def test_products_in_bfloat16_give_nearly_the_same_gradients(layers, data):
    layers = tuple(layer for layer in layers if not isinstance(layer, Dropout))
    images = torch.from_numpy(data.train_images[:7]).unsqueeze(1) / 127.5 - 1
    exact, rounded = (Network(layers, 0, torch.device("cpu"), dtype) for dtype in (torch.float32, torch.bfloat16))
    logits, rounded_logits = (network.pass_of(7).forward(images) for network in (exact, rounded))
    torch.testing.assert_close(rounded_logits, logits, rtol=0.05, atol=0.02)
    assert not torch.equal(rounded_logits, logits)
    direction = torch.randn(logits.shape)
    for network in (exact, rounded):
        network.pass_of(7).gradient.copy_(direction)
        network.pass_of(7).backward()
    for (name, found), wanted in zip(
        rounded.named(rounded.gradients).items(), exact.named(exact.gradients).values(), strict=True
    ):
        # A maximum that falls to a neighbour moves more than the rounding itself.
        assert (found - wanted).norm() < 0.2 * wanted.norm(), name


def test_dropout_drops_its_share_and_keeps_the_mean():
    network = Network((Flatten(), Dense(10, relu=False), Dropout(0.2)), 0, torch.device("cpu"))
    images = torch.ones(1_000, 1, 28, 28)

    def forward(*moment: int) -> Tensor:
        batch = network.pass_of(len(images))
        if moment:
            batch.draw(Moment(*moment))
        return batch.forward(images, is_training=bool(moment)).clone()

    kept = forward(0, 3) / forward()
    assert (kept == 0).float().mean().item() == pytest.approx(0.2, abs=0.02)
    assert kept.mean().item() == pytest.approx(1, abs=0.02)
    assert not torch.equal(forward(0, 3), forward(0, 4))
    assert not torch.equal(forward(0, 3), forward(1, 3))
    assert torch.equal(forward(0, 3), forward(0, 3))


def test_masks_that_are_drawn_together_are_those_of_their_step_in_any_order():
    images = torch.ones(4, 1, 28, 28)

    def forward(*steps: int) -> dict[int, Tensor]:
        network = Network((Flatten(), Dense(10, relu=False), Dropout(0.5)), 0, torch.device("cpu"))
        found = {}
        for step in steps:
            network.pass_of(4).draw(Moment(0, step))
            found[step] = network.pass_of(4).forward(images, is_training=True).clone()
        return found

    forwards, backwards = forward(*range(5_000)), forward(4_999, 1_639, 1_638, 1_637, 0)
    for step, logits in backwards.items():
        assert torch.equal(logits, forwards[step]), step
    assert len({tuple(logits.flatten().tolist()) for logits in list(forwards.values())[:100]}) == 100


def test_passes_that_are_kept_share_weights_and_nothing_else():
    network = Network(without_dropout("lenet"), 0, torch.device("cpu"))
    images = torch.rand(40, 1, 28, 28)
    alone = [network.pass_of(count).forward(images[:count]).clone() for count in (40, 7)]
    together = [network.pass_of(count).forward(images[:count]) for count in (40, 7)]
    for one, other in zip(alone, together, strict=True):
        assert torch.equal(one, other)
    network.weights["fc3.bias"].add_(1)
    torch.testing.assert_close(network.pass_of(7).forward(images[:7]), alone[1] + 1)
