"""Claims on families with few parameters, which must fail for other bases and slopes, and whole runs."""

import dataclasses

import numpy as np
import pytest
from findings import curve

from keras_gahr.analysis import fit_slope
from keras_gahr.errors import InputError
from keras_gahr.experiments.tangent.disks import Disks
from keras_gahr.experiments.tangent.experiment import smoothest_cosines
from keras_gahr.experiments.tangent.findings import TangentFindings, tangent_claims
from keras_gahr.experiments.tangent.ray import Ray
from keras_gahr.experiments.tangent.report import answer
from keras_gahr.experiments.tangent.sines import Sines
from keras_gahr.reproduction.settings import replaced

SPANNED, ADAPTS, NEAR, FALL, MORE, SLOPE, BELOW = range(7)
FAMILIES = [Disks(), Ray(), Sines()]


def findings(
    factors=(1.05, 0.95, 0.6, 0.3),
    share=0.95,
    fixed=0.5,
    dimension=6.0,
    slope=0.8,
    offset=10,
    spread=0.01,
):
    rng = np.random.default_rng(0)
    found = curve(slope, offset)

    def about(values):
        values = np.asarray(values, float)
        return values + spread * rng.standard_normal((8, *values.shape))

    return TangentFindings(
        "Fig. 20",
        2,
        2,
        576,
        about(factors),
        about([share] * 2),
        about([fixed] * 2),
        about(dimension),
        found,
        fit_slope(found),
    )


def passed(**change):
    return [claim.passed for claim in tangent_claims(findings(**change))]


def test_a_network_that_finds_the_tangent_space_and_keeps_more():
    assert passed() == [True] * 7


@pytest.mark.parametrize(
    ("claim", "change"),
    [
        (SPANNED, {"share": 0.5}),
        (ADAPTS, {"fixed": 0.97}),
        (NEAR, {"factors": (1.4, 1.3, 0.6, 0.3)}),
        (NEAR, {"factors": (0.7, 0.6, 0.3, 0.2)}),
        (FALL, {"factors": (1.05, 0.95, 0.94, 0.9)}),
        (MORE, {"dimension": 1.5}),
        (SLOPE, {"slope": 1.1}),
        (BELOW, {"slope": 1, "offset": 30}),
    ],
)
def test_each_claim_fails_where_it_is_not_so(claim, change):
    assert passed(**change)[claim] is False


def test_what_is_too_uncertain_is_not_decided():
    assert passed(share=0.8, spread=0.3)[SPANNED] is None
    assert passed(factors=(1.0, 1.0, 0.9, 0.3), spread=0.2)[FALL] is None


def test_the_projection_itself_is_not_below_the_optimum():
    rng = np.random.default_rng(0)
    found = findings()
    left = found.curve.sigmas[:, None, None] ** 2 * rng.chisquare(2, (1, 1, 4000)) / found.pixels
    optimum = dataclasses.replace(found.curve, after=-10 * np.log10(left))
    claim = tangent_claims(dataclasses.replace(found, curve=optimum, slope=fit_slope(optimum)))[
        BELOW
    ]
    assert claim.passed is not True
    distances = dataclasses.replace(found, curve=optimum).distances
    assert distances.mean() == pytest.approx(0, abs=0.4)
    assert found.optimal_gain - found.optimal_offset == pytest.approx(2.51, abs=0.01)


@pytest.mark.parametrize(("gain", "side"), [(20, "below"), (30, "above")])
def test_the_answer_says_on_which_side_of_the_optimum_the_network_is(gain, side):
    found = findings(slope=1, offset=gain)
    distance = abs(found.optimal_gain - gain)
    assert answer(found).endswith(f"at sigma = 0.01 it is {distance:.1f} dB {side} the optimum.")


def test_the_smoothest_cosines():
    vectors = smoothest_cosines(6, (8, 8, 2))
    flat = vectors.reshape(6, -1)
    np.testing.assert_allclose(flat @ flat.T, np.eye(6), atol=1e-12)
    assert np.ptp(vectors[0]) < 1e-12
    assert np.abs(np.diff(np.sign(vectors[1:3, ..., 0]), axis=1)).sum(axis=(1, 2)).tolist() == [
        0,
        16,
    ]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"vectors": 5}, "5 vectors, expected more than 5"),
        ({"vectors": 257}, "expected 1 to 256"),
        ({"size": 15}, "multiple of 2"),
        ({"sigma": 0}, "received sigma 0"),
        ({"basis_images": 33}, "expected 2 to 32"),
        ({"slope_low": 0.2}, "ascending range"),
        ({"images": 64}, "more than the 64 to test on"),
    ],
)
def test_settings_that_cannot_be_run_are_refused(change, words):
    settings = replaced(Disks.scales["smoke"], **change)
    with pytest.raises(InputError, match=words):
        Disks().trainings(settings)


@pytest.mark.parametrize("experiment", FAMILIES, ids=lambda each: each.name)
def test_all_scales_can_be_planned(experiment):
    folders = {experiment.trainings(each)[0].folder for each in experiment.scales.values()}
    assert len(folders) == 3


@pytest.mark.parametrize("experiment", FAMILIES, ids=lambda each: each.name)
def test_a_network_that_was_not_trained_does_not_know_the_family(experiment, pretend):
    settings = replaced(
        experiment.scales["smoke"], images=300, curve_images=8, basis_images=3, size=8, vectors=16
    )
    document = experiment.analyse(
        settings, pretend(experiment.trainings(settings)), lambda text, part: None
    )
    assert [claim.passed for claim in document.claims] != [True] * 7
    assert len(document.claims) == 7
    assert {picture.name for picture in document.pictures()} >= {"factors", "psnr", "vectors-1"}
    offset = 10 * np.log10(64 / experiment.dimension)
    assert document.numbers["optimal_offset_db"] == pytest.approx(offset)


@pytest.mark.slow
@pytest.mark.parametrize(
    "experiment",
    [FAMILIES[0], *(pytest.param(each, marks=pytest.mark.long) for each in FAMILIES[1:])],
    ids=lambda each: each.name,
)
def test_a_network_finds_the_tangent_space(experiment, finish):
    settings = experiment.scales["smoke"]
    document = experiment.analyse(
        settings, finish(experiment.trainings(settings)), lambda text, part: None
    )
    # So short a training does not tell the directions of a family from the next in number.
    open_claims = {"disks": {SPANNED, FALL}, "sines": {FALL}}.get(experiment.name, set())
    passed = [claim.passed for claim in document.claims]
    assert {claim for claim in range(7) if not passed[claim]} <= open_claims
