"""Networks of torchvision, in a process of their own: the library does not load beside TensorFlow."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from torch import nn

from engines.torch_modules import Enlarged
from engines.torch_recipe_engine import _count_evaluated

SCRIPT = """
import json
import noisy_shapes, numpy as np, torchvision
from engines import torch_engine
from engines.spec import RunSpec
from engines.torchvision_names import TORCHVISION_NAMES

known = torchvision.models.list_models(module=torchvision.models)
told, data = {"unknown": sorted(set(TORCHVISION_NAMES) - set(known))}, noisy_shapes.draw_dataset(9, 6)
for name in ("resnet18", "squeezenet1_1", "googlenet", "inception_v3"):
    engine = torch_engine.create(RunSpec(model=f"torchvision:{name}", batch_size=4, device="cpu"))
    engine.load_data(data)
    engine.begin_epoch(np.arange(9))
    before = engine.state()
    engine.train(0, 3)
    losses, after = engine.read_steps(0, 3)[0], engine.state()
    told[name] = {
        "is_finite": bool(np.isfinite(losses).all()),
        "shape": engine.predict("test", np.arange(2)).shape,
        "first": engine.parameters[0].shape,
        "has_learned": any(not np.array_equal(before[key], after[key]) for key in before if key.startswith("model/")),
    }
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told():
    support = Path(__file__).parents[1] / "support"
    script = f"import sys; sys.path.insert(0, {str(support)!r})\n{SCRIPT}"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_every_name_that_is_offered_is_one_of_the_librarys(told):
    assert told["unknown"] == []


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("resnet18", [64, 1, 7, 7]),
        ("squeezenet1_1", [64, 1, 3, 3]),
        ("googlenet", [64, 1, 7, 7]),
        ("inception_v3", [32, 1, 3, 3]),
    ],
)
def test_a_network_takes_one_channel_learns_and_tells_ten_classes_apart(told, name, first):
    # The last batch has one image, of which a batch norm cannot tell how it varies.
    assert told[name] == {"is_finite": True, "shape": [2, 10], "first": first, "has_learned": True}


@pytest.mark.parametrize(
    ("side", "device", "batch_size", "count"),
    [(28, "cuda", 32, 5_000), (224, "cuda", 32, 78), (224, "cuda", 256, 256), (28, "cpu", 512, 250)],
)
def test_of_enlarged_images_fewer_are_evaluated_at_once_so_that_they_fit_where_training_did(
    side, device, batch_size, count
):
    assert _count_evaluated(Enlarged(nn.Identity(), side), device, batch_size) == count
