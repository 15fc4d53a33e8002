"""The clock of memorization, for any loop."""

import dataclasses
import math

import keras
import numpy as np
import pytest

import keras_gahr as kg
from keras_gahr.analysis.intervals import share_interval
from keras_gahr.baselines import EmpiricalBayes, Wiener
from keras_gahr.psnr import psnr_of_any
from keras_gahr.training import ClockCallback
from keras_gahr.training.clock import (
    ClockReport,
    Look,
    MemorizationClock,
    generalization_time,
    memorization_time,
    read_clock,
    write_clock,
)
from keras_gahr.training.clock.plan import looks_of, plan_clock
from keras_gahr.training.clock.schedule import LogSteps
from keras_gahr.training.clock.twin import twin_agreement
from keras_gahr.training.data.batches import TiledBatches


@pytest.fixture(scope="module")
def images():
    """32 smooth images of 8x8 and as many others."""
    noise = np.random.default_rng(0).normal(size=(64, 8, 8, 1))
    frequencies = np.hypot(*np.meshgrid(np.fft.fftfreq(8), np.fft.fftfreq(8)))
    smooth = np.fft.ifft2(np.fft.fft2(noise[..., 0]) / (1 + 60 * frequencies**2)).real
    return np.clip(0.5 + 0.6 * smooth[..., None], 0, 1).astype(np.float32)


def closest_of(train):
    """A function that returns the closest training images."""

    def closest(noisy):
        squares = np.square(noisy[:, None] - train).sum((2, 3, 4))
        return train[squares.argmin(1)]

    return closest


def wrapped(function):
    return kg.wrap(function, "image", channels=1, size=(8, 8), layout="NHWC")


def copier(train):
    """A denoiser that memorizes."""
    return wrapped(closest_of(train))


def test_log_steps_are_evenly_spaced():
    steps = LogSteps(4)
    assert steps.up_to(1000) == [10, 18, 32, 56, 100, 178, 316, 562, 1000]
    assert steps.due(10, 0)
    assert not steps.due(9, 0)
    assert not steps.due(17, 10)
    # A loop may look at every hundredth step only.
    assert steps.due(100, 10)
    assert not steps.due(170, 100)


@pytest.mark.parametrize("per_decade", [0.1, 3.7, 50, 1000])
def test_log_steps_are_each_once(per_decade):
    steps = LogSteps(per_decade).up_to(10**6)
    assert steps[0] == 10
    assert steps == sorted(set(steps))


class TestPlan:
    def test_all_that_is_wanted_fits_into_a_long_training(self):
        plan = plan_clock(100_000, 32, 0.05, 32)
        assert (plan.samples, plan.per_decade) == (64, 12.0)
        cost = plan.looks * 64 * 32
        assert plan.share == cost / (3 * 100_000 * 32) <= 0.05
        assert plan.looks == looks_of(12.0, 100_000) == 49

    @pytest.mark.parametrize("steps", [1000, 3000, 10_000])
    def test_a_short_training_gets_fewer_samples_and_looks(self, steps):
        plan = plan_clock(steps, 16, 0.05, 32)
        assert plan.share <= 0.05
        assert plan.samples < 64
        assert plan.looks >= 3

    def test_what_is_asked_for_is_taken_or_refused(self):
        plan = plan_clock(100_000, 32, 0.05, 32, samples=100, per_decade=5.0)
        assert (plan.samples, plan.per_decade) == (100, 5.0)
        with pytest.raises(kg.InputError, match=r"take 9\.3 of its time"):
            plan_clock(1000, 8, 0.05, 32, samples=1000, per_decade=3.0)

    def test_averaged_weights_take_a_part_of_the_budget(self):
        """Their running deviations are measured for each look: here as many passes as 64 samples take."""
        images = np.zeros((100, 8, 8, 1), np.uint8)
        batches = TiledBatches(images, 3200, 32, seed=0)
        denoiser = kg.BFCNN(num_layers=3, num_kernels=2, seed=0)
        settings = kg.training.TrainingSettings(epochs=1000, images_per_epoch=3200, batch_size=32)
        averaged = dataclasses.replace(settings, ema=0.9)
        clock = kg.training.ClockSettings(clock_looks=5.0, clock_samples=64)
        plain, found = (clock.plan(denoiser, batches, each) for each in (settings, averaged))
        assert found == dataclasses.replace(plain, share=2 * plain.share)
        assert plain.share == plain.looks * 64 * 32 / (3 * 100_000 * 32)
        short = dataclasses.replace(averaged, epochs=2)
        with pytest.raises(kg.InputError, match="3 looks at 16 samples take 0\\.4 of its time"):
            kg.training.ClockSettings(clock=True).plan(denoiser, batches, short)

    def test_a_training_without_time_for_three_looks_is_refused(self):
        with pytest.raises(kg.InputError, match="3 looks at 16 samples"):
            plan_clock(20, 16, 0.05, 32)


def some_looks():
    return [
        Look(10, 64, 0.0, 0.0, 0.06, test_error=0.5, train_psnr={10 / 255: 20.0}),
        Look(
            100,
            64,
            0.25,
            0.16,
            0.37,
            test_error=0.21,
            gap=2.0,
            gap_error=0.4,
            train_psnr={10 / 255: 25.0},
            test_psnr={10 / 255: 23.0},
        ),
        Look(1000, 64, 0.5, 0.38, 0.62, test_error=0.2),
    ]


def test_times_are_those_of_the_first_look():
    looks = some_looks()
    assert generalization_time(looks) == 100
    assert memorization_time(looks) == 100
    assert memorization_time(looks[:1]) is None
    assert generalization_time([Look(10)]) is None
    assert looks[0].memorizes() is None
    assert "25% of the samples" in looks[1].memorizes()
    gap = dataclasses.replace(looks[1], f_mem_low=0.01)
    assert "2.00 dB better than others (limit: 1.20 dB" in gap.memorizes()
    assert gap.memorizes(gap_errors=6) is None
    assert looks[1].gaps == {10 / 255: 2.0}


def test_looks_are_written_and_read(tmp_path):
    write_clock(tmp_path / "clock.csv", some_looks())
    for found, look in zip(read_clock(tmp_path / "clock.csv"), some_looks(), strict=True):
        expected = look.row()
        row = found.row()
        for name in expected.keys() | row.keys():
            np.testing.assert_equal(row.get(name, math.nan), expected.get(name, math.nan))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "step,samples\n",
        "step\n10\n",
        "step,samples,other\n10,64,1\n",
        "step,samples\n-1,2\n",
    ],
)
def test_a_damaged_table_is_refused_in_a_line(tmp_path, text):
    path = tmp_path / "clock.csv"
    path.write_text(text)
    if text in {"", "step,samples\n"}:
        assert read_clock(path) == []
        return
    with pytest.raises(kg.InputError, match="expected the table of looks"):
        read_clock(path)


@pytest.mark.one_backend
def test_a_copier_memorizes_and_a_gaussian_model_does_not(images):
    clock = MemorizationClock(images[:8], images[8:], samples=8, sigmas=[0.1, 0.2, 0.4])
    copy = clock.look(10, copier(images[:8]))
    gaussian = clock.look(20, Wiener.from_images(images))
    assert copy.f_mem == copy.f_mem_up_to_a_factor == 1
    assert (copy.f_mem_low, copy.f_mem_high) == share_interval(np.ones(8, bool))
    assert copy.memorizes()
    assert gaussian.f_mem == 0
    assert gaussian.memorizes() is None
    assert copy.closest > 0.999 > 0.95 > gaussian.closest
    assert copy.own_bias_low > 0
    assert gaussian.own_bias < copy.own_bias_low
    report = clock.report()
    assert (report.memorized_at, report.tau_mem, report.tau_gen) == (10, 10, 20)
    assert report.last_before is None


@pytest.mark.one_backend
def test_numbers_are_those_of_their_formulas(images):
    """Errors, gap and the distance to the copy, by loops over images in float64."""
    # As many as are measured, in their order.
    train, test = images[:8], images[8:20]
    sigmas = [0.1, 0.2, 0.4]
    denoiser = Wiener.from_images(images, sigma=0.2)
    look = MemorizationClock(train, test, samples=12, sigmas=sigmas, seed=3).look(1, denoiser)
    noise = kg.noise.keyed_normal(3, range(12), 0, (8, 8, 1))

    def denoised(given, noisy):
        return kg.denoise(given, noisy).astype(np.float64)

    errors, psnrs, copies = {}, {}, []
    for name, clean in (("train", train), ("test", test)):
        found = []
        for sigma in sigmas:
            noisy = clean + np.float32(sigma) * noise[: len(clean)]
            found.append(denoised(denoiser, noisy))
            if name == "test":
                copy = denoised(EmpiricalBayes(train, sigma=sigma), noisy)
                away = ((noisy - copy) ** 2).sum()
                copies.append(((found[-1] - copy) ** 2).sum() / away)
        errors[name] = math.exp(np.mean([math.log(((x - clean) ** 2).mean()) for x in found]))
        psnrs[name] = psnr_of_any(found[1], clean)
    # All from the same float32 images; sums of a hundred such squares.
    close = {"rtol": 1e-5}
    np.testing.assert_allclose(look.train_error, errors["train"], **close)
    np.testing.assert_allclose(look.test_error, errors["test"], **close)
    np.testing.assert_allclose(look.gap, psnrs["train"].mean() - psnrs["test"].mean(), atol=1e-4)
    half = psnrs["test"][:6].mean() - psnrs["test"][6:].mean()
    np.testing.assert_allclose(look.gap_null, half, atol=1e-4)
    error = psnrs["test"].std(ddof=1) * math.sqrt(1 / 8 + 1 / 12)
    np.testing.assert_allclose(look.gap_error, error, rtol=1e-4)
    np.testing.assert_allclose(list(look.copy.values()), copies, rtol=1e-4)


def test_a_look_changes_nothing_and_says_the_same_again(images):
    denoiser = kg.BFCNN(num_layers=3, num_kernels=4, seed=0)
    before = denoiser.get_weights()
    clocks = [
        MemorizationClock(images[:8], images[8:], samples=4, batch_size=batch) for batch in (32, 3)
    ]
    one, other = (clock.look(1, denoiser) for clock in clocks)
    for array, old in zip(denoiser.get_weights(), before, strict=True):
        np.testing.assert_array_equal(array, old)
    for name, number in one.row().items():
        # A batch of another size is computed in another order.
        np.testing.assert_allclose(other.row()[name], number, rtol=1e-3, atol=1e-4)


def test_weights_of_now_are_looked_at(images):
    denoiser = kg.BFCNN(num_layers=3, num_kernels=4, seed=0)
    clock = MemorizationClock(images[:8], images[8:], samples=2)
    clock.look(1, denoiser)
    denoiser.set_weights(kg.BFCNN(num_layers=3, num_kernels=4, seed=1).get_weights())
    later = clock.look(2, denoiser)
    fresh = MemorizationClock(images[:8], images[8:], samples=2).look(2, denoiser)
    assert later.row() == pytest.approx(fresh.row(), nan_ok=True)


@pytest.mark.one_backend
def test_features_are_compared_too(images):
    clock = MemorizationClock(
        images[:8], images[8:], samples=8, features=lambda x: x.reshape(len(x), -1)
    )
    look = clock.look(1, copier(images[:8]))
    assert look.f_mem_features == look.f_mem
    # Of one feature, the brightness, distances say little.
    clock = MemorizationClock(images[:8], samples=8, features=lambda x: x.mean((1, 2)))
    assert clock.look(1, copier(images[:8])).f_mem_features > 0.5


@pytest.mark.one_backend
def test_a_share_of_copies_has_its_interval(images):
    """Dark samples become training images, and bright ones such images upside down."""
    train = images[:8]

    def sometimes(noisy):
        copies = closest_of(train)(noisy)
        return np.where(noisy.mean((1, 2, 3), keepdims=True) < 0.5, copies, copies[:, ::-1])

    clock = MemorizationClock(train, images[8:], samples=40)
    look = clock.look(1, wrapped(sometimes))
    found = kg.memorization_report(clock.last_samples, train)
    assert 0 < look.f_mem < 1
    assert look.f_mem == found.share_memorized
    assert (look.f_mem_low, look.f_mem_high) == share_interval(found.memorized)
    assert look.closest == found.closest["correlation"].value[:, 0].mean()
    # All eight training images are compared, and eight of the others.
    assert look.own == look.closest
    others = kg.analysis.closest(clock.last_samples, images[8:], ["correlation"], 1)["correlation"]
    assert look.held_out < others.value.mean()


def test_samples_that_diverged_copy_nothing(images):
    clock = MemorizationClock(images[:8], images[8:], samples=4)
    found = clock._of_samples(np.full((4, 8, 8, 1), np.nan, np.float32), None)
    assert (found["f_mem"], found["f_mem_up_to_a_factor"]) == (0, 0)


@pytest.mark.one_backend
def test_twins_are_compared(images):
    a, b = (copier(images[k : k + 8]) for k in (0, 8))
    clock = MemorizationClock(images[:8], images[16:], samples=8)
    itself = clock.look(1, a, twin=a)
    assert itself.twins == pytest.approx(1)
    samples = clock.last_samples
    other = clock.look(2, b, twin=samples)
    assert other.twins_low < other.twins < other.twins_high
    assert other.twins < 0.9
    assert twin_agreement(samples, np.full_like(samples, np.nan)) == {}


@pytest.mark.one_backend
def test_without_test_images_samples_tell(images):
    look = MemorizationClock(images[:1], samples=4).look(1, copier(images[:1]))
    assert look.f_mem == 1
    assert math.isnan(look.gap)
    assert math.isnan(look.test_error)
    assert look.memorizes()


@pytest.mark.one_backend
def test_the_report_is_saved_and_drawn(tmp_path):
    report = ClockReport(tuple(some_looks()), 16, 64)
    folder = report.save(tmp_path / "report")
    assert sorted(path.name for path in folder.iterdir()) == sorted(ClockReport.FILES[:3])
    assert len(read_clock(folder / "clock.csv")) == 3
    assert report.headline in report.plot().get_suptitle()
    assert kg.plot.memorization_clock([]).axes


@pytest.mark.one_backend
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"train_images": np.zeros((6, 8, 8)), "test_images": np.zeros((6, 9, 8))}, "of one shape"),
        ({"train_images": np.zeros((0, 8, 8))}, "training"),
        ({"train_images": np.full((6, 8, 8), 300.0)}, "training images"),
        ({"train_images": np.zeros((6, 8, 8)), "samples": 1}, "samples"),
        ({"train_images": np.zeros((6, 8, 8)), "looks_per_decade": 0}, "looks_per_decade"),
        ({"train_images": np.zeros((6, 8, 8)), "sigmas": [-0.1]}, "noise levels"),
        ({"train_images": np.zeros((6, 8, 8)), "seed": -1}, "seed"),
    ],
)
def test_wrong_arguments_are_refused(arguments, words):
    with pytest.raises(kg.InputError, match=words):
        MemorizationClock(**arguments)


@pytest.mark.one_backend
def test_colour_images_in_bytes_are_looked_at(images):
    """A look at uint8 images is the look at the floats that they stand for, in colour too."""
    colour = np.concatenate([images, images[::-1], 1 - images], axis=-1)
    stored = np.round(255 * colour).astype(np.uint8)
    values = stored.astype(np.float32) / 255
    looks = [
        MemorizationClock(part[:8], part[8:], samples=4).look(1, Wiener.from_images(values))
        for part in (stored, values)
    ]
    assert looks[0].row() == pytest.approx(looks[1].row(), rel=1e-6, nan_ok=True)
    assert looks[0].f_mem == 0 < looks[0].closest < 1


def test_a_callback_counts_all_steps_of_its_network(images):
    network = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(1, 3, padding="same")])
    network.compile("adam", "mse")
    clock = MemorizationClock(images[:16], images[16:], samples=2)
    for epochs in (2, 3):
        # A new callback each time, as after the network was loaded.
        watch = ClockCallback(clock, kg.wrap(network, "image"))
        fit = {"batch_size": 2, "epochs": epochs, "verbose": 0, "callbacks": [watch]}
        network.fit(images[:16], images[:16], **fit)
    # Steps 1 to 16, and 17 to 40.
    assert [look.step for look in clock.looks] == [10, 13, 18, 24, 32]


@pytest.mark.one_backend
def test_looks_go_forward(images):
    clock = MemorizationClock(images[:8], samples=2)
    clock.look(5, Wiener.from_images(images))
    with pytest.raises(kg.InputError, match="step 5 after one at step 5"):
        clock.look(5, Wiener.from_images(images))
