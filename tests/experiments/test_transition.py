"""The claims of `transition`, which must fail where networks do otherwise, and a whole run."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from findings import curve, gap

from keras_gahr.analysis.explanation.report import LEVELS
from keras_gahr.baselines import EmpiricalBayes
from keras_gahr.denoisers import save_denoiser
from keras_gahr.errors import InputError
from keras_gahr.experiments.explanations import MIDDLE
from keras_gahr.experiments.gap import Gap
from keras_gahr.experiments.transition import experiment as transition
from keras_gahr.experiments.transition.experiment import Transition
from keras_gahr.experiments.transition.findings import SetResult, claims_of, crossing_of
from keras_gahr.experiments.transition.report import answer, numbers_section
from keras_gahr.psnr import add_noise
from keras_gahr.report.document import Slider
from keras_gahr.reproduction.settings import replaced

STEEP = Gap(curve(1, 20), curve(0.1, 20))
WIDE, STEEP_ALONE, MERGED, REPEATED, NEW, TWINS, TURN, COPIED, NOT_COPIED = range(9)
QUICK = {
    "curve_images": 16,
    "explain_images": 6,
    "explain_samples": 2,
    "explain_steps": 1,
    "explain_patch": 3,
    "most_local": 2,
}


def explained(share, spread=0.01):
    """A network of which copying leaves so much unexplained on 10 noisy training images."""
    levels = np.array(LEVELS)
    return SimpleNamespace(
        sigmas=levels,
        rivals=("gaussian", "copy"),
        unexplained={
            "train": np.full((len(levels), 2, 10), [[0.5], [share]])
            + spread * np.linspace(-1, 1, 10)
        },
    )


def result(count, gap_, twins, closest, memorized, share):
    spread = np.linspace(-0.02, 0.02, 40)
    return SetResult(
        count=count,
        gap=gap_,
        twins=twins + spread,
        closest=closest + spread,
        memorized=np.arange(80) < 80 * memorized,
        explanation=explained(share),
    )


FIRST = result(10, STEEP, 0.3, 0.97, 1, 0.02)
LAST = result(4000, gap(0.1), 0.95, 0.8, 0, 0.3)


def passed(*results):
    return [claim.passed for claim in claims_of(results)]


def test_all_claims_hold_of_networks_like_the_paper_s():
    assert passed(FIRST, LAST) == [True] * 9


@pytest.mark.parametrize(
    ("claim", "first", "last"),
    [
        (WIDE, {"gap": gap(1)}, {}),
        (STEEP_ALONE, {"gap": gap(5)}, {}),
        (STEEP_ALONE, {"gap": Gap(curve(1, 30), curve(0.9, 20))}, {}),
        (MERGED, {}, {"gap": gap(1)}),
        (REPEATED, {"memorized": np.arange(80) < 8}, {}),
        (NEW, {}, {"memorized": np.arange(80) < 1}),
        (TWINS, {}, {"twins": np.full(40, 0.5)}),
        (TURN, {}, {"twins": np.full(40, 0.2)}),
        (TURN, {}, {"closest": np.full(40, 0.99)}),
        (COPIED, {"explanation": explained(0.3)}, {}),
        (NOT_COPIED, {}, {"explanation": explained(0.05)}),
    ],
)
def test_each_claim_fails_where_it_is_not_so(claim, first, last):
    found = passed(dataclasses.replace(FIRST, **first), dataclasses.replace(LAST, **last))
    assert found[claim] is False


@pytest.mark.parametrize(
    ("claim", "first", "last"),
    [
        (WIDE, {"gap": gap(3, spread=5)}, {}),
        (MERGED, {}, {"gap": gap(0.4, spread=5)}),
        (REPEATED, {"memorized": np.arange(8) < 5}, {}),
        (TWINS, {}, {"twins": np.linspace(0.6, 1, 40)}),
        (TURN, {"twins": np.array([0.3]), "closest": np.array([0.97])}, {}),
        (COPIED, {"explanation": explained(0.09, spread=0.1)}, {}),
        (NOT_COPIED, {}, {"explanation": explained(0.11, spread=0.1)}),
    ],
)
def test_what_is_too_uncertain_is_not_decided(claim, first, last):
    found = passed(dataclasses.replace(FIRST, **first), dataclasses.replace(LAST, **last))
    assert found[claim] is None


def test_copying_is_claimed_of_the_most_images_that_are_few():
    alone = dataclasses.replace(FIRST, count=1, explanation=explained(0.9))
    assert passed(alone, FIRST, LAST)[COPIED] is True
    assert passed(alone, LAST)[COPIED] is False


def test_similarities_cross_once_or_not_at_all():
    middle = result(200, gap(1), 0.85, 0.85, 0.2, 0.1)
    assert crossing_of([FIRST, LAST]) == pytest.approx(
        np.exp(np.interp(0, [-0.67, 0.15], np.log([10, 4000])))
    )
    assert 150 < crossing_of([FIRST, middle, LAST]) <= 201
    assert crossing_of([FIRST, dataclasses.replace(FIRST, count=100)]) is None
    assert crossing_of([LAST, FIRST]) is None
    assert crossing_of([FIRST, LAST, FIRST]) is None


def test_the_answer_follows_the_numbers():
    said = answer([FIRST, LAST], 158.4)
    assert "With N = 10 the samples were memorized, with N = 4000 generalized; " in said
    assert "the gap between training and test images fell from 36.0 to 0.1 dB." in said
    assert said.endswith("closer to each other than to training images at N = 158.")
    strange = dataclasses.replace(FIRST, memorized=np.arange(80) < 40, gap=gap(0.1))
    said = answer([strange, dataclasses.replace(LAST, gap=gap(1))], None)
    assert "the samples were neither memorized nor generalized, with" in said
    assert "training and test images rose from 0.1 to 1.0 dB." in said


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ("FF", "At no N were twins closer to each other than to training images."),
        ("LL", "Twins were closer to each other than to training images at all N."),
        ("LF", "Twins were closer to each other than to training images only at N = 1."),
        ("LFL", "Twins were closer to each other than to training images only at N = 1, 3."),
    ],
)
def test_the_answer_says_where_twins_are_closer(order, said):
    results = [
        dataclasses.replace({"F": FIRST, "L": LAST}[kind], count=count)
        for count, kind in enumerate(order, start=1)
    ]
    assert crossing_of(results) is None
    assert answer(results, None).endswith(said)


def test_the_table_says_up_to_and_from_which_number_all_are_so():
    def shown(*results):
        counted = [
            dataclasses.replace(each, count=count) for count, each in enumerate(results, start=1)
        ]
        rows = {row[0]: row[2] for row in numbers_section(counted, None).items[0].rows}
        return rows["samples are training images up to N ="], rows[
            "train and test within 0.5 dB from N ="
        ]

    assert shown(FIRST, LAST, LAST) == (1, 2)
    assert shown(FIRST, LAST, FIRST) == (1, None)
    assert shown(LAST, FIRST, LAST) == (None, 3)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"set_sizes": (100, 10)}, "set sizes 100, 10"),
        ({"set_sizes": (1, 517)}, "images = 1032, expected at least 1034"),
        ({"samples": 1}, "1 samples"),
        ({"beta": 0.0}, "beta"),
        ({"explain_images": 1}, "explain_images"),
        ({"explain_patch": 4}, "odd"),
    ],
)
def test_settings_that_cannot_be_run_are_refused(change, words):
    settings = replaced(Transition.scales["smoke"], **change)
    with pytest.raises(InputError, match=words):
        Transition().trainings(settings)


def test_all_scales_can_be_planned():
    for settings in Transition.scales.values():
        tasks = Transition().trainings(settings)
        assert len({task.folder for task in tasks}) == 2 * len(settings.set_sizes)


def test_one_network_everywhere_neither_memorizes_nor_changes(pretend):
    """Also a negative control of the measurement: this network has seen none of the images."""
    settings = replaced(Transition.scales["smoke"], samples=4, set_sizes=(1, 5), **QUICK)
    experiment, told = Transition(), []
    runs = pretend(experiment.trainings(settings))
    document = experiment.analyse(settings, runs, lambda text, part: told.append(part))
    found = [claim.passed for claim in document.claims]
    assert found[STEEP_ALONE] is found[REPEATED] is False
    assert found[WIDE] is not True
    assert found[TURN] is not True
    assert found[NEW] is True
    assert found[COPIED] is False
    assert found[NOT_COPIED] is True
    assert document.numbers["N=1"]["network_a"]["twins"]["correlation"] == pytest.approx([1] * 4)
    assert document.numbers["N=5"]["explanation"]["training_images"] == 5
    table = document.sections[-1].items[1]
    verdicts = [row[-1] for row in table.rows]
    assert verdicts == [document.numbers[f"N={size}"]["verdict"] for size in settings.set_sizes]
    assert told == sorted(told)
    assert 0 <= told[0] < told[-1] <= 1
    sliders = [item for s in document.sections for item in s.items if isinstance(item, Slider)]
    assert len(sliders) == 3
    for slider in sliders:
        assert slider.values == ["1", "5"]
        assert len({picture.size for picture in slider.pictures}) == 1
    assert "synthetic" in document.sections[0].text[0]


@pytest.mark.parametrize("scale", ["smoke", "laptop"])
def test_small_scales_leave_images_that_no_network_is_trained_on(scale):
    settings = Transition.scales[scale]
    left = settings.network.images - 2 * settings.set_sizes[-1]
    assert left >= settings.explanation.explain_images


def copiers_of(pair):
    """The `FinishedRun`s, with the copiers of their training images in place of their networks."""
    for run in pair:
        save_denoiser(EmpiricalBayes(run.split()[0].images), run.folder / "model.keras")
    return pair


def agreement_of(pair, images, sigma, seed):
    """How two copiers' denoised images correlate, by the formula."""
    stacks = [run.split()[0].images for run in pair]
    noisy = add_noise(images, sigma, seed)
    mean = np.concatenate(stacks).mean(axis=0)
    denoised = [EmpiricalBayes(stack).denoise(noisy) for stack in stacks]
    a, b = (each - stack.mean(axis=0) for each, stack in zip(denoised, stacks, strict=True))
    lengths = [np.sqrt(np.sum((each - mean) ** 2, axis=(1, 2, 3))) for each in denoised]
    return np.sum(a * b, axis=(1, 2, 3)) / np.prod(lengths, axis=0)


@pytest.mark.parametrize("size", [3, 16])
def test_twins_are_asked_about_images_that_neither_was_trained_on(pretend, size):
    """With N = 16 all test images of A are among those that B was trained on, and can copy."""
    settings = replaced(
        Transition.scales["smoke"], images=40, test_size=8, set_sizes=(3, 16), **QUICK
    )
    place = 2 * settings.set_sizes.index(size)
    tasks = Transition().trainings(settings)[place : place + 2]
    pair = copiers_of(pretend(tasks))
    found = settings.explanation.explain(pair, seed=0)
    middle = pair[0].dataset.images[17:23]
    expected = agreement_of(pair, middle, LEVELS[MIDDLE], 0)
    assert found.twins.agreement[MIDDLE] == pytest.approx(expected, abs=1e-4)
    # Copies are far from such images, and near to what B was trained on.
    copied = agreement_of(pair, pair[0].dataset.images[-6:], LEVELS[MIDDLE], 0)
    assert np.abs(np.subtract(copied, expected)).max() > 0.1
    assert found.error[MIDDLE, 0].min() > LEVELS[MIDDLE] ** 2 / 10


def test_without_images_that_neither_was_trained_on_there_is_no_twin(pretend):
    settings = replaced(
        Transition.scales["smoke"],
        images=10,
        test_size=2,
        samples=4,
        set_sizes=(1, 5),
        **QUICK,
    )
    runs = pretend(Transition().trainings(settings))
    document = Transition().analyse(settings, runs, lambda text, part: None)
    twins = [document.numbers[f"N={size}"]["explanation"]["twins"] for size in (1, 5)]
    assert twins[0] is not None
    assert twins[1] is None
    section = next(each for each in document.sections if "explains" in each.title)
    assert "For N = 5 none are left" in " ".join(section.text)
    assert section.items[-1].rows[0][1] is not None
    assert section.items[-1].rows[1] == (
        5,
        "no image is left that neither was trained on",
        None,
        None,
    )


def test_samples_that_do_not_converge_are_an_error_that_says_of_which_networks(
    pretend, monkeypatch
):
    def refuse(*arguments, **options):
        raise InputError("no pair of samples converged")

    monkeypatch.setattr(transition, "compare", refuse)
    settings = replaced(Transition.scales["smoke"], **QUICK)
    runs = pretend(Transition().trainings(settings))
    with pytest.raises(InputError, match="N = 2: no pair of samples converged"):
        Transition().analyse(settings, runs, lambda text, part: None)


@pytest.mark.slow
@pytest.mark.long
def test_networks_turn_from_memorizing_to_generalizing(finish):
    settings = Transition.scales["smoke"]
    runs = finish(Transition().trainings(settings))
    document = Transition().analyse(settings, runs, lambda text, part: None)
    found = [claim.passed for claim in document.claims]
    assert False not in found
    # Two training images and 16 pairs of samples leave the others open, more or fewer by processor.
    assert [found[place] for place in (1, 2, 4, 6, 8)] == [True] * 5
