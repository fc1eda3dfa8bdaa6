"""Test accuracy after five epochs, over seeds: our engines beside the plain loops of the same mathematics.

    MNIST_TUI_DATA_DIR=... python benchmarks/accuracy.py [--models nn,lenet] [--dataset mnist] [--seeds 5] [--epochs 5]

Faster must not mean worse: what our engines compute by hand is set beside autograd with `torch.optim.Adam`, and beside
Keras's `model.fit`. Each run is a process of its own; accuracy is that of the whole test set. Prints means with the
standard deviation of one run, and one JSON line. Times do not matter here.
"""

import argparse
import json
import statistics
from importlib import import_module

from apart import measure_apart

CONTENDERS = ("bare-torch", "torch", "article-tensorflow", "tensorflow")


def train_bare(model: str, dataset: str, seed: int, epochs: int) -> float:
    """Train with autograd and `torch.optim.Adam`."""
    import torch
    from bare_torch import build_network, make_optimizer, normalise, train_epoch

    from engines import datasets

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    data = datasets.load(dataset, None, lambda *_: None)
    images, labels = torch.from_numpy(data.train_images).unsqueeze(1), torch.from_numpy(data.train_labels).long()
    network = build_network(model)
    optimizer = make_optimizer(network)
    for _ in range(epochs):
        train_epoch(network, optimizer, images, labels)
    with torch.inference_mode():
        logits = network.eval()(normalise(torch.from_numpy(data.test_images).unsqueeze(1)))
    return float((logits.argmax(1) == torch.from_numpy(data.test_labels)).float().mean())


def train_fit(model: str, dataset: str, seed: int, epochs: int) -> float:
    """Train with Keras's `model.fit`, as the article does."""
    import keras
    from article_tensorflow import compile_network, prepare_images

    from engines import datasets

    keras.utils.set_random_seed(seed)
    data = datasets.load(dataset, None, lambda *_: None)
    network = compile_network(model)
    network.fit(prepare_images(data.train_images, model), data.train_labels, epochs=epochs, batch_size=32, verbose=0)
    _, accuracy = network.evaluate(prepare_images(data.test_images, model), data.test_labels, verbose=0)
    return float(accuracy)


def train_engine(framework: str, model: str, dataset: str, seed: int, epochs: int) -> float:
    """Train with our engine."""
    from engines import datasets
    from engines.spec import RunSpec
    from engines.training_loop import epoch_order

    spec = RunSpec(framework=framework, model=model, dataset=dataset, seed=seed)  # type: ignore[arg-type]
    engine = import_module(f"engines.{framework}_engine").create(spec)
    data = datasets.load(dataset, None, lambda *_: None)
    engine.load_data(data)
    steps = -(-len(data.train_labels) // spec.batch_size)
    for epoch in range(1, epochs + 1):
        engine.begin_epoch(epoch_order(seed, epoch, len(data.train_labels)))
        for step in range(0, steps, 25):
            engine.train(step, min(25, steps - step))
    return float(engine.evaluate("test").accuracy)


def train(contender: str, model: str, dataset: str, seed: int, epochs: int) -> float:
    """Give the test accuracy, trained in this process."""
    match contender:
        case "bare-torch":
            return train_bare(model, dataset, seed, epochs)
        case "article-tensorflow":
            return train_fit(model, dataset, seed, epochs)
        case framework:
            return train_engine(framework, model, dataset, seed, epochs)


def train_apart(contender: str, model: str, dataset: str, seed: int, epochs: int) -> float:
    """Give the test accuracy, trained in a process of its own."""
    options = ("--models", model, "--dataset", dataset, "--seeds", str(seed), "--epochs", str(epochs))
    return measure_apart(__file__, "--one", contender, *options)


def main() -> None:
    """Train what the command line says, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default="nn,lenet")
    parser.add_argument("--dataset", default="mnist")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--contenders", default=",".join(CONTENDERS))
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(train(options.one, options.models, options.dataset, options.seeds, options.epochs))
        return
    told: dict[str, dict[str, list[float]]] = {}
    for model in options.models.split(","):
        told[model] = {}
        for contender in options.contenders.split(","):
            found = [train_apart(contender, model, options.dataset, s, options.epochs) for s in range(options.seeds)]
            told[model][contender] = found
            spread = f" ± {100 * statistics.stdev(found):.2f}" if len(found) > 1 else ""
            print(f"{model:8}{contender:20}{100 * statistics.fmean(found):8.2f}{spread} %", flush=True)
    print(json.dumps({"benchmark": "accuracy", "dataset": options.dataset, "epochs": options.epochs, "found": told}))


if __name__ == "__main__":
    main()
