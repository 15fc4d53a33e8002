"""The card of a denoiser: what it is, how it was trained, how well it does."""

import json
import math
import re

from keras_gahr import __version__
from keras_gahr.json_file import json_text
from keras_gahr.psnr import break_even
from keras_gahr.report.document import Table
from keras_gahr.report.markdown import escaped, fenced, table_text

_PLAIN = re.compile(r"[A-Za-z][A-Za-z-]*")
_WORDS_OF_YAML = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}

_INTRODUCTION = (
    "A blind denoiser of images: it is given a noisy image y = x + sigma z and not the noise level, and "
    "returns its estimate of the noise in it. Made with keras-gahr, it runs on TensorFlow, PyTorch and JAX."
)

_UNMEASURED = (
    "PSNR over noise levels is not given: the training measured it after whole epochs, and these weights are "
    "not those after one that it measured."
)


def card_text(denoiser, name, use, facts=None, licence=None, datasets=()):
    """The text of a card, with the header that the Hub reads.

    It names no folders of the machine that it is written on.

    Args:
        denoiser: a `Denoiser`.
        name: its title.
        use: blocks of Markdown on how it is had.
        facts: the `RunFacts` of the training, or None.
        licence: as the Hub names it, such as "mit"; or None.
        datasets: names of datasets on the Hub that it was trained on.
    """
    # Of the weights that are published, which are not always those of the last epoch.
    levels = facts.kept_levels() if facts else []
    blocks = [
        f"---\n{_yaml(_header(name, facts, levels, licence, datasets))}---",
        f"# {escaped(name)}",
        _INTRODUCTION,
        f"{type(denoiser).__name__}, {denoiser.num_parameters:,} parameters, images with "
        f"{denoiser.output_channels} channel{'s' * (denoiser.output_channels > 1)}.",
        "## Use",
        *use,
        *_training(denoiser, facts),
    ]
    if levels:
        blocks += [
            "## Quality",
            _quality(levels),
            f"PSNR in dB, {_watched(facts, levels)}.",
            _harm(levels),
        ]
    elif facts:
        blocks.append(_UNMEASURED)
    blocks.append(f"Written by keras-gahr {__version__}.")
    return "\n\n".join(blocks) + "\n"


def use_blocks(address, extras):
    """Blocks of Markdown: how a denoiser is installed and called.

    Args:
        address: what `load_denoiser` is given.
        extras: of the package, beside that of a backend.
    """
    names = ",".join([*extras, "torch"])
    return [
        f'Install it by `pip install "keras-gahr[{names}]"` (or `tensorflow`, or `jax`, in the place of '
        "`torch`).",
        "```python\nimport keras_gahr as kg\n\n"
        f'denoiser = kg.load_denoiser("{address}")\n'
        "image = kg.denoise(denoiser, noisy)  # (height, width[, channels]), floats in [0, 1]\n```",
    ]


def _header(name, facts, levels, licence, datasets):
    header = {
        "library_name": "keras-gahr",
        "pipeline_tag": "image-to-image",
        "tags": ["keras", "keras-gahr", "denoising", "image-denoising", "diffusion"],
    }
    if licence:
        header["license"] = licence
    if datasets:
        header["datasets"] = list(datasets)
    tested = [level for level in levels if "test_psnr" in level]
    if tested:
        recipe = str(facts.part("data").get("recipe") or "images")
        header["metrics"] = ["psnr"]
        header["model-index"] = [
            {
                "name": name,
                "results": [
                    {
                        "task": {"type": "image-to-image", "name": "Image denoising"},
                        "dataset": {"type": [*datasets, recipe][0], "name": recipe},
                        "metrics": [
                            {
                                "type": "psnr",
                                "name": f"PSNR in dB at sigma {255 * level['sigma']:.1f}/255",
                                "value": round(level["test_psnr"], 3),
                            }
                            for level in tested
                        ],
                    }
                ],
            }
        ]
    return header


def _training(denoiser, facts):
    """Blocks on data and recipe, as far as they are known."""
    if facts is None:
        if not denoiser.provenance:
            return []
        return ["## Origin", fenced(denoiser.provenance)]
    data = {name: value for name, value in facts.part("data").items() if name != "dataset"}
    settings = {name: value for name, value in facts.part("training").items() if value is not None}
    made = {**facts.part("versions"), "backend": facts.config.get("backend")}
    begun = denoiser.provenance.get("started_from")
    seed = settings.get("seed")
    return [
        "## Data",
        "The images that it was trained on, by their recipe and the SHA-256 of all that there were.",
        fenced(data),
        "## Recipe",
        f"{len(facts.history)} epochs in {facts.seconds:.0f} s, seed {seed}, ended as: {facts.run.state}. "
        "The loss is the squared error of the residual, with noise levels drawn for each image.",
        fenced(settings),
        *(["It began with other weights:", fenced(begun)] if begun else []),
        "Made with:",
        fenced(made),
    ]


def _quality(levels):
    columns = {
        "input_psnr": "noisy",
        "train_psnr": "training images",
        "test_psnr": "test images",
    }
    shown = [name for name in columns if any(name in level for level in levels)]
    rows = [
        [f"{255 * level['sigma']:.1f}", *(level.get(name) for name in shown)] for level in levels
    ]
    return table_text(Table(["sigma (of 255)", *(columns[name] for name in shown)], rows, ""))


def _watched(facts, levels):
    gap = any("gap" in level for level in levels)
    is_last = facts.kept_epoch == facts.last_epoch_measured
    epoch = "the last epoch" if is_last else f"epoch {facts.kept_epoch}, which was kept"
    return (
        f"means over the first 64 images of each set, or fewer, with fixed noise after {epoch}"
        + ("; a gap between training and test images is a sign of memorization" if gap else "")
    )


def useful_from(levels):
    """The noise level in units of [0, 1] below which images are better left as they are: see `break_even`.

    Args:
        levels: `kept_levels` of a training's facts.
    """
    known = "test_psnr" if all("test_psnr" in level for level in levels) else "train_psnr"
    columns = ([level[name] for level in levels] for name in ("sigma", "input_psnr", known))
    return break_even(*columns)


def _harm(levels):
    sigma = useful_from(levels)
    worse = (
        "an image is better left as it is: what the network returns is further from the clean one."
    )
    if math.isinf(sigma):
        return f"At the highest of these noise levels, and maybe at all, {worse}"
    if not sigma:
        return "At all of these noise levels what it returns is closer to the clean image than the noisy one."
    return f"**Below sigma = {255 * sigma:.1f}/255, {worse}**"


def _yaml(value, indent=""):
    """Dictionaries, lists and scalars in the block style of YAML, of which JSON's scalars are a part."""
    if isinstance(value, dict):
        items = [(f"{indent}{name}:", part) for name, part in value.items()]
    else:
        items = [(f"{indent}-", part) for part in value]
    lines = []
    for start, part in items:
        if isinstance(part, dict | list):
            below = _yaml(part, f"{indent}  ")
            # The first entry of a mapping in a list stands beside the hyphen.
            beside = start.endswith("-") and isinstance(part, dict)
            lines.append(f"{start} {below.lstrip()}" if beside else f"{start}\n{below}")
        else:
            lines.append(f"{start} {_scalar(part)}\n")
    return "".join(lines)


def _scalar(value):
    if isinstance(value, str):
        if _PLAIN.fullmatch(value) and value.lower() not in _WORDS_OF_YAML:
            return value
        return json.dumps(json.loads(json_text(value)))
    return json_text(value)
