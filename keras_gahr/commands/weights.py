"""`gahr weights`: denoisers by name, published checkpoints among them, and those on the Hugging Face Hub."""

import dataclasses
import json
import shlex
import shutil
from pathlib import Path
from typing import Annotated

import typer

from keras_gahr.backend_choice import choose_backend
from keras_gahr.errors import InputError
from keras_gahr.hub.address import HUB_FORM, is_hub_address, parse_hub_address
from keras_gahr.pretrained.catalogue import LICENCE, pretrained_denoisers

from .backend import BackendOption
from .help import App
from .options import ModelArgument, OverwriteOption
from .progress import progress_bar
from .table import print_table

weights_app = App(
    no_args_is_help=True,
    help="Denoisers by name: those that come along, published ones, and the Hugging Face Hub.",
)

NameArgument = Annotated[str, typer.Argument(help="A name that `gahr weights list` shows.")]
CacheOption = Annotated[
    Path | None,
    typer.Option(
        help="Folder for fetched files; default: KERAS_GAHR_CACHE, or the user's cache folder.",
        show_default=False,
    ),
]


@weights_app.command("list")
def list_(
    cache: CacheOption = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print all that is known, as JSON.")
    ] = False,
):
    """List the denoisers that have a name.

    First those that come with the package, then published checkpoints. "Made" is the architecture that
    `gahr convert` makes of one, "-" where a network has biases or is none of this package's. PSNR is that of
    denoised images at a noise level of about 25/255, in dB, where it was measured. Below the noise level
    "useful from", images are better left as they are.
    """
    from weights_convert.catalogue import catalogue

    if as_json:
        known = [
            dataclasses.asdict(item) | {"licence": LICENCE, "path": str(item.path)}
            for item in pretrained_denoisers().values()
        ] + [
            dataclasses.asdict(item) | {"url": item.url(), "fetched": item.cached(cache).is_file()}
            for item in catalogue().values()
        ]
        typer.echo(json.dumps(known, indent=1))
        return
    rows = [
        (
            *_known_of(item),
            LICENCE,
            item.data,
            _psnr_of(item),
            f"{255 * item.useful_from:.1f}/255",
            "comes along",
        )
        for item in pretrained_denoisers().values()
    ] + [
        (
            *_known_of(item),
            item.licence or "none stated",
            item.data or "",
            _psnr_of(item),
            "",
            "fetched" if _is_there(item, cache) else "",
        )
        for item in catalogue().values()
    ]
    print_table(("name", "made", "size", "licence", "trained on", "PSNR", "useful from", ""), rows)


def _known_of(item):
    size = f"{item.size / 1e6:.1f} MB" if item.size else "?"
    return item.name, item.architecture or "-", size


def _psnr_of(item):
    if item.psnr is None:
        return ""
    return f"{item.psnr['denoised']:.1f} dB" + (
        f", {item.psnr['images']}" if "images" in item.psnr else ""
    )


@weights_app.command()
def card(
    name: Annotated[
        str, typer.Argument(help="A denoiser that comes along, as `gahr weights list` shows.")
    ],
):
    """Print the card of a denoiser that comes with the package: data, recipe, seed and quality."""
    from weights_convert.catalogue import find_published

    known = pretrained_denoisers().get(name)
    if known is None:
        raise InputError(
            f"{find_published(name).name} was published by others, without a card of ours: see "
            "`gahr weights list`"
        )
    typer.echo(known.card().rstrip())


@weights_app.command()
def fetch(
    name: Annotated[
        str, typer.Argument(help=f"A name that `gahr weights list` shows, or {HUB_FORM}.")
    ],
    out: Annotated[
        Path | None,
        typer.Argument(help="Of one on the Hub: the file to write it to.", show_default=False),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(
            help="Address of a mirror, before /OWNER/REPOSITORY/COMMIT/PATH; default: "
            "KERAS_GAHR_WEIGHTS_URL, or GitHub.",
            show_default=False,
        ),
    ] = None,
    cache: CacheOption = None,
    overwrite: OverwriteOption = False,
):
    """Download a published checkpoint, unless it is there, and check it by its hash.

    A denoiser on the Hub comes into the cache of the Hub's own library, and is copied to OUT.
    """
    if is_hub_address(name):
        if url is not None or cache is not None:
            raise InputError(
                "received --url or --cache for the Hub: set HF_ENDPOINT and HF_HUB_CACHE in their place"
            )
        _fetch_from_hub(parse_hub_address(name), out, overwrite)
        return
    if out is not None:
        raise InputError(
            f"received {out} for a published checkpoint, which stays in the cache: leave it out"
        )
    from weights_convert.catalogue import fetch, find_published

    if name in pretrained_denoisers():
        typer.echo(f"{pretrained_denoisers()[name].path}: comes with the package")
        return
    published = find_published(name)
    with progress_bar(name, counted=False) as progress:
        path = fetch(published, url, cache, progress)
    typer.echo(f"{path}: as published in {published.repository}")
    typer.echo(_licence(published))
    if published.architecture is None:
        typer.echo("it cannot be converted: it has biases or is none of this package's networks")
    else:
        option = f" --first-layer {published.first_layer}" if published.first_layer else ""
        typer.echo(f"convert it: gahr convert {shlex.quote(str(path))} {name}.keras{option}")


def _fetch_from_hub(address, out, overwrite):
    from keras_gahr.files import check_output_file, replacing
    from keras_gahr.hub.download import fetch_from_hub

    if out is not None:
        check_output_file(out, overwrite)
    fetched = fetch_from_hub(address)
    if out is not None:
        if out.suffix != fetched.path.suffix:
            raise InputError(
                f"received {out} for {fetched.address}, expected a name that ends in {fetched.path.suffix}"
            )
        with replacing(out) as temporary:
            shutil.copyfile(fetched.path, temporary)
    typer.echo(f"{out or fetched.path}: {fetched.address}")
    if fetched.licence_known:
        typer.echo(f"licence: {fetched.licence or 'none stated'}")
    else:
        typer.echo("licence: not asked for (taken from the cache): see the repository's page")


@weights_app.command()
def push(
    model: ModelArgument,
    repository: Annotated[
        str,
        typer.Argument(help="Where to: hf://OWNER/NAME, or hf://OWNER/NAME@BRANCH."),
    ],
    private: Annotated[
        bool, typer.Option("--private", help="Make a new repository that only its owner sees.")
    ] = False,
    licence: Annotated[
        str | None,
        typer.Option(
            "--license",
            help="Of the weights, as the Hub calls it: mit, cc-by-4.0.",
            show_default=False,
        ),
    ] = None,
    datasets: Annotated[
        list[str] | None,
        typer.Option(
            "--dataset",
            help="OWNER/NAME of a dataset on the Hub that it was trained on; may be repeated.",
            show_default=False,
        ),
    ] = None,
    message: Annotated[str, typer.Option(help="Of the commit.")] = "Add a denoiser",
    backend: BackendOption = None,
):
    """Put a denoiser on the Hugging Face Hub, as one commit.

    It holds model.keras, model.safetensors (where the network was published as a state dict), config.json
    and README.md, a card. Of a training run, the card says data, recipe, seed and PSNR. Log in first by
    `hf auth login`, or set HF_TOKEN.
    """
    choose_backend(backend)
    from keras_gahr.publishing import push_to_hub

    made = push_to_hub(
        model,
        repository,
        private=private,
        licence=licence,
        datasets=datasets or (),
        message=message,
    )
    typer.echo(f"{made.address}: written as one commit")
    typer.echo(made.url)


@weights_app.command()
def path(name: NameArgument, cache: CacheOption = None):
    """Print the path of a denoiser that comes along or of a fetched checkpoint, its hash checked."""
    from weights_convert.catalogue import fetched_path, find_published

    if name in pretrained_denoisers():
        pretrained_denoisers()[name].check()
        typer.echo(pretrained_denoisers()[name].path)
        return
    typer.echo(fetched_path(find_published(name), cache))


def _is_there(published, cache):
    try:
        return published.cached(cache).is_file()
    except InputError:
        # A user without a home folder has fetched nothing into it.
        return False


def _licence(published):
    if published.licence is None:
        return "licence: none stated, so ask the authors before passing the file on"
    return f"licence: {published.licence}, https://github.com/{published.repository}"
