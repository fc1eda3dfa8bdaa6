"""Networks of our own in TensorFlow: variables, and a forward pass that gives the numbers of PyTorch's."""

from typing import Any

import tensorflow as tf

from engines.architecture import Conv, ConvNorm, Dense, Dropout, Flatten, GlobalMax, Layer, MaxPool, Whiten
from engines.first_weights import draw_weights, name_layers

_NORM_EPSILON, _NORM_NEWS = 1e-5, 0.1
_PARTS = {"norm.weight": "norm/gamma", "norm.bias": "norm/beta", "weight": "kernel"}


class LayeredNetwork:
    """An architecture's layers with the weights that are drawn from `seed`; convolutions and products in `dtype`.

    `weights` are learned, `statistics` are what batch norms have seen, `patterns` are found in the training images.
    Images flow with their channels last.
    """

    def __init__(self, layers: tuple[Layer, ...], seed: int, dtype: Any) -> None:
        self.layers = dict(zip(name_layers(layers), layers, strict=True))
        self.seed, self.dtype = seed, dtype
        self.weights = {
            _rename(name): tf.Variable(with_outputs_last(array)) for name, array in draw_weights(layers, seed).items()
        }
        self.statistics: dict[str, Any] = {}
        self.patterns: dict[str, Any] = {}
        for name, layer in self.layers.items():
            if isinstance(layer, ConvNorm):
                self.statistics[f"{name}/norm/mean"] = tf.Variable(tf.zeros(layer.filters))
                self.statistics[f"{name}/norm/variance"] = tf.Variable(tf.ones(layer.filters))
            if isinstance(layer, Whiten):
                kernels = tf.zeros([layer.kernel, layer.kernel, 1, 2 * layer.patterns])
                self.patterns[f"{name}/kernel"] = tf.Variable(kernels)

    def __call__(self, x: Any, *, training: bool, step: Any) -> Any:
        """Give the logits (float32, N x 10) of images (N x 28 x 28 x 1); `step` decides what dropout drops."""
        for name, layer in self.layers.items():
            match layer:
                case Conv(_, _, padding):
                    padded = tf.pad(x, [[0, 0], [padding, padding], [padding, padding], [0, 0]])
                    x = tf.nn.relu(self._convolve(padded, f"{name}/kernel") + self.weights[f"{name}/bias"])
                case MaxPool():
                    x = tf.nn.max_pool2d(x, 2, 2, "VALID")
                case Flatten():
                    x = tf.reshape(
                        tf.transpose(x, [0, 3, 1, 2]), [tf.shape(x)[0], -1]
                    )  # Channel by channel, as PyTorch.
                case Dense(_, relu):
                    kernel = tf.cast(self.weights[f"{name}/kernel"], self.dtype)
                    product = tf.cast(tf.cast(x, self.dtype) @ kernel, tf.float32) + self.weights[f"{name}/bias"]
                    x = tf.nn.relu(product) if relu else product
                case Dropout(rate):
                    seed = tf.stack([tf.constant(self.seed % 2**31, tf.int64), step])
                    x = tf.nn.experimental.stateless_dropout(x, rate, seed) if training else x
                case Whiten(_, _, stride):
                    x = tf.nn.relu(self._convolve(x, f"{name}/kernel", stride))
                case ConvNorm():
                    x = self._block(x, name, layer, training)
                case GlobalMax():
                    x = tf.reduce_max(x, [1, 2])
        return tf.cast(x, tf.float32)

    def _block(self, x: Any, name: str, layer: ConvNorm, training: bool) -> Any:
        y = self._convolve(x, f"{name}/conv/kernel", padding="SAME")
        y = tf.nn.max_pool2d(y, 2, 2, "VALID") if layer.pool else y
        mean, variance = (self.statistics[f"{name}/norm/{kind}"] for kind in ("mean", "variance"))
        y, batch_mean, batch_variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=y,
            scale=self.weights[f"{name}/norm/gamma"],
            offset=self.weights[f"{name}/norm/beta"],
            mean=[] if training else mean,
            variance=[] if training else variance,
            epsilon=_NORM_EPSILON,
            is_training=training,
        )
        if training:
            mean.assign_add(_NORM_NEWS * (batch_mean - mean))
            variance.assign_add(_NORM_NEWS * (batch_variance - variance))
        return tf.nn.relu(y)

    def _convolve(self, x: Any, name: str, stride: int = 1, padding: str = "VALID") -> Any:
        kernel = (self.weights | self.patterns)[name]
        product = tf.nn.conv2d(tf.cast(x, self.dtype), tf.cast(kernel, self.dtype), stride, padding)
        return tf.cast(product, tf.float32)


def _rename(name: str) -> str:
    for ours, theirs in _PARTS.items():
        if name.endswith(f".{ours}"):
            return f"{name.removesuffix(ours)}{theirs}".replace(".", "/")
    return name.replace(".", "/")


def with_outputs_last(array: Any) -> Any:
    """Lay out PyTorch's array (outputs or filters first) as TensorFlow does (last)."""
    return array.transpose(2, 3, 1, 0) if array.ndim == 4 else array.T
