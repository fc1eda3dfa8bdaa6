"""Which device and how many threads TensorFlow takes, and what is said where it is not there or its memory is short."""

import numpy as np
import pytest
import tensorflow as tf

from engines import tensorflow_device, tensorflow_engine
from engines.datasets import ImageData
from engines.problems import OutOfMemory, Unavailable
from engines.spec import RunSpec
from engines.tensorflow_device import explained_memory
from engines.tensorflow_threads import Threads


@pytest.mark.parametrize("device", ["cuda", "cuda:7", "mps"])
def test_an_absent_device_is_named_with_what_is_there(device, monkeypatch):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda _: [])
    with pytest.raises(Unavailable) as caught:
        tensorflow_engine.create(RunSpec(framework="tensorflow", device=device))
    assert device in caught.value.message
    assert "cpu" in caught.value.message
    assert "--device auto" in caught.value.hint
    assert ("mnist-tui[gpu]" in caught.value.hint) == device.startswith("cuda")


def test_the_device_is_named_for_a_person():
    name = tensorflow_engine.create(RunSpec(framework="tensorflow", device="cpu")).device_name
    assert name.startswith("CPU (")
    assert name.endswith((" thread)", " threads)"))


def test_a_short_memory_is_explained():
    images = np.broadcast_to(np.uint8(0), (10**12, 28, 28))
    labels = np.broadcast_to(np.uint8(0), 10**12)
    engine = tensorflow_engine.create(RunSpec(framework="tensorflow", device="cpu"))
    with pytest.raises(OutOfMemory) as caught:
        engine.load_data(ImageData(images, labels, images[:1], labels[:1]))
    assert "--batch-size" in caught.value.hint
    for error in (
        tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor"),
        tf.errors.InternalError(None, None, "Failed copying input tensor: Dst tensor is not initialized."),
    ):
        with pytest.raises(OutOfMemory), explained_memory():
            raise error
    with pytest.raises(tf.errors.InvalidArgumentError), explained_memory():
        tf.zeros(3) + tf.zeros(4)


def test_a_gpu_without_room_for_a_context_is_said_to_be_short_of_memory(monkeypatch):
    def refuse(_):
        raise tf.errors.InternalError(None, None, "cuDevicePrimaryCtxRetain: CUDA_ERROR_OUT_OF_MEMORY: out of memory")

    monkeypatch.setattr(tf.config, "list_logical_devices", refuse)
    with pytest.raises(OutOfMemory):
        tensorflow_engine.create(RunSpec(framework="tensorflow", device="cpu"))


def test_a_gpu_without_bfloat16_is_refused(monkeypatch):
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda _: ["GPU:0"])
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda _: ["GPU:0"])
    details = {"device_name": "Tesla T4", "compute_capability": (7, 5)}
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda _: details)
    monkeypatch.setattr(tf.config, "set_visible_devices", lambda *_: None)
    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", lambda *_: None)
    with pytest.raises(Unavailable, match=r"Tesla T4 .*bfloat16") as caught:
        tensorflow_engine.create(RunSpec(framework="tensorflow", precision="bfloat16"))
    assert "--precision float32" in caught.value.hint
    assert tensorflow_device.choose_dtype("auto") == tf.float32


@pytest.mark.parametrize("has_units", [False, True])
def test_auto_is_bfloat16_where_the_processor_is_fast_at_it_and_says_so(has_units, monkeypatch):
    monkeypatch.setattr(tensorflow_device, "has_bfloat16_units", lambda: has_units)
    engine = tensorflow_engine.create(RunSpec(framework="tensorflow", device="cpu", precision="auto"))
    assert engine.device_name.endswith(", bfloat16)") == has_units


def test_a_processor_has_the_threads_that_were_asked_for(monkeypatch):
    asked = []
    monkeypatch.setattr(tf.config.threading, "set_inter_op_parallelism_threads", asked.append)
    monkeypatch.setattr(tf.config.threading, "set_intra_op_parallelism_threads", asked.append)
    monkeypatch.setattr(tf.config, "set_visible_devices", lambda *_: None)
    tensorflow_device.take_device(RunSpec(framework="tensorflow", device="cpu"), Threads(2, 7))
    assert asked == [2, 7]
