"""Another call of `sample` compiles nothing, sees changed weights, and keeps nothing alive."""

import gc
import weakref

import keras
import numpy as np
import pytest
from networks import with_unit_gammas

from keras_gahr import InputError
from keras_gahr.denoisers import build_denoiser, load_denoiser, save_denoiser
from keras_gahr.sampling import SAMPLERS, AscentSchedule, NoiseLevels, prepare, sample
from keras_gahr.sampling.measurements import SuperResolution
from keras_gahr.sampling.run import SamplerRun

SCHEDULE = AscentSchedule(beta=1.0, h0=0.5, sigma_end=0.3, max_steps=6)
SHAPE = (8, 8, 1)
HALVED = SuperResolution(SHAPE, 2)


@pytest.fixture
def traced(monkeypatch):
    """A list that grows whenever a step is traced (on PyTorch, which compiles nothing, taken)."""
    calls = []
    step = SamplerRun._step_of

    def count(self, network, *arguments):
        calls.append(self)
        return step(self, network, *arguments)

    monkeypatch.setattr(SamplerRun, "_step_of", count)
    return calls


def network(num_layers=4):
    """Two layers alone have no norm that could be folded."""
    return with_unit_gammas(build_denoiser("bf-cnn", num_layers=num_layers, num_kernels=4, seed=0))


def draw(denoiser, shape=SHAPE, count=2, **options):
    return sample(denoiser, shape, count=count, schedule=SCHEDULE, **options).images


def change(denoiser):
    for variable in denoiser.weights:
        variable.assign(1.25 * variable)


@pytest.mark.parametrize("num_layers", [2, 4])
def test_a_call_like_the_last_one_compiles_nothing(traced, num_layers):
    denoiser = network(num_layers)
    first = draw(denoiser)
    steps = len(traced)
    assert steps
    np.testing.assert_array_equal(draw(denoiser), first)
    if keras.backend.backend() != "torch":
        assert len(traced) == steps
    draw(denoiser, seed=3)
    assert len({id(run) for run in traced}) == 1


@pytest.mark.parametrize("num_layers", [2, 4])
def test_changed_weights_are_seen(traced, num_layers):
    denoiser, other = network(num_layers), network(num_layers)
    kept = prepare(denoiser, SHAPE, schedule=SCHEDULE)
    first = draw(denoiser)
    change(denoiser)
    change(other)
    changed = draw(denoiser)
    assert np.abs(changed - first).max() > 0.01
    np.testing.assert_array_equal(changed, draw(other))
    if num_layers == 4:
        np.testing.assert_array_equal(draw(denoiser, prepared=kept), first)


@pytest.mark.parametrize(
    "other",
    [
        {"shape": (12, 8, 1)},
        {"final_denoise": False},
        {"sampler": "euler", "schedule": NoiseLevels(steps=3)},
        {"measurement": HALVED, "measured": np.zeros((1, *HALVED.measured_shape))},
    ],
)
def test_other_calls_have_other_samplers(traced, other):
    options = {"shape": SHAPE, "schedule": SCHEDULE, **other}
    denoiser = network()
    expected = sample(network(), **options).images
    draw(denoiser)
    np.testing.assert_array_equal(sample(denoiser, **options).images, expected)
    assert len({id(run) for run in traced}) == 3


def test_samples_tell_what_was_prepared():
    denoiser, options = network(), {"sampler": "heun", "schedule": NoiseLevels(steps=3)}
    options |= {"measurement": HALVED, "final_denoise": False}
    kept = prepare(denoiser, SHAPE, **options)
    with pytest.raises(InputError, match="but not what it measured"):
        sample(denoiser, SHAPE, prepared=kept)
    measured = HALVED(np.full((1, *SHAPE), 0.5))
    expected = sample(denoiser, SHAPE, measured=measured, **options)
    found = sample(denoiser, SHAPE, measured=measured, prepared=kept)
    np.testing.assert_array_equal(found.images, expected.images)
    assert found.facts == expected.facts and found.facts["sampler"] == "heun"
    assert found.passes.tolist() == expected.passes.tolist()
    with pytest.raises(InputError, match="of images of shape"):
        sample(denoiser, (2, 2, 1), measured=measured, prepared=kept)


@pytest.mark.parametrize("num_layers", [2, 4])
def test_a_denoiser_is_not_kept_alive_by_its_sampler(num_layers):
    denoiser = network(num_layers)
    draw(denoiser)
    gone = weakref.ref(denoiser)
    del denoiser
    gc.collect()
    assert gone() is None


def test_the_sampler_is_not_saved(tmp_path):
    denoiser = network()
    save_denoiser(denoiser, tmp_path / "before.keras")
    draw(denoiser)
    save_denoiser(denoiser, tmp_path / "after.keras")
    sizes = {path.stat().st_size for path in tmp_path.iterdir()}
    assert len(sizes) == 1
    assert len(denoiser.weights) == len(network().weights)
    np.testing.assert_array_equal(draw(load_denoiser(tmp_path / "after.keras")), draw(denoiser))


def test_what_was_prepared_keeps_the_name_of_its_sampler(monkeypatch):
    monkeypatch.setitem(SAMPLERS, "own", SAMPLERS["euler"])
    denoiser, levels = network(), NoiseLevels(sigma_end=0.3, steps=4)
    run = prepare(denoiser, SHAPE, schedule=levels, sampler="own")
    assert sample(denoiser, SHAPE, prepared=run).facts["sampler"] == "own"
    assert sample(denoiser, SHAPE, schedule=levels, sampler="own").facts["sampler"] == "own"
