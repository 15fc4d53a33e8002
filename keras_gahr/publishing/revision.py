"""The files of a revision of a repository: a denoiser, whole, in all forms that it has."""

from keras_gahr import __version__
from keras_gahr.denoisers import save_denoiser
from keras_gahr.json_file import write_json

from .card import card_text, use_blocks

NAMES = ("README.md", "config.json", "model.keras", "model.safetensors")
"""All that a revision may hold of ours."""

_FILES = (
    "`@COMMIT` after the name takes the revision of a commit. `model.keras` is read without executing "
    "anything in it; `model.safetensors`, if it is there, holds the same weights as a state dict of the "
    "published PyTorch code, and `config.json` what the network is."
)


def write_revision(denoiser, folder, repository, facts=None, licence=None, datasets=()):
    """Writes them into an empty folder.

    `model.keras` is read back by the careful reader that everybody has, for `model.safetensors`, which
    there is of networks that were published as one state dict.

    Args:
        denoiser: a `Denoiser`.
        folder: the folder, a path.
        repository: OWNER/NAME.
        facts, licence, datasets: see `card_text`.

    Returns:
        A dictionary of paths by name.

    Raises:
        InputError: for a network of somebody else's.
    """
    from weights_convert.export import export_denoiser, has_published_state

    save_denoiser(denoiser, folder / "model.keras")
    if has_published_state(denoiser):
        export_denoiser(folder / "model.keras", folder / "model.safetensors")
    config = {
        "library_name": "keras-gahr",
        "keras_gahr": __version__,
        "class": type(denoiser).__name__,
        "config": denoiser.get_config(),
    }
    write_json(folder / "config.json", config)
    use = [*use_blocks(f"hf://{repository}", ["hub"]), _FILES]
    text = card_text(denoiser, repository.partition("/")[2], use, facts, licence, datasets)
    (folder / "README.md").write_text(text, encoding="utf-8")
    return {name: folder / name for name in NAMES if (folder / name).exists()}
