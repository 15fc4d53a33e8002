"""What `keras_gahr.__getattr__` finds, for type checkers; a test keeps the two alike."""

from . import analysis as analysis
from . import baselines as baselines
from . import datasets as datasets
from . import denoisers as denoisers
from . import experiments as experiments
from . import noise as noise
from . import plot as plot
from . import report as report
from . import reproduction as reproduction
from . import restoration as restoration
from . import runs as runs
from . import sampling as sampling
from . import training as training
from .analysis import compare as compare
from .analysis import eigenbasis as eigenbasis
from .analysis import explain as explain
from .analysis import log_density as log_density
from .analysis import memorization_report as memorization_report
from .analysis import psnr_curve as psnr_curve
from .denoisers import BFCNN as BFCNN
from .denoisers import BiasFreeNorm as BiasFreeNorm
from .denoisers import Denoiser as Denoiser
from .denoisers import DilatedUNet as DilatedUNet
from .denoisers import FlexibleUNet as FlexibleUNet
from .denoisers import Inference as Inference
from .denoisers import MultiScaleDenoiser as MultiScaleDenoiser
from .denoisers import ReceptiveFieldBFCNN as ReceptiveFieldBFCNN
from .denoisers import UNet as UNet
from .denoisers import as_denoiser as as_denoiser
from .denoisers import build_denoiser as build_denoiser
from .denoisers import load_denoiser as load_denoiser
from .denoisers import save_denoiser as save_denoiser
from .denoisers import wrap as wrap
from .denoising import denoise as denoise
from .errors import InputError as InputError
from .publishing import push_to_hub as push_to_hub
from .restoration import restore as restore
from .sampling import measurements as measurements
from .sampling import sample as sample
from .training import MemorizationClock as MemorizationClock
from .training import train as train

__version__: str
