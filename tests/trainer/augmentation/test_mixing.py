"""MixUp and CutMix mix images and targets by the same share."""

import numpy as np
import pytest

from tests.trainer.augmentation.conftest import MODES, layer_of


@pytest.mark.parametrize("mode", MODES)
def test_mixup_blends_neighbours_and_their_targets(pixels, mode):
    targets = np.eye(64, dtype="float32")
    changed, mixed = map(np.asarray, MODES[mode](layer_of(mixup=0.8))(pixels, targets))
    share = mixed[np.arange(64), np.arange(64)]
    np.testing.assert_allclose(mixed[np.arange(64), np.arange(64) - 1], 1 - share, atol=1e-5)
    weight = share.reshape(-1, 1, 1, 1)
    expected = weight * pixels + (1 - weight) * np.roll(pixels, 1, axis=0)
    np.testing.assert_allclose(changed, expected, atol=0.01)


@pytest.mark.parametrize("mode", MODES)
def test_cutmix_shows_a_rectangle_of_the_neighbour_and_counts_its_area(pixels, mode):
    targets = np.eye(64, dtype="float32")
    changed, mixed = map(np.asarray, MODES[mode](layer_of(cutmix=1.0))(pixels, targets))
    other = np.roll(pixels, 1, axis=0)
    is_own = (np.abs(changed - pixels) < 1e-3).all(-1)
    is_other = (np.abs(changed - other) < 1e-3).all(-1)
    assert (is_own | is_other).all()
    share = mixed[np.arange(64), np.arange(64)]
    np.testing.assert_allclose(is_own.mean((1, 2)), share, atol=0.02)
    assert (share < 0.9).any() and (share > 0.6).any()


@pytest.mark.parametrize("alpha", [0.2, 0.8, 1.0, 4.0])
def test_shares_are_of_the_beta_distribution(pixels, targets, alpha):
    layer = layer_of(mixup=alpha)
    eye = np.eye(64, dtype="float32")
    shares = np.concatenate(
        [np.asarray(layer(pixels, eye)[1])[np.arange(64), np.arange(64)] for _ in range(30)]
    )
    assert shares.mean() == pytest.approx(0.5, abs=0.03)
    variance = 1 / (4 * (2 * alpha + 1))
    assert shares.var() == pytest.approx(variance, rel=0.08)


def test_with_both_each_batch_takes_one(pixels, targets):
    layer = layer_of(mixup=1.0, cutmix=1.0)
    kinds = set()
    for _ in range(12):
        changed = np.asarray(layer(pixels, np.eye(64, dtype="float32"))[0])
        is_own = (np.abs(changed - pixels) < 1e-3).all(-1)
        is_other = (np.abs(changed - np.roll(pixels, 1, axis=0)) < 1e-3).all(-1)
        kinds.add("cutmix" if (is_own | is_other).all() else "mixup")
    assert kinds == {"mixup", "cutmix"}


def test_an_image_alone_is_mixed_with_itself(pixels, targets):
    changed, mixed = layer_of(mixup=1.0, cutmix=1.0)(pixels[:1], targets[:1])
    np.testing.assert_allclose(changed, pixels[:1], atol=1e-3)
    np.testing.assert_allclose(mixed, targets[:1], atol=1e-6)
