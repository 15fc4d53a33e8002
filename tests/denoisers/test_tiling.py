"""Large images in tiles: the same result in less memory."""

import itertools
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_gahr import InputError, _backend
from keras_gahr._backend.steps import steps_of
from keras_gahr.denoisers import (
    DirectDenoiser,
    Inference,
    MultiScaleDenoiser,
    build_denoiser,
    with_precision,
)
from keras_gahr.denoisers.footprint import footprint
from keras_gahr.denoisers.haar import HaarAnalysis, HaarSynthesis
from keras_gahr.denoisers.properties import receptive_field
from keras_gahr.denoisers.reach import NetworkReach, network_reach
from keras_gahr.denoisers.tiling import AxisTiling, best_tiling, pixels_of
from tests import tolerances
from tests.networks import relative_difference, with_unit_gammas

PLENTY = 10**11


def build(architecture, **options):
    return with_unit_gammas(build_denoiser(architecture, seed=1, **options))


def multi_scale(num_kernels=6):
    details = [
        build("bf-cnn-rf", receptive_field=field, num_kernels=num_kernels, coarse=False)
        for field in (9, 5)
    ]
    return MultiScaleDenoiser(build("bf-cnn", num_layers=4, num_kernels=num_kernels), details)


def images(denoiser, height, width, count=1):
    shape = (count, height, width, denoiser.input_channels)
    return np.random.default_rng(0).normal(0.5, 0.2, shape).astype(np.float32)


def memory_for(denoiser, noisy, pixels):
    """What tiles of so many pixels of these images take."""
    of_image = 8 * noisy[0].size // denoiser.input_channels
    channels = denoiser.input_channels + denoiser.output_channels
    return of_image * channels + footprint(Inference(denoiser).network).bytes(pixels)


def in_tiles(denoiser, noisy, pixels, **options):
    """The residual in tiles of at most so many pixels, and how many passes that took."""
    inference = Inference(denoiser, memory=memory_for(denoiser, noisy, pixels), **options)
    passes = []
    residual = inference.residual(noisy, lambda done, total: passes.append((done, total)))
    assert passes == [(done, len(passes) - 1) for done in range(len(passes))]
    return residual, len(passes) - 1


@pytest.mark.parametrize("length", [97, 128, 1000])
@pytest.mark.parametrize(("margin", "grid"), [(5, 4), (51, 32), (107, 64), (0, 4)])
def test_tiles_cover_an_axis_once_and_lie_on_the_grid(length, margin, grid):
    choices = list(AxisTiling.choices(length, margin, grid))
    assert choices[-1].starts == [0]
    for choice in choices:
        assert all(start % grid == 0 for start in choice.starts)
        covered = []
        for part in choice.parts:
            assert part.tile.stop - part.tile.start == choice.size
            assert part.tile.stop <= length
            assert (part.tile.start + part.inner.start, part.tile.start + part.inner.stop) == (
                part.kept.start,
                part.kept.stop,
            )
            # A whole margin is between what is kept and an edge that is none of the image's.
            assert part.tile.start == 0 or part.inner.start >= margin
            assert part.tile.stop == length or part.inner.stop <= choice.size - margin
            covered += range(part.kept.start, part.kept.stop)
        assert covered == list(range(length))


def test_the_tiling_that_computes_the_fewest_pixels():
    reach = NetworkReach((51, 51), 8)
    down, across = best_tiling(3000, 4000, reach, 600_000)
    assert pixels_of((down, across)) <= 600_000
    computed = down.size * across.size * len(down.starts) * len(across.starts)
    assert computed < 1.45 * 3000 * 4000
    smallest = pixels_of(best_tiling(3000, 4000, reach, 0))
    assert smallest == (3000 % 32 + 128) * (4000 % 32 + 160)


@pytest.mark.parametrize(
    ("denoiser", "slack"),
    [
        (lambda: build("unet", num_blocks=1, num_kernels=4), 1),
        (lambda: build("unet", num_blocks=2, num_kernels=4), 3),
        (lambda: build("bf-cnn", num_layers=6, num_kernels=4), 0),
        (lambda: build("bf-cnn-rf", receptive_field=13, num_kernels=4), 0),
        (lambda: build_denoiser("dilated-unet", num_kernels=8, seed=1), 2),
        pytest.param(multi_scale, 3, marks=pytest.mark.slow),
        (lambda: DirectDenoiser(build("bf-cnn", num_layers=3, num_kernels=4)), 0),
    ],
)
def test_the_reach_is_the_measured_field(denoiser, slack):
    """Where images are halved the field is computed for all places of a pixel at once."""
    denoiser = denoiser()
    reach = network_reach(denoiser)
    field = receptive_field(denoiser)
    for margin, measured in zip(reach.margin, field, strict=True):
        assert 0 <= 2 * margin + 1 - measured <= slack


def test_layers_that_see_the_whole_image_have_no_reach():
    inputs = keras.Input((None, None, 2))
    mean = keras.layers.GlobalAveragePooling2D(keepdims=True)(inputs)
    for outputs in (inputs - mean, keras.layers.GroupNormalization(1)(inputs)):
        assert network_reach(keras.Model(inputs, outputs)) is None


CASES = {
    "unet": (lambda: build("unet", num_blocks=2, num_kernels=4, num_channels=3), 148, 132),
    "dilated-unet": (lambda: build_denoiser("dilated-unet", num_kernels=4, seed=1), 131, 114),
    "multi-scale": (multi_scale, 148, 132),
    "one block": (lambda: build("unet", num_blocks=1, num_kernels=4), 130, 126),
    "three blocks": (lambda: build("unet", num_blocks=3, num_kernels=4), 296, 168),
    "four blocks": (lambda: build("unet", num_blocks=4, num_kernels=2), 560, 304),
    "20 layers": (lambda: build("bf-cnn", num_layers=20, num_kernels=4), 131, 114),
    "21 layers": (lambda: build("bf-cnn", num_channels=3, num_kernels=4), 131, 114),
    "direct": (lambda: DirectDenoiser(build("unet", num_blocks=1, num_kernels=4)), 130, 126),
    "Winograd": (lambda: build("unet", num_blocks=2, num_kernels=64), 148, 132),
} | {
    # So many kernels that not all of a layer's are negative at once, most of them 1x1.
    f"field {field}": (
        lambda field=field: build("bf-cnn-rf", receptive_field=field, num_kernels=16),
        131,
        114,
    )
    for field in (5, 9, 13, 23, 43)
}
QUICK = ("unet", "dilated-unet", "direct")


@pytest.mark.parametrize(
    "name",
    [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in CASES],
)
def test_tiles_give_the_result_of_the_whole_image(name):
    make, height, width = CASES[name]
    denoiser = make()
    noisy = images(denoiser, height, width)
    whole = Inference(denoiser, memory=PLENTY).residual(noisy)
    pixels = 0.6 * height * width
    tiled, passes = in_tiles(denoiser, noisy, pixels)
    assert passes > 1
    assert whole.any()
    assert relative_difference(tiled, whole) < tolerances.TILES


def test_tiles_in_bfloat16():
    denoiser = with_precision(build("bf-cnn", num_layers=4, num_kernels=4), "mixed_bfloat16")
    noisy = images(denoiser, 64, 64)
    tiled, passes = in_tiles(denoiser, noisy, 2000)
    assert passes > 1
    whole = Inference(denoiser, memory=PLENTY).residual(noisy)
    assert relative_difference(tiled, whole) < tolerances.BFLOAT16_OUTPUT


def test_a_batch_that_is_too_large_is_computed_in_smaller_ones():
    denoiser = build("bf-cnn", num_layers=3, num_kernels=4)
    noisy = images(denoiser, 32, 32, count=5)
    smaller, passes = in_tiles(denoiser, noisy, 2 * 32 * 32)
    assert passes == 3
    whole = Inference(denoiser, memory=PLENTY).residual(noisy)
    assert relative_difference(smaller, whole) < tolerances.TILES


@pytest.mark.parametrize(
    ("images_at_hand", "at_once"), [(None, 7), (7.01, 7), (6.99, 4), (3.5, 2), (1.01, 1), (0.5, 1)]
)
def test_a_batch_is_computed_in_memory_that_is_at_hand(images_at_hand, at_once, monkeypatch):
    """In halves of usual batches: each size of them may be compiled by itself."""
    denoiser = build("bf-cnn", num_kernels=8, num_layers=4)
    noisy = images(denoiser, 16, 12, count=7)
    whole = Inference(denoiser, batch_size=7).residual(noisy)
    of_image = footprint(Inference(denoiser).network).per_pixel * 16 * 12
    limit = None if images_at_hand is None else int(images_at_hand * of_image)
    monkeypatch.setattr(_backend, "memory_at_hand", lambda: limit)
    inference = Inference(denoiser, batch_size=7)
    assert inference.at_once(noisy.shape) == at_once
    passes = []
    residual = inference.residual(noisy, lambda done, total: passes.append(total))
    assert set(passes) == {-(-7 // at_once)}
    np.testing.assert_allclose(residual, whole, atol=1e-6)


@pytest.mark.parametrize("in_main_memory", [True, False])
def test_on_an_accelerator_no_memory_comes_from_the_system(in_main_memory, monkeypatch):
    module = _backend._module
    monkeypatch.setattr(module, "in_main_memory", lambda: in_main_memory)
    assert _backend.memory_at_hand() == (module.MEMORY_AT_HAND if in_main_memory else None)


def test_memory_too_small_for_one_tile_says_what_would_do():
    denoiser = build("bf-cnn", num_layers=3, num_kernels=4)
    noisy = images(denoiser, 64, 64)
    with pytest.raises(InputError, match=r"received \d+MB of memory, .* take \d+MB ") as refusal:
        Inference(denoiser, memory=10**6).residual(noisy)
    least = int(str(refusal.value).split(" take ")[1].split("MB")[0]) * 10**6
    assert Inference(denoiser, memory=least).residual(noisy).shape == noisy.shape


def test_sides_that_do_not_divide_are_continued_by_reflection():
    denoiser = build("unet", num_blocks=2, num_kernels=4)
    noisy = images(denoiser, 21, 30)
    with pytest.raises(InputError, match="multiples of 4"):
        Inference(denoiser).residual(noisy)
    padding = Inference(denoiser, pad=True)
    found = padding.denoise(noisy)
    reflected = np.pad(noisy, [(0, 0), (0, 3), (0, 2), (0, 0)], mode="reflect")
    expected = padding.denoise(reflected)[:, :21, :30]
    np.testing.assert_array_equal(found, expected)
    assert padding.padded((1, 2)) == (4, 4)


def test_padded_images_in_tiles():
    denoiser = build("unet", num_blocks=1, num_kernels=4)
    noisy = images(denoiser, 101, 67)
    whole = Inference(denoiser, memory=PLENTY, pad=True).residual(noisy)
    tiled, passes = in_tiles(denoiser, noisy, 5000, pad=True)
    assert passes > 1
    assert relative_difference(tiled, whole) < tolerances.TILES


def test_steps_compute_what_the_model_does():
    parts = [build("bf-cnn", num_layers=3, num_kernels=4, num_channels=n) for n in (1, 4)]
    details = keras.Model(parts[1].inputs, parts[1].outputs[0][..., :3], name="details")
    low, noisy_details = HaarAnalysis()(inputs := keras.Input((None, None, 1)))
    outputs = HaarSynthesis()(
        parts[0](low), details(keras.ops.concatenate([low, noisy_details], -1))
    )
    denoiser = keras.Model(inputs, outputs)
    noisy = np.random.default_rng(0).random((1, 16, 24, 1), np.float32)
    steps = steps_of(denoiser)
    # Tensors that are let go too early would be missing, and those kept have names.
    dropped = list(itertools.chain.from_iterable(step.idle for step in steps.steps))
    assert len({id(tensor) for tensor in dropped}) == len(dropped)
    found = keras.ops.convert_to_numpy(steps.run(keras.ops.convert_to_tensor(noisy)))
    assert relative_difference(found, denoiser.predict_on_batch(noisy)) < tolerances.OUTPUT


def peak_above(run):
    """By how much the peak of this process's memory rises, in bytes."""

    def read(entry):
        (line,) = [
            line
            for line in Path("/proc/self/status").read_text().splitlines()
            if line.startswith(entry)
        ]
        return 1024 * int(line.split()[1])

    Path("/proc/self/clear_refs").write_text("5")
    before = read("VmRSS")
    run()
    return read("VmHWM") - before


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["unet", "dilated-unet"])
def test_a_pass_takes_no_more_memory_than_is_predicted(architecture):
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("needs Linux' /proc/self/clear_refs")
    denoiser = build(architecture, num_kernels=32)
    inference = Inference(denoiser, memory=PLENTY)
    noisy = images(denoiser, 640, 512)
    needed = memory_for(denoiser, noisy, 640 * 512)
    assert peak_above(lambda: inference.residual(noisy)) < needed
