"""Which closed-form denoiser explains a trained one: a copy of its images, a Gaussian, a local machine?"""

from .gaussian_twins import TwinAgreement
from .report import Explanation, explain

__all__ = ["Explanation", "TwinAgreement", "explain"]
