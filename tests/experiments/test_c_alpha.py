"""The claims of `c-alpha`, which must fail for other slopes, and whole runs."""

import pytest
from findings import curve

from keras_gahr.errors import InputError
from keras_gahr.experiments.c_alpha.experiment import CAlphaRates
from keras_gahr.experiments.c_alpha.findings import RegularityFindings, c_alpha_claims
from keras_gahr.reproduction.settings import replaced

CLOSE, CLOSE_TOO, GROWS, BETTER, BETTER_TOO = range(5)


def findings(alpha, slope, offset=10, spread=0.1):
    """With a linear denoiser that is 2 dB worse than a network of offset 10."""
    network, linear = (curve(slope, height, spread=spread) for height in (offset, 8))
    return RegularityFindings(alpha, network, linear)


def passed(first, second):
    return [claim.passed for claim in c_alpha_claims([findings(*first), findings(*second)])]


def test_slopes_that_are_nearly_optimal():
    assert passed((1, 0.47), (3, 0.74)) == [True] * 5


@pytest.mark.parametrize(
    ("claim", "first", "second"),
    [
        (CLOSE, (1, 0.3), (3, 0.74)),
        (CLOSE, (1, 0.7), (3, 0.74)),
        (CLOSE_TOO, (1, 0.47), (3, 0.5)),
        (GROWS, (1, 0.6), (3, 0.5)),
        (BETTER, (1, 0.47, 5), (3, 0.74)),
        (BETTER_TOO, (1, 0.47), (3, 0.74, 5)),
    ],
)
def test_each_claim_fails_where_it_is_not_so(claim, first, second):
    assert passed(first, second)[claim] is False


def test_what_is_too_uncertain_is_not_decided():
    assert passed((1, 0.6), (3, 0.6))[GROWS] is None


@pytest.mark.parametrize("alphas", [(2,), (3, 1), (1, 1), ()])
def test_regularities_must_ascend(alphas):
    settings = replaced(CAlphaRates.scales["smoke"], alphas=alphas)
    with pytest.raises(InputError, match="received alphas"):
        CAlphaRates().trainings(settings)


def test_all_scales_can_be_planned():
    for settings in CAlphaRates.scales.values():
        tasks = CAlphaRates().trainings(settings)
        assert len({task.folder for task in tasks}) == len(settings.alphas)


def test_a_network_that_was_not_trained_has_no_optimal_slope(pretend):
    settings = replaced(
        CAlphaRates.scales["smoke"], images=300, curve_images=8, basis_images=2, size=8
    )
    runs = pretend(CAlphaRates().trainings(settings))
    document = CAlphaRates().analyse(settings, runs, lambda text, part: None)
    assert [document.claims[claim].passed for claim in (BETTER, BETTER_TOO)] == [False, False]
    names = {picture.name for picture in document.pictures()}
    assert names == {"psnr", "vectors-alpha-1", "vectors-alpha-3"}


@pytest.mark.long
@pytest.mark.slow
def test_slopes_grow_with_regularity(finish):
    settings = CAlphaRates.scales["smoke"]
    runs = finish(CAlphaRates().trainings(settings))
    document = CAlphaRates().analyse(settings, runs, lambda text, part: None)
    assert document.claims[GROWS].passed is True
