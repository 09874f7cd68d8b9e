"""Noise put in comes out again, and too few repeats are refused."""

import numpy as np
import pytest

from annotations.statistics.deconvolution import (
    answer_noise,
    flip_rate,
    stable_share,
    stable_shares,
    stable_variance,
)


def test_flip_rate_by_hand():
    # a = 0.82: (1 - sqrt(0.64)) / 2
    first = np.zeros(100)
    second = np.repeat([0, 1], [82, 18])

    assert flip_rate(first, second).value == pytest.approx(0.1)


def test_flips_put_in_come_out():
    rng = np.random.default_rng(1)
    truth = rng.random(4000) < 0.3
    first, second = ((truth ^ (rng.random(4000) < 0.15)).astype(int) for _ in range(2))
    found = flip_rate(first, second, resamples=300, seed=2)

    assert found.low < 0.15 < found.high
    assert stable_share(first.mean(), found.value) == pytest.approx(0.3, abs=0.03)


def test_noise_of_three_answers_comes_out():
    rng = np.random.default_rng(2)
    noise = np.array([[0.8, 0.15, 0.05], [0.1, 0.8, 0.1], [0.05, 0.15, 0.8]])
    truth = rng.choice(3, size=60_000, p=[0.4, 0.4, 0.2])
    first, second = (
        (rng.random((truth.size, 1)) > np.cumsum(noise, axis=1)[truth]).sum(axis=1).clip(0, 2)
        for _ in range(2)
    )
    found = answer_noise(first, second, 3)

    assert found == pytest.approx(noise, abs=0.06)
    shares = np.bincount(first) / first.size
    assert stable_shares(shares, noise) == pytest.approx([0.4, 0.4, 0.2], abs=0.01)


def test_stable_shares_stay_a_distribution():
    # More of the first than the noise can give: the nearest distribution.
    assert stable_shares([1.0, 0.0], [[0.9, 0.1], [0.1, 0.9]]) == pytest.approx([1, 0], abs=1e-6)


def test_stable_variance_by_hand():
    # s^2 of (1, 5) is 8; repeats differ by 2: 4 / 2
    found = stable_variance([1, 5], np.zeros(100), np.full(100, 2.0))

    assert (found.value, found.reliability) == pytest.approx((6, 0.75))


def test_too_few_repeats_are_refused():
    assert flip_rate([0, 1], [0, 1]).undefined_reason == "2 repeat pairs, fewer than 100"
    assert answer_noise([0, 1], [0, 1], 2) is None
    assert stable_variance([1, 2], [1], [1]).undefined_reason == "1 repeat pairs, fewer than 100"
    assert "coin" in flip_rate(np.zeros(100), np.ones(100)).undefined_reason
    assert stable_share(0.4, 0.5) is None
