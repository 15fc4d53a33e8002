"""A report as an experiment would make it, of pictures that are drawn and numbers that are made up."""

import functools

import numpy as np
from matplotlib.figure import Figure

from keras_gahr.plot import png_bytes, show_image
from keras_gahr.report.document import Claim, Document, Picture, Section, Slider, Table

SIZES = (1, 10, 100, 1000, 10_000)
HOSTILE = "<script>alert('\"N\" & M')</script>"


def disk_image(row, column, radius, size=48):
    """A smooth disk, (size, size)."""
    y, x = np.ogrid[:size, :size]
    return 0.25 + 0.5 / (1 + np.exp(np.hypot(y - row, x - column) - radius))


@functools.cache
def twins_picture(count):
    """Two rows of disks, which are more alike for a larger set."""
    figure = Figure(figsize=(7.2, 2.6), layout="constrained")
    rng = np.random.default_rng(count)
    apart = 14 / np.log10(10 * count)
    grid = figure.subplots(2, 6)
    for k in range(6):
        row, column, radius = rng.uniform(14, 34, 3) * (1, 1, 0.4)
        show_image(grid[0, k], disk_image(row, column, radius))
        show_image(grid[1, k], disk_image(row + apart * rng.uniform(-1, 1), column, radius))
    grid[0, 0].set_ylabel("network A")
    grid[1, 0].set_ylabel("network B")
    return Picture(
        f"twins-{count}",
        png_bytes(figure),
        "",
        f"Samples of two networks, each trained on {count} images, from the same noise",
    )


@functools.cache
def curves_picture():
    figure = Figure(figsize=(8.2, 3.4), layout="constrained")
    for axes, part in zip(figure.subplots(1, 2, sharey=True), ("training", "test"), strict=True):
        noisy = np.linspace(0, 48, 10)
        for k, count in enumerate(SIZES):
            gain = 14 * np.exp(-noisy / 30) - (part == "test") * (5 - k) * (noisy / 48)
            axes.plot(noisy, noisy + gain, "o-", markersize=3, label=f"N = {count:,}")
        axes.plot(noisy, noisy, "--", color="#8a8a8a")
        axes.set_title(f"{part} images")
        axes.set_xlabel("PSNR of the noisy image (dB)")
    axes.legend(frameon=False, fontsize=8)
    return Picture(
        "curves",
        png_bytes(figure),
        "PSNR of denoised images against that of noisy ones, for five set sizes N. For few images "
        "the test curve lies below the training curve (compare Fig. 1 of the paper).",
        "Two plots of five curves each. On training images all lie close together, on test images "
        "those of few training images are lower.",
    )


def sample_document(**changes):
    """The report; `changes` replace fields of it."""
    fields = {
        "name": "transition",
        "title": "From memorizing to generalizing",
        "question": "With how many training images does a denoiser stop to memorize them and learn "
        "the distribution behind them?",
        "answer": "Between N = 100 and N = 1,000 disks: at 100, 14 of 16 samples are training images; "
        "at 1,000 none is, and two networks trained on disjoint sets draw the same new images "
        "(correlation 0.991).",
        "claims": [
            Claim(
                "With few images the network memorizes: its samples are training images.",
                True,
                "14 of 16 samples at N = 100 (95%: 62% to 98%)",
                "more than half",
                "Fig. 2, left",
            ),
            Claim(
                "With enough images, train and test PSNR coincide.",
                False,
                "a gap of 0.42 dB at N = 10,000, largest at sigma = 0.12",
                "a gap below 0.2 dB",
                "Fig. 1",
            ),
            Claim(
                "Twins are closer to each other than to their closest training images.",
                None,
                "3 of 16 pairs converged, too few to tell",
                "at least 10 pairs",
                "Fig. 2, right",
            ),
        ],
        "sections": [
            Section(
                "Samples of two networks",
                ["Both networks start from the same noise and were trained on disjoint halves."],
                [
                    Slider(
                        "training images N",
                        [f"{count:,}" for count in SIZES],
                        [twins_picture(count) for count in SIZES],
                        "Samples of A above those of B. As N grows, they become the same images "
                        "(compare Fig. 2).",
                    )
                ],
            ),
            Section(
                "PSNR over noise levels",
                items=[
                    curves_picture(),
                    Table(
                        [
                            "N",
                            *(f"sigma {s:.3f}" for s in np.logspace(0, 2.5, 8) / 255),
                            "the paper",
                        ],
                        [
                            [count, *(48 - 4.7 * k + np.log10(count) for k in range(8)), None]
                            for count in SIZES
                        ],
                        "PSNR of denoised test images in dB, and what Fig. 1 has.",
                    ),
                    Table(
                        ["alpha", "slope", "optimum", "paper", "remark"],
                        [
                            ["1", 0.4712, 0.5, 0.46, "too few images"],
                            ["2", 0.6543, 2 / 3, 0.61, None],
                        ],
                        "Slopes of the PSNR curves.",
                    ),
                ],
            ),
        ],
        "numbers": {"gap": np.float32(0.42), "not measured": float("nan"), "slopes": np.ones(2)},
        "settings": {
            "scale": "laptop",
            "sizes": SIZES,
            "training": {"epochs": 100, "learning_rate": 0.001, "ema": None, "rescale": False},
        },
        "versions": {"python": "3.11.2", "keras": "3.15.1", "backend": "torch 2.13.0"},
        "seconds": 1234.5,
    }
    return Document(**{**fields, **changes})


def hostile_document():
    """One whose every text is an attack or breaks Markdown."""
    text = f"{HOSTILE} | *a* _b_ `c` </style> </title> 50% of $x$\n# no heading"
    picture = twins_picture(1)
    named = [Picture(f"p{k}", picture.png, text, text) for k in range(3)]
    return Document(
        name=HOSTILE.replace(" ", ""),
        title=text,
        question=text,
        answer=text,
        claims=[Claim(text, passed, text, text, text) for passed in (True, False, None)],
        sections=[
            Section(
                text,
                [text],
                [
                    named[0],
                    Slider(text, [text, "x" * 300], named[1:], text),
                    Table([text, "n"], [[text, 1], ["y" * 300, None]], text),
                ],
            )
        ],
        numbers={text: [text]},
        settings={text: {text: text}, "fence": "```"},
        versions={text: text},
    )
