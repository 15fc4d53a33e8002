"""What a report says of trainings that were run, whatever they were run for."""

import itertools

from keras_gahr.plot import gap_over_noise, png_bytes, training_history, training_levels
from keras_gahr.report.document import Document, Picture, Section, Slider, Table

from .differences import PARTS, differences_section
from .labels import RunLabels, run_names, sorted_runs

_MEANING = (
    "A network that memorizes denoises the images it was trained on better than others: its train-test "
    "gap is large. One that has learned what its images have in common denoises both alike: its gap is "
    "near zero. Where between these a network stands is a matter of degree.",
    "Both sets are the first 64 images or fewer, and they are different images: where one set happens to "
    "be easier to denoise, the gap has a part that training did not make, of either sign.",
)


def run_report(runs):
    """The report of some runs.

    Args:
        runs: a list of `RunFacts`, at least one with an epoch done. They are sorted by the number of
            training images if it differs.

    Returns:
        `Document`.
    """
    runs = sorted_runs(runs)
    names = run_names(runs)
    labels = RunLabels(runs, names)
    one = len(runs) == 1
    return Document(
        name="training-run" if one else "training-runs",
        title=f"Training run {names[0]}" if one else f"{len(runs)} training runs",
        question="Did the network memorize its training images, or learn what they have in common?"
        if one
        else "Which networks memorized their training images, and which learned what these have in "
        "common?",
        answer=_answer(runs, labels),
        sections=[
            section
            for section in (
                _numbers_section(runs, names),
                _levels_section(runs, labels),
                _training_section(runs, labels),
                _pictures_section(runs, labels),
                differences_section(runs, labels),
            )
            if section is not None
        ],
        numbers={"runs": [_numbers(*pair) for pair in zip(runs, names, strict=True)]},
        settings={
            name: {part: run.part(part) for part in PARTS}
            for name, run in zip(names, runs, strict=True)
        },
        versions=_versions(runs),
        seconds=sum(run.seconds for run in runs),
    )


def _answer(runs, labels):
    found = [
        (label, gap) for label, run in zip(labels.long, runs, strict=True) if (gap := run.gap())
    ]
    if not found:
        return (
            "The runs do not tell: PSNR over noise levels was not measured on training and on test "
            "images, so that there is no train-test gap."
        )
    if len(found) > 4:
        ordered = sorted(found, key=lambda pair: pair[1]["mean"])
        (least, low), (most, high) = ordered[0], ordered[-1]
        return (
            f"By degrees: of {len(found)} runs, {most} has the largest train-test gap, "
            f"{high['mean']:.2f} dB on average over noise levels, and {least} the smallest, "
            f"{low['mean']:.2f} dB. Near zero a network does as well on images that it has never seen."
        )
    gaps = "; ".join(
        f"{label}: {gap['mean']:.2f} dB (largest at sigma {gap['sigma']:.3f}, {gap['largest']:.2f} dB)"
        for label, gap in found
    )
    return (
        "How much better training images are denoised than test images, on average over noise levels: "
        f"{gaps}. Near zero a network does as well on images that it has never seen."
    )


def _numbers_section(runs, names):
    rows = []
    for run, name in zip(runs, names, strict=True):
        last, gap = run.history[-1] if run.history else {}, run.gap() or {}
        rows.append(
            [
                name,
                run.train_size,
                run.run.epoch,
                sum(row["steps"] for row in run.history),
                last.get("train_psnr"),
                last.get("test_psnr"),
                gap.get("mean"),
                gap.get("largest"),
                gap.get("sigma"),
                run.seconds / 60 if run.history else None,
            ]
        )
    columns = (
        "run",
        "N",
        "epochs",
        "steps",
        "train PSNR",
        "test PSNR",
        "mean gap",
        "largest gap",
        "at sigma",
        "minutes",
    )
    caption = (
        "The last epoch: N training images; PSNR in dB at the noise levels that were trained with (of "
        "training images during the epoch); the train-test gap in dB at fixed noise levels, its mean "
        "and where it is largest; sigma is in units of [0, 1]."
    )
    return Section(
        "The last epoch",
        (*_unfinished(runs, names), *_MEANING),
        [Table(columns, rows, caption)],
    )


def _unfinished(runs, names):
    """Says which runs are not whole, or have another model than that of the last epoch."""
    for run, name in zip(runs, names, strict=True):
        parts = []
        if run.run.state != "finished":
            parts.append(f"is {run.run.state}, after epoch {run.run.epoch} of {run.run.epochs}")
        if not run.has_model:
            parts.append("has no model")
        elif run.levels and run.kept_epoch is None:
            parts.append("has a model that is not of the end of an epoch")
        elif run.levels and run.kept_epoch != run.last_epoch_measured:
            parts.append(f"has the model of epoch {run.kept_epoch}, not of the last one")
        if not run.levels:
            parts.append("has no PSNR over noise levels")
        if parts:
            yield f"{name} {' and '.join(parts)}."


def _levels_section(runs, labels):
    drawn = [(run, k) for k, run in enumerate(runs) if run.levels]
    if not drawn:
        return None
    rows = [row for run, _ in drawn for row in run.levels]
    items = _slider(
        "levels",
        labels,
        {k: png_bytes(training_levels(run.levels, room=rows)) for run, k in drawn},
        "PSNR of denoised against that of noisy images in the last epoch, and faintly in the first. "
        "Where the two curves part, training images are denoised better than others (compare Figs. 1 "
        "and 9 of the paper).",
        "PSNR curves on training and test images",
    )
    gaps = [
        (
            labels.long[k],
            *zip(*((level["input_psnr"], level["gap"]) for level in found), strict=True),
        )
        for run, k in drawn
        if (found := [level for level in run.last_levels() if "gap" in level])
    ]
    if len(gaps) > 1:
        items.append(
            Picture(
                "gaps",
                png_bytes(gap_over_noise(gaps)),
                "The train-test gap of all runs against the PSNR of the noisy images: strong noise is at "
                "the left.",
                f"A curve for each of {len(gaps)} runs; the numbers are in the table below.",
            )
        )
    return Section("PSNR over noise levels", items=[*items, _levels_table(drawn, labels)])


def _levels_table(drawn, labels):
    found = [({level["sigma"]: level for level in run.last_levels()}, k) for run, k in drawn]
    sigmas = sorted(set(itertools.chain(*(levels for levels, _ in found))))
    noisy = {sigma: level["input_psnr"] for levels, _ in found for sigma, level in levels.items()}
    columns = ["sigma", "noisy"]
    for _, k in found:
        start = f"{labels.long[k]}: " if len(found) > 1 else ""
        columns += [f"{start}train", f"{start}test", f"{start}gap"]
    rows = [
        [
            sigma,
            noisy[sigma],
            *(
                levels.get(sigma, {}).get(name)
                for levels, _ in found
                for name in ("train_psnr", "test_psnr", "gap")
            ),
        ]
        for sigma in sigmas
    ]
    return Table(columns, rows, "PSNR in dB after the last epoch; sigma is in units of [0, 1].")


def _training_section(runs, labels):
    rows = [row for run in runs for row in run.history]
    pictures = {
        k: png_bytes(training_history(run.history, room=rows))
        for k, run in enumerate(runs)
        if run.history
    }
    caption = (
        "Loss and PSNR over epochs, at the noise levels that were trained with. Those of training images "
        "are averages during the epoch."
    )
    alt = "Curves of loss and PSNR over epochs"
    return Section("Training", items=_slider("training", labels, pictures, caption, alt))


def _pictures_section(runs, labels):
    pictures = {k: png for k, run in enumerate(runs) if (png := run.denoised_picture())}
    if not pictures:
        return None
    caption = (
        "Clean, noisy and denoised images after the last epoch: test images, or training images if there "
        "are none."
    )
    alt = "Clean, noisy and denoised images"
    return Section("Denoised images", items=_slider("denoised", labels, pictures, caption, alt))


def _slider(name, labels, pictures, caption, description):
    """A list of one slider over runs, or of one picture.

    Args:
        pictures: for the place of a run the content of a PNG file.
    """
    if not pictures:
        return []
    made = [
        Picture(f"{name}-{k + 1}", png, "", f"{description}: {labels.long[k]}")
        for k, png in pictures.items()
    ]
    if len(labels.long) == 1:
        return [Picture(name, made[0].png, caption, made[0].description)]
    return [Slider(labels.name, [labels.short[k] for k in pictures], made, caption)]


def _numbers(run, name):
    return {
        "run": name,
        "train_size": run.train_size,
        "state": run.run.state,
        "epochs_asked_for": run.run.epochs,
        "seconds": run.seconds,
        "last_epoch": run.history[-1] if run.history else None,
        "gap": run.gap(),
        "levels": run.last_levels(),
    }


def _versions(runs):
    """Of each package and the backend, all that the runs used."""
    found = {}
    for run in runs:
        for name, version in {**run.part("versions"), "backend": run.config.get("backend")}.items():
            found.setdefault(str(name), {})[str(version)] = None
    return {name: ", ".join(versions) for name, versions in found.items()}
