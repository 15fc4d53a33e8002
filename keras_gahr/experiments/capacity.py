"""How many images larger networks need for larger images (arXiv 2310.02557, figure 15 and table 1).

Images of 20, 40, 80 and 160 pixels a side go with U-Nets of 1, 2, 3 and 4 blocks, whose receptive
fields are about as large as the images.
"""

import dataclasses
import math

import numpy as np

from keras_gahr.denoisers import build_denoiser
from keras_gahr.errors import InputError
from keras_gahr.report.document import Claim, Document, Picture, Section, Table
from keras_gahr.report.figures import png_bytes
from keras_gahr.report.memory_figures import gap_figure

from .decisions import all_of, in_words, is_above, is_below
from .experiment import Experiment
from .gap import Gap, measure_gap
from .image_networks import (
    ImageNetworkSettings,
    check_set_sizes,
    describe_images,
    images_of,
)

SMALL = 1.0
"""dB; a network whose mean gap is below this is said to have enough images."""

PAPER_FIELDS = {1: 18, 2: 44, 3: 92, 4: 188}
"""Receptive fields of the paper's table 1 by number of blocks, in pixels."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class CapacitySettings(ImageNetworkSettings):
    """Settings of the experiment; see `ImageNetworkSettings` for the others.

    Args:
        sizes: heights and widths of the images, ascending.
        blocks: of the U-Net for each.
        set_sizes: numbers of training images N, ascending.
    """

    sizes: tuple[int, ...] = (20, 40, 80, 160)
    blocks: tuple[int, ...] = (1, 2, 3, 4)
    set_sizes: tuple[int, ...] = (1, 10, 100, 1000, 10_000, 99_325)


@dataclasses.dataclass(frozen=True, eq=False)
class CapacityResult:
    """What was found for one size of images.

    Attributes:
        size, blocks: pixels a side, and of the U-Net.
        parameters: of the network.
        counts: numbers of training images N, ascending.
        gaps: the `Gap` for each.
    """

    size: int
    blocks: int
    parameters: int
    counts: tuple[int, ...]
    gaps: tuple[Gap, ...]

    @property
    def label(self):
        return f"{self.size}x{self.size}, {self.blocks} block{'s' * (self.blocks > 1)}"

    @property
    def enough(self):
        """The N from which the mean gap stays below `SMALL` dB, between two of `counts`.

        It is interpolated on a logarithmic scale: None if the gap never is below, the smallest N if
        it always is.
        """
        means = [gap.mean for gap in self.gaps]
        above = [place for place, mean in enumerate(means) if mean >= SMALL]
        if not above:
            return float(self.counts[0])
        last = above[-1]
        if last == len(means) - 1:
            return None
        pair = slice(last, last + 2)
        return math.exp(
            np.interp(-SMALL, [-mean for mean in means[pair]], np.log(self.counts[pair]))
        )


class Capacity(Experiment):
    """Figure 15 and table 1."""

    name = "capacity"
    title = "Image size, network size and the number of images"
    question = (
        "How does the gap between training and test images close with the number of training "
        "images, for small images and networks and for large ones?"
    )
    figures = "Fig. 15, Table 1"
    uses_faces = True
    scales = {
        "smoke": CapacitySettings(
            images=128,
            sizes=(8, 16),
            blocks=(1, 2),
            set_sizes=(2, 64),
            test_size=32,
            num_kernels=8,
            epochs=3,
            images_per_epoch=1024,
            batch_size=16,
            learning_rate=4e-3,
            halve_every=1,
            curve_images=64,
        ),
        "laptop": CapacitySettings(
            images=8000,
            sizes=(20, 40),
            blocks=(1, 2),
            set_sizes=(10, 100, 1000, 4000),
            test_size=100,
            num_kernels=32,
            epochs=8,
            images_per_epoch=5000,
            batch_size=16,
            halve_every=2,
            curve_images=500,
        ),
        "paper": CapacitySettings(),
    }

    def trainings(self, settings, faces=None):
        check_set_sizes(settings.set_sizes)
        sizes, blocks = settings.sizes, settings.blocks
        if not sizes or len(sizes) != len(blocks) or list(sizes) != sorted(set(sizes)):
            raise InputError(
                f"received sizes {', '.join(map(str, sizes))} and blocks "
                f"{', '.join(map(str, blocks))}, expected ascending sizes and as many blocks, such "
                "as 20,40 and 1,2"
            )
        count = settings.set_sizes[-1] + max(settings.test_size, settings.curve_images)
        tasks = []
        for size, depth in zip(sizes, blocks, strict=True):
            images = images_of(settings, size, count, faces)
            tasks += [
                settings.training(f"{size}px N={number}", images, number, num_blocks=depth)
                for number in settings.set_sizes
            ]
        return tasks

    def analyse(self, settings, runs, progress):
        results = []
        numbers = len(settings.set_sizes)
        for place, (size, blocks) in enumerate(zip(settings.sizes, settings.blocks, strict=True)):
            gaps = []
            for k, run in enumerate(runs[numbers * place : numbers * (place + 1)]):
                progress(run.task.label, (numbers * place + k) / len(runs))
                gaps.append(measure_gap(run, settings.curve_images, seed=settings.seed))
            network = {"num_kernels": settings.num_kernels, "num_blocks": blocks}
            channels = runs[numbers * place].dataset.images.shape[-1]
            denoiser = build_denoiser(architecture="unet", num_channels=channels, **network)
            results.append(
                CapacityResult(
                    size, blocks, denoiser.num_parameters, settings.set_sizes, tuple(gaps)
                )
            )
        return Document(
            self.name,
            self.title,
            self.question,
            _answer(results),
            claims=claims_of(results),
            sections=[
                Section("Images", [describe_images(runs[0].dataset)]),
                _gap_section(results),
                _numbers_section(results),
            ],
            numbers={
                f"{result.size}px": {
                    "blocks": result.blocks,
                    "parameters": result.parameters,
                    "images_needed": result.enough,
                    **{
                        f"N={count}": gap.numbers()
                        for count, gap in zip(result.counts, result.gaps, strict=True)
                    },
                }
                for result in results
            },
        )


def claims_of(results):
    """What the paper shows of such results, a list of `Claim`.

    Args:
        results: `CapacityResult`s, in ascending order of size.
    """
    return [*map(_closing_claim, results), _largest_claim(results)]


def _closing_claim(result):
    first, last = result.gaps[0], result.gaps[-1]
    return Claim(
        f"At {result.label}, the gap closes with the number of training images.",
        all_of(is_above(first.mean_interval, SMALL), is_below(last.mean_interval, SMALL)),
        f"{in_words(first.mean, first.mean_interval, ' dB')} with {result.counts[0]} images, "
        f"{in_words(last.mean, last.mean_interval, ' dB')} with {result.counts[-1]}",
        f"mean gap above {SMALL:g} dB with the fewest and below with the most",
        "Fig. 15",
    )


def _largest_claim(results):
    small, large = results[0], results[-1]
    most = large.counts[-1]
    needed = [math.inf if result.enough is None else result.enough for result in (small, large)]
    passed = needed[1] > needed[0]
    if needed[0] == needed[1]:
        # Both below or both above the range of set sizes: that says nothing.
        passed = None
    return Claim(
        "Larger images, with networks that are larger in proportion, need more training images.",
        passed,
        "; ".join(
            f"{result.label}: " + (f"about {count:.0f}" if count <= most else f"more than {most}")
            for result, count in zip((small, large), needed, strict=True)
        ),
        f"more until the mean gap is below {SMALL:g} dB for the largest than for the smallest",
        "Figs. 1, 11, 12, 15",
    )


def _answer(results):
    return " ".join(
        f"{result.label}: the mean gap fell from {result.gaps[0].mean:.1f} to "
        f"{result.gaps[-1].mean:.1f} dB between {result.counts[0]} and {result.counts[-1]} images."
        for result in results
    )


def _gap_section(results):
    curves = [
        (r.label, r.counts, [gap.mean for gap in r.gaps], [gap.mean_interval for gap in r.gaps])
        for r in results
    ]
    picture = Picture(
        "gap",
        png_bytes(gap_figure("The gap closes with more images", curves, SMALL)),
        "PSNR on training images less that on test images, mean over the noise levels, with 95% "
        "intervals over images. The paper's Fig. 15.",
        _answer(results),
    )
    return Section("The gap", items=[picture])


def _numbers_section(results):
    return Section(
        "Numbers",
        items=[
            Table(
                (
                    "images",
                    "blocks",
                    "parameters",
                    "receptive field (the paper)",
                    f"images until {SMALL:g} dB",
                    *(f"gap, N = {count}" for count in results[0].counts),
                ),
                [
                    (
                        f"{r.size}x{r.size}",
                        r.blocks,
                        r.parameters,
                        PAPER_FIELDS.get(r.blocks),
                        r.enough and round(r.enough),
                        *(round(gap.mean, 2) for gap in r.gaps),
                    )
                    for r in results
                ],
                "Receptive fields in pixels, from Table 1; mean gaps in dB. The paper's networks "
                "have 64 kernels.",
            )
        ],
    )
