"""How many images larger networks need for larger images (arXiv 2310.02557, figure 15 and table 1).

Images of 20, 40, 80 and 160 pixels a side go with U-Nets of 1, 2, 3 and 4 blocks, whose receptive
fields are about as large as the images.
"""

import dataclasses
import math

from keras_gahr.denoisers import build_denoiser
from keras_gahr.errors import InputError
from keras_gahr.report.document import Document, Section

from .capacity_findings import CapacityResult, answer, claims_of, gap_section, numbers_section
from .experiment import Experiment
from .gap import measure_gap
from .image_networks import (
    ImageNetworkSettings,
    check_set_sizes,
    describe_images,
    images_of,
)


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
            images=512,
            sizes=(8, 16),
            blocks=(1, 2),
            set_sizes=(4, 32, 256),
            test_size=32,
            num_kernels=16,
            epochs=3,
            images_per_epoch=1536,
            batch_size=16,
            learning_rate=4e-3,
            halve_every=1,
            curve_images=256,
        ),
        "laptop": CapacitySettings(
            images=8000,
            sizes=(20, 40),
            blocks=(1, 2),
            set_sizes=(10, 100, 1000, 4000),
            test_size=100,
            num_kernels=32,
            epochs=7,
            images_per_epoch=8000,
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
            answer(results),
            claims=claims_of(results),
            sections=[
                Section("Images", [describe_images(runs[0].dataset)]),
                gap_section(results),
                numbers_section(results),
            ],
            numbers={
                f"{result.size}px": {
                    "blocks": result.blocks,
                    "parameters": result.parameters,
                    "images_needed": None if result.enough == math.inf else result.enough,
                    **{
                        f"N={count}": gap.numbers()
                        for count, gap in zip(result.counts, result.gaps, strict=True)
                    },
                }
                for result in results
            },
        )
