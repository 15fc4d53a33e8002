"""Steps that are kept, and the files made of them."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from keras_gahr.denoisers import Inference
from keras_gahr.sampling import AscentSchedule, Trajectory, sample
from keras_gahr.sampling.trajectory import TRAJECTORY_FILES

SHAPE = (8, 12, 1)
SCHEDULE = AscentSchedule(beta=0.5, sigma_end=0.1)


def test_what_is_kept(tiny_denoiser, tmp_path):
    kept, ys = Trajectory(5), []
    options = {"count": 3, "seed": 2, "schedule": SCHEDULE, "batch_size": 2}
    samples = sample(
        tiny_denoiser,
        SHAPE,
        callback=lambda images, t, y, sigma: ys.append((t, np.array(y))),
        trajectory=kept,
        **options,
    )
    assert np.array_equal(kept.t[:-1], np.arange(1, kept.t[-1], 5))
    assert kept.y.shape == kept.denoised.shape == (len(kept.t), 3, *SHAPE)
    assert np.array_equal(kept.denoised[-1], samples.images)
    assert kept.sigma[-1] == pytest.approx(samples.sigma)
    # Step 6 is kept as step 5 left it.
    of_first_batch = next(y for t, y in ys if t == 5)
    assert np.array_equal(kept.y[1, :2], of_first_batch)
    expected = Inference(tiny_denoiser).denoise(kept.y[1])
    assert kept.denoised[1] == pytest.approx(expected, abs=1e-5)
    residual = kept.y[1] - kept.denoised[1]
    assert kept.sigma[1] == pytest.approx(np.sqrt(np.mean(residual**2, axis=(1, 2, 3))), rel=1e-4)

    samples.save(tmp_path / "out")
    assert {*TRAJECTORY_FILES} < {path.name for path in (tmp_path / "out").iterdir()}
    with np.load(tmp_path / "out" / "trajectory.npz") as arrays:
        assert np.array_equal(arrays["y"], kept.y)
        assert np.array_equal(arrays["t"], kept.t)
    with Image.open(tmp_path / "out" / "trajectory.gif") as animation:
        # Pillow joins frames that are alike, such as those after the end of the longest.
        assert len(kept.t) - 2 <= animation.n_frames <= len(kept.t)
    dataclasses.replace(samples, trajectory=None).save(tmp_path / "out", overwrite=True)


def test_each_call_starts_anew(tiny_denoiser):
    kept = Trajectory(5)
    options = {"count": 2, "schedule": SCHEDULE, "trajectory": kept}
    first, second = (sample(tiny_denoiser, SHAPE, seed=seed, **options) for seed in (0, 1))
    assert kept.y.shape == (len(kept.t), 2, *SHAPE)
    assert np.array_equal(kept.denoised[-1], second.images)
    # What the first call kept is that of its samples.
    assert np.array_equal(first.trajectory.denoised[-1], first.images)

    def stop(images, t, y, sigma):
        if t == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sample(tiny_denoiser, SHAPE, callback=stop, **options)
    third = sample(tiny_denoiser, SHAPE, **{**options, "count": 1})
    assert kept.t[0] == 1 and np.all(np.diff(kept.t) > 0)
    assert np.array_equal(kept.denoised[-1], third.images)
