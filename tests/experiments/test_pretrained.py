"""The trainings of the denoisers that come with the package."""

import pytest
from findings import curve

from keras_gahr.errors import InputError
from keras_gahr.experiments.pretrained.experiment import Pretrained
from keras_gahr.experiments.pretrained.findings import PretrainedFindings, pretrained_claims
from keras_gahr.experiments.pretrained.report import answer, quality_section
from keras_gahr.report.document import Picture
from keras_gahr.reproduction.settings import replaced


def test_all_scales_can_be_planned():
    for settings in Pretrained.scales.values():
        tasks = Pretrained().trainings(settings)
        assert len({task.folder for task in tasks}) == 2 * (len(settings.alphas) + 2)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"alphas": (3, 1)}, "received alphas 3, 1"),
        ({"disk_size": 25}, "received disk_size 25"),
        ({"unet_size": 36}, "received unet_size 36"),
        ({"slope_low": 0.5}, "received slopes from sigma 0.5"),
    ],
)
def test_settings_that_cannot_be(changed, said):
    with pytest.raises(InputError, match=said):
        Pretrained().trainings(replaced(Pretrained.scales["paper"], **changed))


@pytest.mark.parametrize(
    ("slope", "height", "passed"),
    [(0.67, 10, [True, True]), (0.67, 6, [False, True]), (0.4, 10, [True, False])],
)
def test_claims_fail_where_they_are_not_so(slope, height, passed):
    network, linear = (curve(slope, each, spread=0.1) for each in (height, 8))
    found = PretrainedFindings(2, network, linear, "c-alpha-2-40-unet")
    assert [claim.passed for claim in pretrained_claims([found])] == passed


@pytest.mark.parametrize(
    ("margins", "said"),
    [
        (
            (0.81, 6.29, -7.1),
            "2 of 3 networks denoise better than the best linear denoiser of the same images, by 0.8 to "
            "6.3 dB; the other one is 7.1 dB worse.",
        ),
        (
            (0.8, -0.5, -7.1),
            "1 of 3 networks denoises better than the best linear denoiser of the same images, by 0.8 dB; "
            "the others are 0.5 to 7.1 dB worse.",
        ),
        (
            (1.0, 2.0),
            "2 of 2 networks denoise better than the best linear denoiser of the same images, by 1.0 to "
            "2.0 dB.",
        ),
        (
            (-1.0, -2.0),
            "None of the 2 networks denoises better than the best linear denoiser of its images: they are "
            "1.0 to 2.0 dB worse.",
        ),
    ],
)
def test_the_answer_gives_the_range_of_those_that_are_better(margins, said):
    linear = curve(0.5, 8)
    results = [
        PretrainedFindings(2, curve(0.5, 8 + margin), linear, f"{place}-unet")
        for place, margin in enumerate(margins)
    ]
    assert answer(results) == said


def test_a_network_that_was_not_trained_is_no_better_than_the_best_linear_one(pretend):
    settings = replaced(
        Pretrained.scales["smoke"], images=300, curve_images=8, num_blocks=2, slope_low=0.1
    )
    runs = pretend(Pretrained().trainings(settings))
    document = Pretrained().analyse(settings, runs, lambda text, part: None)
    assert len(document.claims) == 8 and not any(claim.passed for claim in document.claims)
    assert [picture.name for picture in document.pictures()] == ["psnr-unet", "psnr-bf-cnn"]


@pytest.mark.parametrize("kinds", [["unet"], ["bf-cnn"], ["unet", "bf-cnn"]])
def test_there_is_a_picture_of_each_architecture_that_was_trained(kinds):
    linear = curve(0.5, 8)
    results = [PretrainedFindings(2, curve(0.5, 9), linear, f"disks-24-{kind}") for kind in kinds]
    pictures = [item.name for item in quality_section(results).items if isinstance(item, Picture)]
    assert pictures == [f"psnr-{kind}" for kind in kinds]
