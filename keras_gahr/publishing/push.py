"""A denoiser, pushed to the Hugging Face Hub."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from keras_gahr.denoisers import DenoiserLike, as_denoiser
from keras_gahr.errors import InputError
from keras_gahr.hub.address import HubAddress, parse_hub_address
from keras_gahr.hub.commit import HubRevision, commit_files
from keras_gahr.hub.library import hub_library
from keras_gahr.runs.facts import read_runs
from keras_gahr.training import TrainingResult

from .revision import NAMES, write_revision

_LICENCE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,60}")


def push_to_hub(
    denoiser: DenoiserLike | TrainingResult,
    repository: str | HubAddress,
    *,
    private: bool = False,
    licence: str | None = None,
    datasets: Sequence[str] = (),
    message: str = "Add a denoiser",
) -> HubRevision:
    """Writes a denoiser into a repository on the Hugging Face Hub, as one commit.

    The revision holds `model.keras`, `model.safetensors` (of networks that were published as one state
    dict, with their names), `config.json` and `README.md`, a card: of a training run it says the data, the
    recipe, the seed and the PSNR at ten noise levels. A repository that is not there is made; other files
    in it stay, and earlier revisions can be loaded by their commit. Who you are is known to the Hub's own
    library, `huggingface_hub`: `hf auth login`, or HF_TOKEN. It comes with `pip install
    "keras-gahr[hub]"`.

    Args:
        denoiser: the folder of a training run, a `TrainingResult`, or anything that `as_denoiser` takes.
        repository: `OWNER/NAME` or `hf://OWNER/NAME`, after which a branch that is there may stand:
            `hf://OWNER/NAME@BRANCH`.
        private: whether a new repository may be seen by its owner only; one that is public is refused.
        licence: of the weights, as the Hub names it: "mit", "cc-by-4.0"; default: none is stated.
        datasets: names of datasets on the Hub that it was trained on, for the card.
        message: of the commit.

    Returns:
        `HubRevision`, whose `address` names the commit.

    Raises:
        InputError: for a network of somebody else's, if the repository may not be written, or if the Hub
            cannot be reached.

    Examples:
        >>> import keras_gahr as kg
        >>> denoiser = kg.build_denoiser("bf-cnn", num_channels=1, num_kernels=4, num_layers=3)
        >>> try:
        ...     kg.push_to_hub(denoiser, "lab/faces", licence="My own")
        ... except kg.InputError as error:
        ...     print(error)
        received the licence 'My own', expected its name on the Hub, such as mit or cc-by-4.0
    """
    address = _address(repository)
    if licence is not None and not _LICENCE.fullmatch(licence):
        raise InputError(
            f"received the licence {licence!r:.80}, expected its name on the Hub, such as mit or cc-by-4.0"
        )
    for dataset in datasets:
        if not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", dataset, re.ASCII):
            raise InputError(
                f"received the dataset {dataset!r:.80}, expected OWNER/NAME of one on the Hub"
            )
    hub_library()  # What it lacks is said before the network is read.
    network, facts = _read(denoiser)
    with tempfile.TemporaryDirectory(prefix="gahr-") as folder:
        files = write_revision(
            network, Path(folder), address.repository, facts, licence, tuple(datasets)
        )
        return commit_files(address, files, message, instead_of=NAMES, private=private)


def _address(repository):
    text = os.fspath(repository)
    address = parse_hub_address(text if text.startswith("hf:") else f"hf://{text}")
    if address.path:
        raise InputError(
            f"received {text!r:.120}, expected {address.repository} alone: a repository has one denoiser"
        )
    return address


def _read(denoiser):
    """The denoiser, and the `RunFacts` of its training if they are at hand."""
    if isinstance(denoiser, TrainingResult):
        folder, denoiser = denoiser.folder, denoiser.denoiser
    elif isinstance(denoiser, str | os.PathLike):
        path = Path(denoiser)
        folder = path.parent if path.name == "model.keras" else path
    else:
        folder = None
    network = as_denoiser(denoiser)  # pyright: ignore[reportArgumentType]
    known = folder is not None and (Path(folder) / "history.csv").is_file()
    return network, read_runs([folder])[0] if known else None
