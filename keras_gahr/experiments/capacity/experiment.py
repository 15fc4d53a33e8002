"""How many images larger networks need for larger images (arXiv 2310.02557, figure 15 and table 1).

Images of 20, 40, 80 and 160 pixels a side go with U-Nets of 1, 2, 3 and 4 blocks, whose receptive
fields are about as large as the images.
"""

import dataclasses

from keras_gahr.denoisers import build_denoiser
from keras_gahr.errors import InputError
from keras_gahr.reproduction.experiment import Experiment

from ..faces import FaceSettings, images_section
from ..gap import measure_gap
from ..networks import NetworkSettings, check_set_sizes
from ..scales import scales_of
from .findings import CapacityResult, claims_of
from .report import answer, gap_section, numbers, numbers_section


@dataclasses.dataclass(frozen=True, kw_only=True)
class CapacitySettings:
    """Settings of the experiment.

    Args:
        network, faces: what it has in common with others.
        sizes: heights and widths of the images, ascending.
        blocks: of the U-Net for each.
        set_sizes: numbers of training images N, ascending.
    """

    network: NetworkSettings = NetworkSettings()
    faces: FaceSettings = FaceSettings()
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
    scales = scales_of(name, CapacitySettings)

    def trainings(self, settings, faces=None):
        check_set_sizes(settings.set_sizes)
        sizes, blocks = settings.sizes, settings.blocks
        if not sizes or len(sizes) != len(blocks) or list(sizes) != sorted(set(sizes)):
            raise InputError(
                f"received sizes {', '.join(map(str, sizes))} and blocks "
                f"{', '.join(map(str, blocks))}, expected ascending sizes and as many blocks, such "
                "as 20,40 and 1,2"
            )
        network = settings.network
        count = settings.set_sizes[-1] + max(network.test_size, network.curve_images)
        tasks = []
        for size, depth in zip(sizes, blocks, strict=True):
            images = settings.faces.images(network, size, count, faces)
            tasks += [
                network.training(f"{size}px N={number}", images, number, num_blocks=depth)
                for number in settings.set_sizes
            ]
        return tasks

    def analyse(self, settings, runs, progress):
        results = []
        count = len(settings.set_sizes)
        for place, (size, blocks) in enumerate(zip(settings.sizes, settings.blocks, strict=True)):
            gaps = []
            for k, run in enumerate(runs[count * place : count * (place + 1)]):
                progress(run.task.label, (count * place + k) / len(runs))
                gaps.append(measure_gap(run, settings.network))
            options = {"num_kernels": settings.network.num_kernels, "num_blocks": blocks}
            channels = runs[count * place].dataset.images.shape[-1]
            denoiser = build_denoiser(architecture="unet", num_channels=channels, **options)
            results.append(
                CapacityResult(
                    size, blocks, denoiser.num_parameters, settings.set_sizes, tuple(gaps)
                )
            )
        return self.document(
            answer(results),
            claims_of(results),
            sections=[
                images_section(runs[0].dataset),
                gap_section(results),
                numbers_section(results),
            ],
            numbers=numbers(results),
        )
