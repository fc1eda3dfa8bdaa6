"""The optimizers of a recipe in TensorFlow: one kernel for each weight, and the numbers of PyTorch's."""

from typing import Any

import tensorflow as tf

from engines.spec import RunSpec

_BETAS, _EPSILON, _MOMENTUM = (0.9, 0.999), 1e-8, 0.9


class Optimizer:
    """Changes `weights` by their gradients; they decay where they are matrices or kernels."""

    def __init__(self, weights: dict[str, Any], spec: RunSpec) -> None:
        self._weights = weights
        self._kind = spec.optimizer
        self._decays = {name: spec.weight_decay if w.shape.rank > 1 else 0.0 for name, w in weights.items()}
        self._parts = {name: spec.bias_rate if name.endswith("/beta") else 1.0 for name in weights}
        kinds = ("momentum",) if spec.optimizer == "sgd" else ("m", "v")
        self.moments = {
            f"{kind}/{name}": tf.Variable(tf.zeros_like(weight)) for kind in kinds for name, weight in weights.items()
        }

    def step(self, gradients: list[Any], lr: Any, steps_done: Any) -> None:
        """Take step `steps_done` (from 1) at the rate `lr`."""
        powers = [tf.pow(beta, tf.cast(steps_done, tf.float32)) for beta in _BETAS]
        for (name, weight), found in zip(self._weights.items(), gradients, strict=True):
            rate, decay, gradient = lr * self._parts[name], self._decays[name], found
            if decay and self._kind == "adamw":
                weight.assign(weight * (1 - rate * decay))
            elif decay:
                gradient = found + decay * weight
            if self._kind == "sgd":
                self._apply_momentum(name, weight, gradient, rate)
            else:
                self._apply_adam(name, weight, gradient, rate, powers)

    def _apply_momentum(self, name: str, weight: Any, gradient: Any, rate: Any) -> None:
        tf.raw_ops.ResourceApplyMomentum(
            var=weight.handle,
            accum=self.moments[f"momentum/{name}"].handle,
            lr=rate,
            grad=gradient,
            momentum=_MOMENTUM,
            use_nesterov=True,
        )

    def _apply_adam(self, name: str, weight: Any, gradient: Any, rate: Any, powers: list[Any]) -> None:
        tf.raw_ops.ResourceApplyAdam(
            var=weight.handle,
            m=self.moments[f"m/{name}"].handle,
            v=self.moments[f"v/{name}"].handle,
            beta1_power=powers[0],
            beta2_power=powers[1],
            lr=rate,
            beta1=_BETAS[0],
            beta2=_BETAS[1],
            # TensorFlow adds it before the moment is corrected, PyTorch after.
            epsilon=_EPSILON * tf.sqrt(1 - powers[1]),
            grad=gradient,
        )
