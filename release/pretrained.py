"""Puts the denoisers that `gahr reproduce pretrained` has trained into the package, each with its card.

gahr reproduce pretrained --scale paper --out workspace
python release/pretrained.py workspace

Those whose training the workspace does not hold, or not to its end, stay as they are.
"""

import argparse
import dataclasses
import hashlib
from pathlib import Path

from keras_gahr.denoisers import save_denoiser
from keras_gahr.experiments import find_experiment
from keras_gahr.json_file import read_json, write_json
from keras_gahr.pretrained.catalogue import LICENCE, PretrainedDenoiser
from keras_gahr.publishing.card import card_text, use_blocks, useful_from
from keras_gahr.reproduction.workspace import Workspace
from keras_gahr.runs.facts import read_runs

FOLDER = Path(__file__).resolve().parents[1] / "keras_gahr" / "pretrained"

SIGMA = 25 / 255
"""The PSNR in the list is that of the level next to it."""


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("workspace", type=Path, help="folder of `gahr reproduce pretrained`")
    parser.add_argument("--scale", default="paper", help="of the trainings; default: paper")
    parser.add_argument("--out", type=Path, default=FOLDER, help="default: the package's")
    parser.add_argument(
        "--cards", action="store_true", help="write cards and list of the files that are there"
    )
    chosen = parser.parse_args()
    experiment, workspace = find_experiment("pretrained"), Workspace(chosen.workspace)
    settings = experiment.scales[chosen.scale]
    tasks = experiment.trainings(settings)
    for task in tasks:
        workspace.make_dataset(task.dataset)
    runs = [workspace.finished_run(task) for task in tasks if workspace.is_finished(task)]
    measured = experiment.analyse(settings, runs, lambda name, part: print(f"{name}: {part:.0%}"))
    recipe = f"gahr reproduce {experiment.name} --scale {chosen.scale} --out workspace"
    known = {each["name"]: each for each in already(chosen.out)}
    for run in runs:
        numbers = measured.numbers[run.task.label]
        new = packed(run, numbers, recipe, chosen.out, chosen.cards)
        known[new.name] = dataclasses.asdict(new)
    ordered = [known[task.label] for task in tasks if task.label in known]
    write_json(chosen.out / "catalogue.json", ordered)


def already(out):
    """What the list in a folder says, if there is one."""
    path = out / "catalogue.json"
    return read_json(path, "the list of denoisers") if path.exists() else []


def packed(run, numbers, recipe, out, cards=False):
    """Writes the file, unless only cards are wanted, and the card of a `FinishedRun`.

    Returns its `PretrainedDenoiser`.
    """
    task, denoiser = run.task, run.denoiser()
    (facts,) = read_runs([run.folder])
    path = out / f"{task.label}.keras"
    if not cards:
        # What is written is written whole; the hash is that of the file as it is shipped.
        save_denoiser(denoiser, path)
    content = path.read_bytes()
    level = min(facts.kept_levels(), key=lambda each: abs(each["sigma"] - SIGMA))
    slope = numbers["slope"] and {
        "slope": numbers["slope"]["slope"],
        "interval": numbers["slope"]["interval"],
        "optimal": numbers["optimal_slope"],
    }
    known = PretrainedDenoiser(
        task.label,
        task.options["architecture"],
        in_words(task.dataset),
        task.options["train_size"],
        task.options["seed"],
        {
            "sigma": level["sigma"],
            "noisy": level["input_psnr"],
            "denoised": level["test_psnr"],
        },
        useful_from(facts.kept_levels()),
        slope,
        len(content),
        hashlib.sha256(content).hexdigest(),
    )
    use = [*use_blocks(task.label, []), *notes(known, numbers, recipe)]
    text = card_text(denoiser, task.label, use, facts, LICENCE.lower())
    path.with_suffix(".md").write_text(text, encoding="utf-8")
    return known


def in_words(dataset):
    """What a `DatasetTask` is, without what all have."""
    size = "{0}x{0}".format(dataset.parameters["size"])
    return {
        "c_alpha": f"C^alpha, alpha = {dataset.parameters.get('alpha')}, {size}",
        "disks": f"disks, {size}",
        "mixture": f"mixture of Gaussians, {size}",
    }[dataset.recipe]


def notes(known, numbers, recipe):
    """Blocks on quality beyond the table, on the file, and on how it is made again."""
    gains = [a - b for a, b in zip(numbers["psnr"], numbers["linear_psnr"], strict=True)]
    gain = sum(gains) / len(gains)
    blocks = [
        f"It comes with the package, under its licence, {LICENCE}: {known.size / 1e6:.2f} MB, SHA-256 "
        f"`{known.sha256}`. Trained on {known.train_size:,} images: {known.data}.",
        f"Made again by `{recipe}`.",
        "Samples end above the noise that it does not see: `kg.sample(denoiser, shape, schedule="
        "kg.sampling.AscentSchedule(beta=0.1, sigma_end=0.05))`.",
        f"Over noise levels from {numbers['sigmas'][0]:.2g} to {numbers['sigmas'][-1]:.2g} it denoises "
        f"{abs(gain):.2f} dB {'better' if gain > 0 else 'worse'} than the best linear denoiser of its "
        "images.",
    ]
    if known.slope:
        low, high = known.slope["interval"]
        blocks.append(
            f"There its PSNR grows with slope {known.slope['slope']:.3f} dB per dB (95%: {low:.3f} to "
            f"{high:.3f}); optimal is alpha / (alpha + 1) = {known.slope['optimal']:.3f}."
        )
    return blocks


if __name__ == "__main__":
    main()
