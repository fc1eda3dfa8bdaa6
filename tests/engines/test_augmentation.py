"""What is done to training images: what is drawn, and that both frameworks make the same of it."""

import numpy as np
import pytest
import torch

from engines import tensorflow_augmentation, torch_augmentation
from engines.augmentation import LEFT, TOP, TRANSFORM, draw_changes, is_augmented, is_warped
from engines.spec import RunSpec

# The largest difference in 2,000 images was 1.7e-3 of 255 levels.
TOLERANCE = 0.01
IMAGES = np.random.default_rng(0).integers(0, 256, (200, 28, 28)).astype(np.uint8)
EVERYTHING = {"flip": True, "shift": 3, "erase": 5, "rotate": 25.0, "scale": 0.2, "shear": 0.3}


def row(matrix=((1, 0), (0, 1)), origin=(0, 0), corner=(0, 0)):
    (a, b), (c, d) = matrix
    return np.array([[a, b, origin[0], c, d, origin[1], *corner]], np.float32)


def change_in_both(images, changes, erase=0, *, is_warped=True, tolerance=TOLERANCE):
    """Give what PyTorch makes of the images, once TensorFlow is seen to make the same of them."""
    pixels, rows = torch.from_numpy(images).unsqueeze(1), torch.from_numpy(changes)
    one = torch_augmentation.change(pixels, rows, erase, is_warped=is_warped)[:, 0].numpy()
    other = tensorflow_augmentation.change(images, changes, erase, is_warped=is_warped).numpy()
    np.testing.assert_allclose(one, other, rtol=0, atol=tolerance)
    return one


def numbered_image():
    return (np.arange(28 * 28).reshape(1, 28, 28) % 251 + 1).astype(np.uint8)


def moved_by_hand(images, spec, epoch):
    """Mirror, shift and blank with numpy's own slices, from the draws as they were made before there were others."""
    mirrored = (np.random.default_rng((spec.seed, 1)).integers(0, 2, len(images)) + epoch) % 2
    random = np.random.default_rng((spec.seed, epoch, 2))
    shifts = random.integers(-spec.shift, spec.shift, (len(images), 2), endpoint=True)
    corners = random.integers(0, 28 - spec.erase, (len(images), 2), endpoint=True)
    changed = []
    for image, is_mirrored, (down, right), (top, left) in zip(images, mirrored, shifts, corners, strict=True):
        wide = np.pad(image[:, ::-1] if is_mirrored else image, spec.shift)
        y, x = spec.shift - down, spec.shift - right
        moved = wide[y : y + 28, x : x + 28].copy()
        moved[top : top + spec.erase, left : left + spec.erase] = 0
        changed.append(moved)
    return np.array(changed)


def test_what_is_mirrored_shifted_and_blanked_is_exactly_the_images_pixels():
    spec = RunSpec(flip=True, shift=2, erase=6, seed=4)
    changes = draw_changes(spec, 3, len(IMAGES))
    changed = change_in_both(IMAGES, changes, spec.erase, is_warped=False, tolerance=0)
    np.testing.assert_array_equal(changed, moved_by_hand(IMAGES, spec, 3))


@pytest.mark.parametrize("is_warped", [False, True])
def test_no_change_is_no_change(is_warped):
    image = numbered_image()
    same = change_in_both(image, row(), is_warped=is_warped)
    np.testing.assert_allclose(same, image, rtol=0, atol=TOLERANCE if is_warped else 0)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_turn_by_quarters_is_numpys(quarters):
    angle = quarters * np.pi / 2
    cosine, sine = np.cos(angle), np.sin(angle)
    image = numbered_image()
    turned = change_in_both(image, row([[cosine, -sine], [sine, cosine]]))
    np.testing.assert_allclose(turned[0], np.rot90(image[0], quarters), rtol=0, atol=0.01)


def test_a_pixel_between_pixels_is_their_mean_and_outside_is_background():
    image = numbered_image()
    between = change_in_both(image, row(origin=(0.5, 0)))[0]
    pixels = image[0].astype(float)
    np.testing.assert_allclose(between[:, :-1], (pixels[:, :-1] + pixels[:, 1:]) / 2, atol=0.01)
    np.testing.assert_allclose(between[:, -1], pixels[:, -1] / 2, atol=0.01)
    assert not change_in_both(image, row(origin=(30, 0))).any()


def test_twice_the_size_shows_the_middle():
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, 10:18, 10:18] = 200
    twice = change_in_both(image, row([[0.5, 0], [0, 0.5]]))[0]
    assert twice[7:21, 7:21].min() == pytest.approx(200, abs=0.01)
    assert not twice[:5].any()
    assert twice.sum() == pytest.approx(4 * 64 * 200, rel=0.01)


def test_the_square_is_blank_where_it_was_drawn_whatever_the_image_does():
    blanked = change_in_both(numbered_image(), row([[0.9, 0], [0, 0.9]], corner=(4, 20)), 8)[0]
    assert not blanked[4:12, 20:].any()
    assert (blanked == 0).sum() == 64


def test_both_frameworks_interpolate_alike_what_is_drawn_in_full():
    spec = RunSpec(**EVERYTHING)
    changed = change_in_both(IMAGES, draw_changes(spec, 2, len(IMAGES)), spec.erase)
    assert 0 <= changed.min() <= changed.max() <= 255
    assert np.abs(changed - IMAGES).mean() > 10


def test_what_is_drawn_undoes_a_scale_a_slant_and_a_turn_within_their_bounds():
    spec = RunSpec(rotate=30.0, scale=0.2, shear=0.4)
    matrices = np.linalg.inv(draw_changes(spec, 1, 4_000)[:, TRANSFORM].reshape(-1, 2, 3)[:, :, :2].astype(float))
    # The first column is where a step to the right goes: turned and scaled. The second is slanted as well.
    wide, high = np.hypot(*matrices[:, :, 0].T), np.linalg.det(matrices) / np.hypot(*matrices[:, :, 0].T)
    angle = np.degrees(np.arctan2(matrices[:, 1, 0], matrices[:, 0, 0]))
    slant = np.einsum("ni,ni->n", matrices[:, :, 0] / wide[:, None], matrices[:, :, 1]) / high
    for found, middle, most in [(angle, 0, 30), (wide, 1, 0.2), (high, 1, 0.2), (slant, 0, 0.4)]:
        assert np.abs(found - middle).max() <= most * 1.001
        assert np.abs(found - middle).max() > 0.98 * most
        assert found.mean() == pytest.approx(middle, abs=0.05 * most)


def test_what_is_drawn_is_the_same_for_the_same_epoch_and_other_draws_do_not_change_it():
    spec, fewer = RunSpec(**EVERYTHING), RunSpec(flip=True, shift=3, erase=5)
    first, again, second = (draw_changes(spec, epoch, 4_000) for epoch in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first[:, TRANSFORM] != second[:, TRANSFORM]).any(1).all()
    np.testing.assert_array_equal(first[:, [TOP, LEFT]], draw_changes(fewer, 1, 4_000)[:, [TOP, LEFT]])
    assert (first[:, LEFT].min(), first[:, LEFT].max()) == (0, 23)


def test_every_other_epoch_is_mirrored_half_of_the_images_in_the_first():
    first, second = (draw_changes(RunSpec(flip=True), epoch, 4_000)[:, 0] for epoch in (1, 2))
    assert (first == -second).all()
    assert first.mean() == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize(("field", "value"), EVERYTHING.items())
def test_each_field_alone_changes_images(field, value):
    spec = RunSpec(**{field: value})
    assert is_augmented(spec)
    assert is_warped(spec) == (field in ("rotate", "scale", "shear"))
    changes = draw_changes(spec, 1, len(IMAGES))
    changed = change_in_both(IMAGES, changes, spec.erase, is_warped=is_warped(spec))
    assert (changed != IMAGES).any()


def test_nothing_is_changed_where_nothing_is_asked():
    assert not is_augmented(RunSpec())
