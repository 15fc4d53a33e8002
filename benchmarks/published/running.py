"""How PyTorch is run: plainly, or as a user who wants speed would."""

import contextlib
import dataclasses

import torch
from torch._inductor import config as inductor

from .unet import UNet


class CannotCompile(Exception):
    """There is no compiler, or it fails."""


@dataclasses.dataclass
class Running:
    """A way to run the network.

    Args:
        device: "cpu" or "cuda".
        precision: "float32", "TF32" or "bfloat16".
        channels_last: whether the channels of a pixel lie side by side in memory. What else costs a user a
            word comes with it: cuDNN tries its algorithms out, and Adam is one kernel.
        compiled: whether by `torch.compile`.
    """

    device: str = "cpu"
    precision: str = "float32"
    channels_last: bool = False
    compiled: bool = False
    _began: bool = dataclasses.field(default=False, init=False)

    def network(self, kernels, blocks, training=False):
        """The UNet; for inference in bfloat16 its weights are rounded, while trainings are autocast."""
        network = self.place(UNet(kernels, blocks)).train(training)
        if self.precision == "bfloat16" and not training:
            network = network.to(torch.bfloat16)
        if self.compiled:
            # A program for each size, none for all of them; and more of these than PyTorch would keep.
            torch._dynamo.config.recompile_limit = 100
            # Constant weights are packed once; where gradients are kept this does nothing.
            inductor.freezing = True
            graphs = self.device == "cuda" and not training
            mode = "reduce-overhead" if graphs else "default"
            network = torch.compile(network, dynamic=False, mode=mode)
        return network

    def residual(self, network):
        """The function of float32 images that an evaluated network is."""
        if self.precision != "bfloat16":
            return network
        return lambda images: network(images.to(torch.bfloat16)).float()

    def place(self, module_or_images):
        """On the device, in the order of memory."""
        order = torch.channels_last if self.channels_last else torch.contiguous_format
        return module_or_images.to(self.device, memory_format=order)

    def autocast(self):
        """For trainings."""
        return torch.autocast(self.device, torch.bfloat16, enabled=self.precision == "bfloat16")

    def does(self, work):
        """The function of a count `work`, run in this way.

        It compiles in the first call only; another that had to is an error.

        Raises (when called):
            CannotCompile: in the first call.
        """

        def done(count):
            try:
                with self._settings():
                    work(count)
            except Exception as error:
                if self.compiled and not self._began:
                    raise CannotCompile(_first_cause(error)) from error
                raise
            self._began = True

        return done

    @contextlib.contextmanager
    def _settings(self):
        torch.backends.cuda.matmul.allow_tf32 = self.precision == "TF32"
        torch.backends.cudnn.allow_tf32 = self.precision == "TF32"
        torch.backends.cudnn.benchmark = self.channels_last
        if self.compiled and self._began:
            with torch.compiler.set_stance("fail_on_recompile"):
                yield
        else:
            yield


def _first_cause(error):
    """What the first cause of an error says, in one line."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else ''}"
