"""`gahr data`: make datasets and look into them."""

from .bands import bands
from .data_checks import dedup, overlap, show
from .data_files import array, faces, folder, mnist
from .help import App
from .synthetic import c_alpha, disks, mixture, ray, shuffled, sines

data_app = App(no_args_is_help=True, help="Make datasets of images and look into them.")

data_app.command()(faces)
data_app.command()(folder)
data_app.command()(mnist)
data_app.command()(array)
data_app.command()(disks)
data_app.command("c-alpha")(c_alpha)
data_app.command()(ray)
data_app.command()(sines)
data_app.command()(mixture)
data_app.command()(shuffled)
data_app.command()(bands)
data_app.command()(dedup)
data_app.command()(overlap)
data_app.command()(show)
