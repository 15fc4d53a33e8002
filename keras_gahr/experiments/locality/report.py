"""The report of `locality`: table 1 and the samples of arXiv 2412.20292."""

import numpy as np

from keras_gahr.plot import explanation_of_samples, png_bytes, samples_of_rivals, sides_over_noise
from keras_gahr.report.claim import in_words
from keras_gahr.report.document import Picture, Section, Slider, Table

from ..faces import describe_images
from .findings import PUBLISHED, PUBLISHED_SIDES
from .machines import COPY, ELS, GAUSSIAN, LS, PIXEL, SHUFFLED

_MEANING = {
    ELS: "sees a square of pixels and does not know where it lies",
    LS: "sees a square and knows where it lies",
    PIXEL: "sees one pixel",
    SHUFFLED: "ELS of training images whose pixels are shuffled",
    COPY: "sees everything, and draws training images",
    GAUSSIAN: "knows mean and covariance",
}
_SHOWN = 10
"""Samples in a picture."""


def answer(results):
    shown = "; ".join(
        f"{result.label}: {result.median(ELS):.2f} (ELS), {result.median(LS):.2f} (LS)"
        for result in results
    )
    return f"Median r^2 of what the network and a local machine draw from the same noise: {shown}."


def images_section(runs, results):
    known = results[0].known
    trained = runs[0].task.options["train_size"]
    return Section(
        "Images and machines",
        [
            describe_images(runs[0].dataset),
            f"Networks without (CNN) and with coarser scales (UNet) were trained on {trained} of them, and "
            f"on as many disks. The machines are optima of one who {_in_words()}. ELS knows {known} of "
            "the training images.",
            "All start from the same noise and take the same steps, and the machines are told the noise "
            "level. For each sample r^2 is the squared correlation of its pixels with the machine's.",
        ],
    )


def _in_words():
    return "; ".join(f"{meaning} ({name})" for name, meaning in _MEANING.items())


def samples_section(results):
    figure = explanation_of_samples(
        [(result.label, result.r_squared) for result in results],
        title="The same noise, drawn by both",
    )
    description = answer(results)
    return Section(
        "Samples",
        items=[
            Picture(
                "explained",
                png_bytes(figure),
                "r^2 of each sample of a network with that of each machine; bars are medians.",
                description,
            ),
            Table(
                ("network", "machine", "median r^2", "median r", "published"),
                [
                    (
                        result.label,
                        name,
                        in_words(result.median(name), result.median_interval(name)),
                        round(float(np.median(r)), 3),
                        PUBLISHED.get(name) if result is results[0] else None,
                    )
                    for result in results
                    for name, r in result.correlation.items()
                ],
                "With 95% intervals over samples. Published: Fashion-MNIST, a ResNet without attention.",
            ),
            Slider(
                "network",
                [result.label for result in results],
                [_samples_page(result) for result in results],
                "Samples of the network, and what each machine draws from the same noise; numbers: median "
                "r^2.",
            ),
        ],
    )


def _samples_page(result):
    names = [*result.machines]
    rows = [result.samples, *result.machines.values()]
    figure = samples_of_rivals(
        ["network", *names],
        np.stack([row[:_SHOWN] for row in rows]),
        numbers=[result.median(name) for name in names],
        title=result.label,
    )
    return Picture(
        f"samples-{result.label.replace(', ', '-').lower()}",
        png_bytes(figure),
        "",
        f"Rows of samples of {result.label}: the network's, and those of {', '.join(names)}.",
    )


def sides_section(results):
    lines = [(result.label, result.calibration.sides) for result in results]
    levels = [sigma for sigma, _ in lines[0][1]]
    places = np.linspace(0, len(PUBLISHED_SIDES) - 1, len(levels)).round().astype(int)
    published = [(sigma, PUBLISHED_SIDES[k]) for sigma, k in zip(levels, places, strict=True)]
    figure = sides_over_noise(
        lines, published=published, title="The square that explains the network"
    )
    return Section(
        "How far networks see",
        [
            "At each noise level the square is taken with which ELS explains best what noise the network "
            "finds in its own samples on their way."
        ],
        [
            Picture(
                "sides",
                png_bytes(figure),
                "Sides in pixels; those published for Fashion-MNIST step by step, since their noise levels "
                "are others.",
                "Sides over noise levels: "
                + "; ".join(
                    f"{name}: {', '.join(str(side) for _, side in line)}" for name, line in lines
                ),
            )
        ],
    )


def numbers(results):
    return {
        result.label: {
            "known_images": result.known,
            "machines": {
                name: {
                    "median_r_squared": result.median(name),
                    "median_r_squared_95": list(result.median_interval(name)),
                    "median_r": float(np.median(r)),
                    "r": r.tolist(),
                }
                for name, r in result.correlation.items()
            },
            "calibration": result.calibration.numbers(),
        }
        for result in results
    }
