from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from article_networks import article_forward, without_dropout
from noisy_shapes import draw_dataset
from torch import Tensor

from engines import torch_device, torch_engine
from engines.datasets import ImageData
from engines.models import ARTICLE_MODELS
from engines.problems import CheckpointProblem, OutOfMemory, Unavailable
from engines.spec import RunSpec
from engines.torch_device import choose_dtype, explained_memory, prepare_device
from engines.torch_engine import TorchEngine

TRAIN_SIZE, TEST_SIZE, BATCH_SIZE = 300, 230, 32
STEPS = 10


@pytest.fixture(scope="module")
def data() -> ImageData:
    return draw_dataset(TRAIN_SIZE, TEST_SIZE)


@pytest.fixture(scope="module")
def order() -> np.ndarray:
    return np.random.default_rng(1).permutation(TRAIN_SIZE)


def make(data: ImageData, order: np.ndarray, model: str = "nn", **fields) -> TorchEngine:
    engine = torch_engine.create(RunSpec(model=model, batch_size=BATCH_SIZE, device="cpu", **fields))
    engine.load_data(data)
    engine.begin_epoch(order)
    return engine


def assert_same_state(one: TorchEngine, other: TorchEngine) -> None:
    mine, its = one.state(), other.state()
    assert mine.keys() == its.keys()
    for name, array in mine.items():
        np.testing.assert_array_equal(array, its[name], err_msg=name)


def learnable(engine: TorchEngine) -> dict[str, Tensor]:
    return {
        name.removeprefix("model/"): torch.from_numpy(array).requires_grad_()
        for name, array in engine.state().items()
        if name.startswith("model/")
    }


@torch.no_grad()
def adam(weight: Tensor, gradient: Tensor, mean: Tensor, square: Tensor, step: int) -> None:
    """Do a step of Adam as its paper has it; `torch.optim` loads Triton, which crashes beside TensorFlow."""
    mean.lerp_(gradient, 1 - 0.9)
    square.lerp_(gradient**2, 1 - 0.999)
    weight -= 0.001 * (mean / (1 - 0.9**step)) / ((square / (1 - 0.999**step)).sqrt() + 1e-8)


@pytest.mark.parametrize(("model", "count"), [("nn", 101_770), ("lenet", 61_706), ("lenet1", 121_994)])
def test_parameters_are_the_articles(model, count):
    engine = torch_engine.create(RunSpec(model=model, device="cpu"))
    assert sum(parameter.count for parameter in engine.parameters) == count
    assert engine.parameters[0].name == ("fc1.weight" if model == "nn" else "conv1.weight")
    assert {f"model/{parameter.name}" for parameter in engine.parameters} < engine.state().keys()
    assert all(engine.state()[f"model/{p.name}"].shape == tuple(p.shape) for p in engine.parameters)


def test_first_weights_are_those_pytorch_draws_from_the_seed():
    torch.manual_seed(7)
    conv1, conv2 = torch.nn.Conv2d(1, 6, 5), torch.nn.Conv2d(6, 16, 5)
    state = torch_engine.create(RunSpec(model="lenet", seed=7, device="cpu")).state()
    np.testing.assert_array_equal(state["model/conv1.weight"], conv1.weight.detach().numpy())
    np.testing.assert_array_equal(state["model/conv2.bias"], conv2.bias.detach().numpy())


@pytest.mark.parametrize("model", ARTICLE_MODELS)
def test_steps_are_those_of_plain_pytorch(model, data, order):
    layers = without_dropout(model)
    engine = TorchEngine(RunSpec(model=model, batch_size=BATCH_SIZE, device="cpu"), layers)
    engine.load_data(data)
    engine.begin_epoch(order)
    weights = learnable(engine)
    moments = {name: (torch.zeros_like(weight), torch.zeros_like(weight)) for name, weight in weights.items()}
    losses, hits = [], []
    for step, indices in enumerate(np.split(order, range(BATCH_SIZE, TRAIN_SIZE, BATCH_SIZE)), start=1):
        images = torch.from_numpy(data.train_images[indices]).unsqueeze(1) / 127.5 - 1
        labels = torch.from_numpy(data.train_labels[indices].astype(np.int64))
        logits = article_forward(layers, weights, images)
        loss = F.cross_entropy(logits, labels)
        for name, gradient in zip(weights, torch.autograd.grad(loss, list(weights.values())), strict=True):
            adam(weights[name], gradient, *moments[name], step)
        losses.append(loss.item())
        hits.append((logits.argmax(1) == labels).sum().item())
    engine.train(0, STEPS)
    mean_losses, right = engine.read_steps(0, STEPS)
    assert len(losses) == STEPS
    np.testing.assert_allclose(mean_losses, losses, rtol=1e-4)
    np.testing.assert_array_equal(right, hits)
    np.testing.assert_array_equal(engine.read_steps(9, 1)[0], mean_losses[9:])
    for name, weight in weights.items():
        np.testing.assert_allclose(engine.state()[f"model/{name}"], weight.detach(), atol=2e-4, err_msg=name)


@pytest.mark.parametrize("model", ARTICLE_MODELS)
def test_loss_falls(model, data, order):
    engine = make(data, order, model)
    before = engine.evaluate("test")
    for _ in range(4):
        engine.train(0, STEPS)
    after = engine.evaluate("test")
    assert after.loss < before.loss / 2
    assert after.accuracy > 0.8
    assert engine.read_steps(0, STEPS)[0].mean() < before.loss / 2


@pytest.mark.parametrize("model", ARTICLE_MODELS)
def test_same_seed_gives_the_same_bits_however_the_steps_are_partitioned(model, data, order):
    one, other = make(data, order, model), make(data, order, model)
    rates = np.linspace(1e-3, 1e-4, STEPS)
    one.train(0, STEPS, rates)
    for first, count in [(0, 1), (1, 3), (4, 5), (9, 1)]:
        other.train(first, count, rates[first : first + count])
        other.read_steps(first, count)
    assert_same_state(one, other)
    for mine, its in zip(one.read_steps(0, STEPS), other.read_steps(0, STEPS), strict=True):
        np.testing.assert_array_equal(mine, its)


def test_another_seed_gives_other_weights(data, order):
    first = [make(data, order, seed=seed).state()["model/fc1.weight"] for seed in (0, 1)]
    assert not np.array_equal(*first)


@pytest.mark.parametrize("model", ARTICLE_MODELS)
def test_a_run_continued_in_mid_epoch_equals_an_uninterrupted_one(model, data, order):
    whole = make(data, order, model)
    whole.train(0, 4)
    saved = whole.state()
    whole.train(4, STEPS - 4)
    continued = make(data, order, model, seed=5)
    continued.load_state(saved)
    continued.train(4, STEPS - 4)
    assert_same_state(whole, continued)


def test_state_is_a_copy(data, order):
    engine = make(data, order)
    saved = engine.state()
    before = {name: array.copy() for name, array in saved.items()}
    engine.train(0, 1)
    for name, array in saved.items():
        np.testing.assert_array_equal(array, before[name])


def test_looking_at_a_run_does_not_change_it(data, order):
    watched, alone = make(data, order), make(data, order)
    watched.train(0, 3)
    watched.gradient_norm(2)
    watched.evaluate("test")
    watched.predict("test", np.arange(5))
    losses = watched.read_steps(0, 3)[0]
    watched.train(3, 3)
    alone.train(0, 6)
    assert_same_state(watched, alone)
    np.testing.assert_array_equal(losses, alone.read_steps(0, 3)[0])


def _drop(state):
    del state["optimizer/exp_avg/fc1.bias"]


def _add(state):
    state["model/fc9.weight"] = np.zeros(3, np.float32)


def _reshape(state):
    state["model/fc1.bias"] = np.zeros(64, np.float32)


def _retype(state):
    state["model/fc1.bias"] = state["model/fc1.bias"].astype(np.float64)


@pytest.mark.parametrize(
    ("damage", "named"),
    [(_drop, "exp_avg/fc1.bias"), (_add, "fc9.weight"), (_reshape, "(64,)"), (_retype, "float64")],
)
def test_a_state_of_another_form_is_refused_and_changes_nothing(damage, named, data, order):
    engine, other = make(data, order), make(data, order, seed=1)
    other.train(0, 1)
    before, wrong = engine.state(), other.state()
    damage(wrong)
    with pytest.raises(CheckpointProblem) as caught:
        engine.load_state(wrong)
    assert named in caught.value.message
    for name, array in engine.state().items():
        np.testing.assert_array_equal(array, before[name])


def test_a_state_of_another_model_is_refused(data, order):
    with pytest.raises(CheckpointProblem):
        make(data, order, "nn").load_state(make(data, order, "lenet").state())


@pytest.mark.parametrize("model", ARTICLE_MODELS)
def test_evaluation_covers_the_whole_set_without_dropout(model, data, order):
    engine = make(data, order, model)
    engine.train(0, 5)
    logits = article_forward(
        without_dropout(model), learnable(engine), torch.from_numpy(data.test_images).unsqueeze(1) / 127.5 - 1
    ).detach()
    labels = torch.from_numpy(data.test_labels.astype(np.int64))
    evaluation = engine.evaluate("test")
    assert evaluation.loss == pytest.approx(F.cross_entropy(logits, labels).item(), rel=1e-4)
    assert evaluation.accuracy == pytest.approx((logits.argmax(1) == labels).float().mean().item())
    np.testing.assert_array_equal(evaluation.confusion.sum(1), np.bincount(data.test_labels, minlength=10))
    np.testing.assert_array_equal(evaluation.confusion.sum(0), np.bincount(logits.argmax(1), minlength=10))
    np.testing.assert_array_equal(evaluation.predictions, logits.argmax(1))
    np.testing.assert_allclose(evaluation.confidences, logits.softmax(1).amax(1), atol=1e-5)
    assert engine.evaluate("train").confusion.sum() == TRAIN_SIZE
    indices = np.array([3, 0, 200])
    np.testing.assert_allclose(engine.predict("test", indices), logits.softmax(1)[indices], atol=1e-5)


def test_gradient_norm_is_that_of_the_batch(data, order):
    engine = TorchEngine(RunSpec(model="lenet", batch_size=BATCH_SIZE, device="cpu"), without_dropout("lenet"))
    engine.load_data(data)
    engine.begin_epoch(order)
    weights = learnable(engine)
    last = order[9 * BATCH_SIZE :]
    logits = article_forward(
        without_dropout("lenet"), weights, torch.from_numpy(data.train_images[last]).unsqueeze(1) / 127.5 - 1
    )
    loss = F.cross_entropy(logits, torch.from_numpy(data.train_labels[last].astype(np.int64)))
    gradients = torch.autograd.grad(loss, list(weights.values()))
    expected = torch.cat([gradient.flatten() for gradient in gradients]).norm().item()
    assert engine.gradient_norm(9) == pytest.approx(expected, rel=1e-4)


def test_a_step_learns_at_the_rate_that_it_is_given(data, order):
    engine = make(data, order)
    engine.train(0, 1)
    before = engine.state()["model/fc1.weight"]
    engine.train(1, 2, np.array([1e-12, 1e-12]))
    np.testing.assert_allclose(engine.state()["model/fc1.weight"], before, atol=1e-9)


def test_a_rate_beyond_the_numbers_of_32_bits_ends_in_a_loss_that_is_not_finite(data, order):
    for engine in (make(data, order), make(data, order, lr=1e300)):
        engine.train(0, 2, np.array([0.001, 1e300]))
        engine.train(2, 3, np.full(3, 1e300))
        assert not np.isfinite(engine.read_steps(2, 3)[0]).all()


def test_inputs_are_brought_to_the_range_asked_for(data, order):
    images = torch.from_numpy(data.test_images[:4]).unsqueeze(1)
    for low, high, expected in [(-1.0, 1.0, images / 127.5 - 1), (0.0, 1.0, images / 255)]:
        engine = TorchEngine(RunSpec(device="cpu"), without_dropout("nn"), input_range=(low, high))
        engine.load_data(data)
        logits = article_forward(without_dropout("nn"), learnable(engine), expected)
        np.testing.assert_allclose(
            engine.predict("test", np.arange(4)), logits.detach().softmax(1), atol=1e-6, err_msg=f"{low} to {high}"
        )


def test_a_loss_that_is_not_finite_is_reported_as_it_is(data, order):
    engine = make(data, order)
    state = engine.state()
    state["model/fc2.bias"][0] = np.nan
    engine.load_state(state)
    engine.train(0, 2)
    assert np.isnan(engine.read_steps(0, 2)[0]).all()


@pytest.mark.parametrize("device", ["cuda", "cuda:7", "mps"])
def test_an_absent_device_is_named_with_what_is_there(device, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(Unavailable) as caught:
        torch_engine.create(RunSpec(device=device))
    assert device in caught.value.message
    assert "cpu" in caught.value.message
    assert "--device auto" in caught.value.hint


def test_the_device_is_named_for_a_person():
    name = torch_engine.create(RunSpec(model="nn", device="cpu")).device_name
    assert name.startswith("CPU (")
    assert name.endswith((" thread)", " threads)"))


def test_a_short_memory_is_explained():
    with pytest.raises(OutOfMemory) as caught, explained_memory():
        torch.empty(2**60)
    assert "--batch-size" in caught.value.hint
    with pytest.raises(RuntimeError, match="shapes"), explained_memory():
        raise RuntimeError("shapes do not fit")


CUDA_IS_SHORT = (
    "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.10 GiB of which 1 GiB is free. "
    "Of the allocated memory 70.00 GiB is allocated by PyTorch, and 1.00 GiB is reserved by PyTorch but unallocated. "
    "If reserved but unallocated memory is large try setting PYTORCH_ALLOC_CONF=expandable_segments:True."
)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (torch.OutOfMemoryError(CUDA_IS_SHORT), CUDA_IS_SHORT.partition(" Of the")[0]),
        (torch.AcceleratorError("CUDA error: out of memory\nSearch for `cudaError"), "CUDA error: out of memory."),
        (
            RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
            "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`.",
        ),
        (RuntimeError("Invalid buffer size: 9.75 GiB"), "Invalid buffer size: 9.75 GiB."),
    ],
    ids=["allocator", "context", "library", "metal"],
)
def test_a_short_memory_of_a_gpu_is_told_in_a_line_whatever_its_type(error, told):
    with pytest.raises(OutOfMemory) as caught, explained_memory():
        raise error
    assert caught.value.message == f"The device ran out of memory: {told}"
    assert "--gpu-memory-limit" in caught.value.hint


@pytest.mark.parametrize("recipe", [{}, {"label_smoothing": 0.1}], ids=["article", "other"])
@pytest.mark.parametrize(
    ("said", "problem"),
    [("out of memory", OutOfMemory), ("no kernel image is available for execution on the device", Unavailable)],
)
def test_a_gpu_that_takes_no_work_is_said_to(recipe, said, problem, monkeypatch):
    def refuse(*_, **__):
        raise torch.AcceleratorError(f"CUDA error: {said}\nmore about it")

    monkeypatch.setattr(torch, "zeros_like", refuse)
    with pytest.raises(problem, match=said):
        torch_engine.create(RunSpec(model="nn", device="cpu", **recipe))


def test_a_memory_limit_holds_for_the_run_that_asks_for_it_alone(monkeypatch):
    set_to = []
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: SimpleNamespace(total_memory=4 * 2**30))
    monkeypatch.setattr(
        torch.cuda, "set_per_process_memory_fraction", lambda part, device: set_to.append((part, device))
    )
    gpu = torch.device("cuda:1")
    for limit in (1024, None, 10_000):
        prepare_device(gpu, gpu_memory_limit=limit, threads=1)
    assert set_to == [(0.25, gpu), (1.0, gpu), (1.0, gpu)]


@pytest.mark.parametrize("model", ["nn", "lenet"])
def test_in_bfloat16_it_learns_nearly_the_same_and_its_checkpoint_is_float32(data, order, model):
    engine, exact = make(data, order, model, precision="bfloat16"), make(data, order, model)
    for other in (engine, exact):
        other.train(0, STEPS)
    losses, exact_losses = engine.read_steps(0, STEPS)[0], exact.read_steps(0, STEPS)[0]
    assert (losses != exact_losses).any()
    np.testing.assert_allclose(losses, exact_losses, rtol=0.2)
    assert {array.dtype.kind for array in engine.state().values()} <= {"f", "i"}
    assert engine.state()["model/fc1.weight"].dtype == np.float32
    exact.load_state(engine.state())
    assert exact.evaluate("test").loss == pytest.approx(engine.evaluate("test").loss, rel=0.2)


@pytest.mark.parametrize(("device", "capability"), [("mps", (8, 0)), ("cuda", (7, 5))])
def test_a_device_without_bfloat16_is_refused(device, capability, monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: capability)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "Tesla T4")
    with pytest.raises(Unavailable, match="bfloat16") as caught:
        choose_dtype("bfloat16", torch.device(device))
    assert "--precision float32" in caught.value.hint
    assert choose_dtype("float32", torch.device(device)) == torch.float32
    assert choose_dtype("auto", torch.device(device)) == torch.float32


@pytest.mark.parametrize("has_units", [False, True])
def test_auto_is_bfloat16_on_a_processor_with_units_where_the_network_gains_by_it(has_units, data, order, monkeypatch):
    monkeypatch.setattr(torch_device, "has_bfloat16_units", lambda: has_units)
    assert (choose_dtype("auto", torch.device("cpu")) == torch.bfloat16) == has_units
    assert not make(data, order, "lenet1", precision="auto").device_name.endswith(", bfloat16)")
    large = torch_engine.create(RunSpec(model="airnet-s", device="cpu", precision="auto"))
    assert large.device_name.endswith(", bfloat16)") == has_units
