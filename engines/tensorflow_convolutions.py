"""Keras's convolution with the 2x2 pooling after it as one layer, by TensorFlow's own operations or as a product."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

Shape = tuple[Any, ...]
"""Of images, their number, which is None until there are some, first."""


class PooledConv2D(keras.layers.Conv2D):  # type: ignore[misc]
    """A convolution with a ReLU and the pooling after it.

    Forward TensorFlow does bias and ReLU within the convolution. Backward both are of what is left after the pooling,
    a quarter: where a maximum is zero, whatever made it has no gradient.
    """

    def call(self, inputs: Any) -> Any:
        """Give the activations (N x height / 2 x width / 2 x filters) of N images, channels last."""
        return self._convolve(inputs, tf.convert_to_tensor(self.kernel), tf.convert_to_tensor(self.bias))

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def _convolve(self, images: Any, kernel: Any, bias: Any) -> Any:
        convolution = {"strides": [1, 1, 1, 1], "padding": self.padding.upper()}
        pooling = {"ksize": [1, 2, 2, 1], "strides": [1, 2, 2, 1], "padding": "VALID"}
        places = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(images, kernel, **convolution), bias))
        maps = tf.nn.max_pool2d(places, **pooling)

        def find_gradients(gradient: Any) -> tuple[Any, Any, Any]:
            gradient = tf.raw_ops.ReluGrad(gradients=gradient, features=maps)
            spread = tf.raw_ops.MaxPoolGrad(orig_input=places, orig_output=maps, grad=gradient, **pooling)
            of_images = tf.raw_ops.Conv2DBackpropInput(
                input_sizes=tf.shape(images), filter=kernel, out_backprop=spread, **convolution
            )
            of_kernel = tf.raw_ops.Conv2DBackpropFilter(
                input=images, filter_sizes=kernel.shape, out_backprop=spread, **convolution
            )
            return of_images, of_kernel, tf.raw_ops.BiasAddGrad(out_backprop=gradient)

        return maps, find_gradients

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Give the shape of what `call` gives; Keras asks for it."""
        images, height, width, filters = super().compute_output_shape(input_shape)
        return images, height // 2, width // 2, filters


class PooledProduct2D(PooledConv2D):
    """`PooledConv2D` with a ReLU as one matrix product: faster on a CPU where channels and images are few.

    One column is what one pooling window of one image sees, images beside one another, so that all that is copied and
    compared lies in long rows. It is multiplied by each filter's kernel, laid at each of the four places in a window.
    """

    def build(self, input_shape: Shape) -> None:
        """Make the weights for square images of this shape (N x side x side x channels); Keras asks for it."""
        super().build(input_shape)
        _, side, _, channels = input_shape
        kernel = self.kernel_size[0]
        margin = kernel // 2 if self.padding == "same" else 0
        self.pixels = side * side * channels
        self.windows = _find_windows(side, channels, kernel, margin)
        self.places = _lay_at_places(kernel)
        # Which rows of the windows' gradient add up to which pixel's, in the pixels' order.
        flat = self.windows.reshape(-1)
        self.rows = np.argsort(flat, kind="stable")[: np.count_nonzero(flat < self.pixels)].astype(np.int32)
        self.targets = flat[self.rows]

    def call(self, inputs: Any) -> Any:
        """Give the activations (N x height / 2 x width / 2 x filters) of N images, channels last."""
        _, height, width, filters = self.compute_output_shape(inputs.shape)
        laid = self.places @ tf.reshape(self.kernel, [self.places.shape[1], -1])
        matrix = tf.transpose(tf.reshape(laid, [4, len(self.windows), filters]), [1, 0, 2])
        pixels = tf.reshape(_swap_ends(inputs), [self.pixels, -1])
        maps = self._activate(pixels, tf.reshape(matrix, [-1, 4 * filters]), tf.reshape(self.bias, [-1, 1]))
        return _swap_ends(tf.reshape(maps, [filters, height, width, -1]))

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def _activate(self, pixels: Any, matrix: Any, bias: Any) -> Any:
        """Give the activations (filters x windows * N) of pixels (channels * height * width x N), and their gradient.

        The first of equal places gets the gradient, as in TensorFlow's own pooling.
        """
        with_margin = tf.pad(pixels, [[0, 1], [0, 0]])
        columns = tf.reshape(tf.gather(with_margin, self.windows), [len(self.windows), -1])
        left, right = tf.split(tf.matmul(matrix, columns, transpose_a=True), 2)
        upper, lower = tf.split(tf.maximum(left, right), 2)
        maps = tf.nn.relu(tf.maximum(upper, lower) + bias)

        def find_gradients(gradient: Any) -> tuple[Any, Any, Any]:
            gradient = tf.raw_ops.ReluGrad(gradients=gradient, features=maps)
            places = _share(_share(gradient, upper, lower), left, right)
            found = tf.reshape(matrix @ places, [self.windows.size, -1])
            pixel_gradient = tf.sparse.segment_sum(found, self.rows, self.targets, num_segments=self.pixels)
            matrix_gradient = tf.matmul(columns, places, transpose_b=True)
            return pixel_gradient, matrix_gradient, tf.reduce_sum(gradient, 1, keepdims=True)

        return maps, find_gradients


def _swap_ends(images: Any) -> Any:
    """Bring the first dimension last and the last first; done twice, TensorFlow leaves it out of the graph."""
    return tf.transpose(images, [3, 1, 2, 0])


def _share(gradient: Any, one: Any, other: Any) -> Any:
    """Give the gradients of `one` and below them of `other`, from that of their maximum; of equals `one` gets it."""
    first = tf.where(one >= other, gradient, tf.zeros_like(gradient))
    return tf.concat([first, gradient - first], 0)


def _find_windows(side: int, channels: int, kernel: int, margin: int) -> NDArray[np.int32]:
    """Give which pixel (channels, height, width in one row) is where in each pooling window; one too many: the margin.

    Shape: (kernel + 1) * (kernel + 1) * channels, one for each window.
    """
    count = (side + 2 * margin - kernel + 1) // 2
    pixels = np.full((channels, side + 2 * margin, side + 2 * margin), channels * side * side, np.int32)
    inner = slice(margin, margin + side)
    pixels[:, inner, inner] = np.arange(channels * side * side).reshape(channels, side, side)
    begins, reach = 2 * np.arange(count), np.arange(kernel + 1)
    lines = reach[:, None] + begins
    seen: NDArray[np.int32] = pixels[:, lines[:, None, :, None], lines[None, :, None, :]]
    return seen.transpose(1, 2, 0, 3, 4).reshape(-1, count * count)


def _lay_at_places(kernel: int) -> NDArray[np.float32]:
    """Give the matrix of 0 and 1 that lays a kernel (kernel * kernel numbers) at the four places in a pooling window.

    Rows: left before right, of each upper before lower, of each the window's pixels.
    """
    places = np.zeros((2, 2, kernel + 1, kernel + 1, kernel, kernel), np.float32)
    at = np.arange(kernel)
    for right in range(2):
        for down in range(2):
            places[right, down, at[:, None] + down, at + right, at[:, None], at] = 1
    return places.reshape(-1, kernel * kernel)
