"""Modules of PyTorch, as they come."""

import threading
import weakref

import keras
import numpy as np
import pytest

import keras_gahr as kg
from keras_gahr._backend import foreign
from keras_gahr.denoisers import EDM, FlowTime
from keras_gahr.denoisers.foreign import wrapping

if keras.backend.backend() != "torch":
    pytest.skip("modules of PyTorch are wrapped on its backend", allow_module_level=True)

import torch
from torch import nn


def dn_cnn(channels=1, depth=4):
    """Zhang et al. 2017: it returns the residual, and has biases and batch norms."""
    torch.manual_seed(0)
    layers = [nn.Conv2d(channels, 8, 3, padding=1), nn.ReLU()]
    for _ in range(depth - 2):
        layers += [nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU()]
    network = nn.Sequential(*layers, nn.Conv2d(8, channels, 3, padding=1))
    for part in network.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.normal_(part.running_mean)
            nn.init.uniform_(part.running_var, 0.5, 2)
    return network


class Attention(nn.Module):
    """A norm, attention over all pixels and a level: layers of which some have no forward mode."""

    def __init__(self, channels=1):
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Conv2d(channels, 8, 3, padding=1)
        self.norm = nn.GroupNorm(2, 8)
        self.to_level = nn.Linear(1, 8)
        self.to_heads = nn.Conv2d(8, 24, 1)
        self.last = nn.Conv2d(8, channels, 3, padding=1)

    def forward(self, x, level):
        x = self.norm(self.first(x)) + self.to_level(level[:, None])[:, :, None, None]
        q, k, v = (part.flatten(2).transpose(1, 2) for part in self.to_heads(x).chunk(3, dim=1))
        mixed = nn.functional.scaled_dot_product_attention(q[:, None], k[:, None], v[:, None])[:, 0]
        return self.last(nn.functional.silu(x + mixed.transpose(1, 2).reshape(x.shape)))


class NoForwardMode(torch.autograd.Function):
    @staticmethod
    def forward(x):
        return torch.tanh(x)

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(output)

    @staticmethod
    def backward(ctx, gradient):
        (output,) = ctx.saved_tensors
        return gradient * (1 - output**2)


class OnlyOnce(NoForwardMode):
    """The same with a forward mode, but a derivative backwards that has none of its own."""

    @staticmethod
    def setup_context(ctx, inputs, output):
        NoForwardMode.setup_context(ctx, inputs, output)
        ctx.save_for_forward(output)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, gradient):
        return NoForwardMode.backward(ctx, gradient)

    @staticmethod
    def jvp(ctx, tangent):
        return NoForwardMode.backward(ctx, tangent)


class HalfLayer(keras.layers.Layer):
    def call(self, x):
        return 0.5 * x

    def compute_output_shape(self, shape):
        return shape


def images_of(count, side=8, channels=1):
    return np.random.default_rng(0).random((count, side, side, channels)).astype(np.float32)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_dn_cnn(channels):
    network = dn_cnn(channels)
    denoiser = kg.wrap(network, "residual")
    assert (denoiser.input_channels, denoiser.told) == (channels, False)
    images = images_of(2, channels=channels)
    with torch.no_grad():
        network.eval()
        found = network(torch.tensor(images).movedim(-1, 1)).movedim(1, -1).numpy()
    np.testing.assert_allclose(kg.denoise(denoiser, images), images - found, atol=1e-6)


def test_a_module_stays_as_it_is():
    network = dn_cnn().train()
    network[3].eval()
    network[0].requires_grad_(False)
    modes = [part.training for part in network.modules()]
    state = {name: value.clone() for name, value in network.state_dict().items()}
    wanted = [parameter.requires_grad for parameter in network.parameters()]
    random = torch.get_rng_state()
    denoiser = kg.wrap(network, "residual")
    kg.eigenbasis(denoiser, images_of(1)[0], 2, max_products=12)
    kg.sample(denoiser, (8, 8), schedule=kg.sampling.AscentSchedule(max_steps=10))
    assert [part.training for part in network.modules()] == modes
    assert [parameter.requires_grad for parameter in network.parameters()] == wanted
    assert all(parameter.grad is None for parameter in network.parameters())
    assert not any(part._forward_hooks for part in network.modules())
    assert torch.equal(torch.get_rng_state(), random)
    for name, value in network.state_dict().items():
        assert torch.equal(value, state[name]), name
    assert denoiser.weights == [] and denoiser.num_parameters == sum(
        value.numel() for value in state.values()
    )


def test_threads_share_a_module():
    """The first one out leaves it in evaluation mode for the others."""
    first_in, second_in = threading.Event(), threading.Event()
    first = None

    class Waiting(nn.Module):
        def __init__(self):
            super().__init__()
            self.dropout = nn.Dropout()

        def forward(self, x):
            if threading.current_thread() is first:
                first_in.set()
                assert second_in.wait(60)
            elif first is not None:
                second_in.set()
                first.join()
            return self.dropout(x) / 2

    network = Waiting().train()
    denoiser = kg.wrap(network, "image", channels=1)
    first = threading.Thread(target=kg.denoise, args=(denoiser, images_of(1)))
    first.start()
    assert first_in.wait(60)
    np.testing.assert_allclose(kg.denoise(denoiser, images_of(2)), images_of(2) / 2, rtol=1e-6)
    assert network.training and network.dropout.training


def test_a_frozen_module_has_no_mode():
    frozen = torch.jit.freeze(torch.jit.script(dn_cnn().eval()))
    images = images_of(2)
    found, expected = (
        kg.denoise(kg.wrap(each, "residual", channels=1), images) for each in (frozen, dn_cnn())
    )
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_training_goes_on_with_it():
    network = dn_cnn()
    denoiser = kg.wrap(network, "residual")
    images = images_of(2)
    before = [kg.denoise(denoiser, images) for _ in range(10)][-1]
    with torch.no_grad():
        network[-1].bias += 0.5
    np.testing.assert_allclose(kg.denoise(denoiser, images), before - 0.5, atol=1e-6)


@pytest.mark.parametrize("value_range", [(0, 1), (-1, 1)])
def test_products_in_every_mode_are_those_of_finite_differences(value_range):
    """The differences are taken in float64, where they are exact to 1e-8; the products are float32."""
    network = Attention()
    denoiser = kg.wrap(network, "edm", EDM(0.5), value_range=value_range)
    noisy, sigma = images_of(1, 4)[0], 0.3
    found = kg.analysis.Linearizer(denoiser).at(noisy, sigma)
    matrix = found.matrix()
    directions = np.eye(16, dtype=np.float32).reshape(-1, 4, 4, 1)
    transposed = found.apply_transposed(directions).reshape(16, 16)
    np.testing.assert_allclose(transposed, matrix, atol=1e-6)

    exact = Attention().double()
    low, high = value_range
    width = high - low

    def denoised(y):
        y = width * torch.tensor(y)[:, None] + low
        level = width * float(np.float32(sigma))
        total = level**2 + 0.25
        told = torch.full((len(y),), np.log(level) / 4, dtype=torch.float64)
        with torch.no_grad():
            f = exact(y / total**0.5, told)
        return ((0.25 / total * y + 0.5 * level / total**0.5 * f - low) / width).numpy()

    y, step = noisy[None, ..., 0].astype(np.float64), 1e-5
    moves = step * np.eye(16).reshape(16, 4, 4)
    differences = (denoised(y + moves) - denoised(y - moves)).reshape(16, 16).T / (2 * step)
    np.testing.assert_allclose(found.denoised[..., 0], denoised(y)[0, 0], atol=1e-6)
    # Rounding of a dozen layers.
    np.testing.assert_allclose(matrix, differences, atol=1e-5 * np.abs(differences).max())


@pytest.mark.parametrize("layer", [NoForwardMode, OnlyOnce])
def test_a_layer_that_lacks_a_mode(layer):
    denoiser = kg.wrap(lambda y: layer.apply(2 * y), "image", channels=1)
    noisy = images_of(1)[0]
    jacobian = kg.analysis.Linearizer(denoiser).at(noisy)
    v = np.random.default_rng(1).standard_normal((3, 8, 8, 1)).astype(np.float32)
    slope = 2 * (1 - np.tanh(2 * noisy) ** 2)
    for _ in range(2):
        np.testing.assert_allclose(jacobian.apply(v), slope * v, atol=1e-6)
    np.testing.assert_allclose(jacobian.apply_transposed(v), slope * v, atol=1e-6)


class CutOff(nn.Module):
    def __init__(self, way):
        super().__init__()
        self.network = dn_cnn().eval()
        self.way = way

    def forward(self, x):
        return self.network(self.way(x))


class WithoutGradients(CutOff):
    @torch.no_grad()
    def forward(self, x):
        return super().forward(x)


class LayerCutOff(HalfLayer):
    def call(self, x):
        return HalfLayer.call(self, x).detach()


class Potential(nn.Module):
    """The gradient of a network's square."""

    def __init__(self, create_graph):
        super().__init__()
        self.network = dn_cnn().eval()
        self.create_graph = create_graph

    def forward(self, x):
        with torch.enable_grad():
            x = x if x.requires_grad else x.detach().requires_grad_()
            square = self.network(x).square().sum()
            return torch.autograd.grad(square, x, create_graph=self.create_graph)[0]


@pytest.mark.parametrize(
    "network",
    [
        lambda y: y.detach() / 2,
        CutOff(lambda x: torch.tensor(x.tolist())).forward,
        CutOff(lambda x: torch.from_numpy(x.detach().numpy())),
        CutOff(torch.Tensor.detach),
        WithoutGradients(lambda x: x),
        LayerCutOff(),
        Potential(create_graph=False),
    ],
    ids=["function", "list", "numpy", "detach", "no_grad", "layer", "gradient"],
)
def test_a_network_that_cuts_off_derivatives(network):
    """What its weights have derivatives for is none of its images."""
    denoiser = kg.wrap(network, "image", channels=1)
    assert np.isfinite(kg.denoise(denoiser, images_of(1))).all()
    with pytest.raises(kg.InputError, match=r"cut off .*\(detach, .* no derivatives"):
        kg.eigenbasis(denoiser, images_of(1)[0], 4)


@pytest.mark.parametrize(
    "network",
    [dn_cnn(), torch.compile(dn_cnn(), backend="eager"), Potential(create_graph=True), HalfLayer()],
    ids=["module", "compiled", "gradient", "layer"],
)
def test_a_network_that_has_derivatives_keeps_them(network):
    denoiser = kg.wrap(network, "image", channels=1)
    matrix = kg.analysis.Linearizer(denoiser).at(images_of(1)[0]).matrix()
    assert np.linalg.matrix_rank(matrix) > 8


def test_a_module_that_is_wrapped_in_inference_mode_has_derivatives():
    with torch.inference_mode():
        denoiser = kg.wrap(torch.nn.Identity(), "image", channels=1)
    assert denoiser.differentiable


def test_trying_a_network_keeps_no_values_for_gradients():
    """Of large images they would take many times what denoising takes."""
    kept = []

    class Saved(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(y := 2 * x)
            kept.append(weakref.ref(y))
            return x + y

        @staticmethod
        def backward(ctx, gradient):
            return 3 * gradient

    alive = []

    def network(y):
        y = Saved.apply(y)
        alive.append(kept[-1]() is not None)
        return y

    kg.wrap(network, "image", channels=1)
    assert alive and not any(alive)


class Counting(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x):
        self.calls += 1
        return x


class Dropping(nn.Module):
    def forward(self, x):
        return nn.functional.dropout(x)


@pytest.mark.parametrize(
    ("network", "message"), [(Counting(), r"keeps a state \(calls\)"), (Dropping(), "random")]
)
def test_a_module_that_is_no_function(network, message):
    with pytest.raises(kg.InputError, match=message):
        kg.wrap(network, "image", channels=1)


class Half(nn.Module):
    """Half of its images, in a number type; an image alone is rounded the other way."""

    def __init__(self, dtype, roundings=1.0, leak=0.0):
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(0.5, dtype=dtype))
        self.roundings, self.leak = roundings, leak

    def forward(self, x):
        y = x * self.gain
        if len(x) == 1:
            y = y * (1 + self.roundings * torch.finfo(self.gain.dtype).eps)
        return y + self.leak * x.mean(dim=0, keepdim=True)


class Mixed(Half):
    """The same in float32, whose images are rounded on the way only."""

    def __init__(self):
        super().__init__(torch.float32)

    def forward(self, x):
        return super().forward(x) * (1 + (len(x) == 1) * torch.ones((), dtype=torch.bfloat16) / 128)


@pytest.mark.parametrize("network", [Half(torch.float16), Half(torch.bfloat16), Mixed()])
def test_an_image_alone_may_be_rounded_otherwise_than_among_others(network):
    assert kg.wrap(network, "image", channels=1).num_parameters == 1
    wrapped = kg.wrap(lambda x: network(x.to(network.gain.dtype)).float(), "image", channels=1)
    assert wrapped.told is False


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("leak", [0.01, 0.5])
def test_a_batch_that_is_looked_at_is_refused_in_every_number_type(dtype, leak):
    """A leak of 1% is less than roundings of bfloat16 may be, for an image alone."""
    with pytest.raises(kg.InputError, match="depends on the others of its batch"):
        kg.wrap(Half(dtype, leak=leak), "image", channels=1)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_statistics_of_a_batch_are_refused_in_half_precision(dtype):
    class Normed(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Conv2d(1, 4, 3, padding=1)
            self.last = nn.Conv2d(4, 1, 3, padding=1)

        def forward(self, x):
            x = nn.functional.batch_norm(self.first(x), None, None, training=True)
            return self.last(x)

    torch.manual_seed(0)
    with pytest.raises(kg.InputError, match="depends on the others of its batch"):
        kg.wrap(Normed().to(dtype), "residual")


def test_more_than_roundings_is_no_rounding():
    """An image alone that differs by far more, in a number type and where products are rounded to TF32."""
    for dtype in (torch.float16, torch.bfloat16):
        with pytest.raises(kg.InputError, match="depends on the others of its batch"):
            kg.wrap(Half(dtype, roundings=20), "image", channels=1)


def test_products_that_are_rounded_to_tf32(monkeypatch):
    network = Half(torch.float32, roundings=2**13)
    with pytest.raises(kg.InputError, match="depends on the others of its batch"):
        kg.wrap(network, "image", channels=1)
    monkeypatch.setattr(wrapping, "product_type", lambda: "tfloat32")
    assert kg.wrap(network, "image", channels=1).num_parameters == 1
    with pytest.raises(kg.InputError, match="depends on the others of its batch"):
        kg.wrap(Half(torch.float32, leak=0.001), "image", channels=1)


@pytest.mark.parametrize("allowed", [True, False])
def test_a_gpu_rounds_products_where_that_is_allowed(monkeypatch, allowed):
    assert foreign.product_type() == ("tfloat32" if torch.cuda.is_available() else "float32")
    with monkeypatch.context() as patch:
        patch.setattr(torch.cuda, "is_available", lambda: True)
        patch.setattr(foreign._module, "_tf32_is_allowed", lambda: allowed)
        assert foreign.product_type() == ("tfloat32" if allowed else "float32")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_times_are_told_in_float32(dtype):
    """diffusers' pipelines do so whatever the weights are; in eight bits 666.67 is 668."""
    told = []

    class Told(nn.Module):
        def __init__(self):
            super().__init__()
            self.last = nn.Conv2d(1, 1, 3, padding=1)

        def forward(self, x, time):
            told.append(time)
            return self.last(x) + 1e-3 * time[:, None, None, None].to(x.dtype)

    denoiser = kg.wrap(Told().to(dtype), "flow", FlowTime(1000.0), value_range=(-1, 1))
    told.clear()
    denoiser.denoise(images_of(2), 1.0)
    assert [each.dtype for each in told] == [torch.float32]
    np.testing.assert_allclose(told[0].numpy(), 2000 / 3, rtol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_a_level_is_told_in_the_type_of_the_weights_where_no_other_is_taken(dtype):
    told = kg.wrap(Attention(), "image", "sigma")
    found = kg.wrap(Attention().to(dtype), "image", "sigma")
    images = images_of(2)
    np.testing.assert_allclose(found.denoise(images, 0.3), told.denoise(images, 0.3), atol=0.05)


@pytest.mark.parametrize(
    "buffer",
    [
        torch.ones(3, dtype=torch.float8_e4m3fn),
        torch.ones(3, dtype=torch.bfloat16),
        torch.zeros(0, 3),
        torch.tensor(3),
        torch.ones(3, dtype=torch.complex64).conj(),
    ],
)
def test_arrays_of_every_number_type_count(buffer):
    def fingerprint(value):
        network = nn.Conv2d(1, 1, 1)
        nn.init.ones_(network.weight), nn.init.zeros_(network.bias)
        network.register_buffer("more", value)
        return kg.wrap(network, "image").fingerprint()

    assert fingerprint(buffer) == fingerprint(buffer.clone())
    if buffer.numel():
        assert fingerprint(buffer) != fingerprint((2 * buffer.to(torch.complex64)).to(buffer.dtype))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["sparse", "quantized"])
def test_arrays_that_are_not_plain_are_one_line(kind):
    network = nn.Conv2d(1, 1, 1)
    value = torch.eye(3)
    quantized = torch.quantize_per_tensor(value, 0.1, 0, torch.qint8)
    network.register_buffer("more", value.to_sparse() if kind == "sparse" else quantized)
    with pytest.raises(
        kg.InputError, match=r"keeps 'more' in .* no plain array of numbers"
    ) as error:
        kg.wrap(network, "image")
    assert "\n" not in str(error.value)


def test_a_module_without_numbers_is_one_line():
    with pytest.raises(kg.InputError, match=r"no numbers in 'weight', .* meta: load its weights"):
        kg.wrap(nn.Conv2d(1, 1, 3, padding=1, device="meta"), "image")


def test_weights_in_eight_bits_are_not_what_is_computed_in():
    class Stored(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.full((1, 1, 1, 1), 0.5).to(torch.float8_e4m3fn), False)
            self.bias = nn.Parameter(torch.zeros(1))

        def forward(self, x):
            return nn.functional.conv2d(x, self.weight.to(x.dtype), self.bias)

    denoiser = kg.wrap(Stored(), "image", channels=1)
    np.testing.assert_allclose(denoiser.denoise(images_of(1)), images_of(1) / 2)


class Features(nn.Module):
    """Arrays that no file of its weights has: a kernel, one that is an attribute, and what a call leaves."""

    def __init__(self, seed=0, attribute=1.0):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(()))
        kernel = torch.randn(1, 1, 3, 3, generator=torch.Generator().manual_seed(seed))
        self.register_buffer("kernel", kernel, persistent=False)
        self.offset = torch.tensor(attribute)
        self.last = torch.zeros(())

    def forward(self, x):
        self.last = nn.functional.conv2d(x, self.gain * self.kernel, padding=1)
        self.more = self.last + self.offset
        return self.more


def test_arrays_that_no_file_of_weights_has_count():
    network = Features()
    denoiser = kg.wrap(network, "image", channels=1)
    assert denoiser.num_parameters == 1
    assert denoiser.network.saved().keys() == {"gain"}
    assert denoiser.network.unsaved().keys() == {"kernel", "offset"}
    before = denoiser.fingerprint()
    denoiser.denoise(images_of(2))
    assert (
        denoiser.fingerprint() == kg.wrap(Features(), "image", channels=1).fingerprint() == before
    )
    for other in (Features(seed=1), Features(attribute=2.0)):
        assert kg.wrap(other, "image", channels=1).fingerprint() != before


@pytest.mark.filterwarnings("ignore:.*weight_norm")
def test_weights_that_each_call_makes_of_others_are_not_counted_twice():
    network = torch.nn.utils.weight_norm(nn.Conv2d(1, 1, 3, padding=1))
    assert torch.is_tensor(vars(network)["weight"])
    assert not kg.wrap(network, "image").network.unsaved()


def test_noise_is_no_rounding():
    class Noisy(nn.Module):
        def __init__(self):
            super().__init__()
            self.gain = nn.Parameter(torch.ones((), dtype=torch.bfloat16))

        def forward(self, x):
            return self.gain * x + 0.01 * torch.randn_like(x)

    with pytest.raises(kg.InputError, match="or draws random numbers"):
        kg.wrap(Noisy(), "image", channels=1)


@pytest.mark.parametrize("persistent", [True, False, None])
def test_a_state_is_seen_wherever_it_is_kept(persistent):
    class Steps(nn.Module):
        def __init__(self):
            super().__init__()
            if persistent is None:
                self.calls = torch.zeros(())
            else:
                self.register_buffer("calls", torch.zeros(()), persistent=persistent)

        def forward(self, x):
            self.calls += 1
            return x

    with pytest.raises(kg.InputError, match=r"keeps a state \(calls\)"):
        kg.wrap(Steps(), "image", channels=1)


def test_a_module_in_another_number_type():
    network = dn_cnn()
    expected = kg.denoise(kg.wrap(network, "residual"), images_of(1))
    for dtype, bound in ((torch.float64, 1e-6), (torch.bfloat16, 0.05)):
        found = kg.denoise(kg.wrap(dn_cnn().to(dtype), "residual"), images_of(1))
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, atol=bound)


def test_outputs_in_a_tuple_or_a_dictionary():
    class Several(nn.Module):
        def forward(self, x):
            return {"sample": x / 2, "more": 3} if self.as_dictionary else (x / 2, 3)

    network = Several()
    for network.as_dictionary in (False, True):
        denoiser = kg.wrap(network, "image", channels=1)
        np.testing.assert_allclose(kg.denoise(denoiser, images_of(1)), images_of(1) / 2)


class OneWay(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return 2 * x


class HalfInPlace(nn.Module):
    def forward(self, x):
        return x.mul_(0.5)


class HalfLayerInPlace(HalfLayer):
    def call(self, x):
        return x.mul_(0.5)


def half_in_place(x):
    x *= 0.5
    return x


@pytest.mark.parametrize(
    "network",
    [
        HalfInPlace(),
        nn.Sequential(nn.Hardtanh(0, 2, inplace=True), HalfInPlace()),
        HalfLayerInPlace(),
        keras.Sequential([keras.Input((None, None, 1)), HalfLayerInPlace()]),
        half_in_place,
    ],
    ids=["module", "modules", "layer", "model", "function"],
)
def test_a_network_may_work_in_place(network):
    """What it is given is no memory of the denoiser's, nor of the user's."""
    denoiser = kg.wrap(network, "image", channels=1)
    images = images_of(2)
    np.testing.assert_allclose(kg.denoise(denoiser, images), images_of(2) / 2, rtol=1e-6)
    np.testing.assert_array_equal(images, images_of(2))
    linearizer = kg.analysis.Linearizer(denoiser)
    np.testing.assert_allclose(linearizer.at(images[0]).matrix(), np.eye(64) / 2, rtol=1e-6)


def test_a_level_and_a_condition_may_be_changed_in_place():
    def network(x, level, condition):
        x = x * condition.add_(1)[:, :, None, None]
        return x * level.mul_(0.5)[:, None, None, None]

    condition = torch.ones(1, 1)
    denoiser = kg.wrap(network, "score", "sigma", channels=1, condition={"condition": condition})
    images = images_of(1)
    for _ in range(2):
        # y + sigma^2 F(y, sigma), with F(y, sigma) = sigma y
        np.testing.assert_allclose(denoiser.denoise(images, 0.5), 1.125 * images, rtol=1e-6)
    assert condition == 1


def test_a_network_without_derivatives_says_so_in_a_line():
    denoiser = kg.wrap(lambda y: OneWay.apply(y), "image", channels=1)
    for method in ("exact", "randomized"):
        with pytest.raises(kg.InputError, match="cannot be differentiated: NotImpl") as caught:
            kg.eigenbasis(denoiser, images_of(1)[0], 4, method)
        assert "\n" not in str(caught.value)


def test_a_compiled_module_is_the_module():
    network = dn_cnn()
    compiled = torch.compile(network, backend="eager")
    denoiser, expected = kg.wrap(compiled, "residual"), kg.wrap(network, "residual")
    assert denoiser.input_channels == 1
    noisy = images_of(1)[0]
    bases = [kg.eigenbasis(each, noisy, 4, "exact") for each in (denoiser, expected)]
    np.testing.assert_allclose(bases[0].shrinkage, bases[1].shrinkage, atol=1e-5)


def test_a_layer_that_is_differentiated_once_among_others():
    """It would be left out of a second derivative without a word."""
    network = dn_cnn().eval()
    denoiser = kg.wrap(lambda y: network(y) + 0.3 * OnlyOnce.apply(y), "residual", channels=1)
    noisy = images_of(1)[0]
    jacobian = kg.analysis.Linearizer(denoiser).at(noisy)
    v = np.eye(64, dtype=np.float32).reshape(-1, 8, 8, 1)
    forwards, backwards = (
        product(v).reshape(64, 64) for product in (jacobian.apply, jacobian.apply_transposed)
    )
    np.testing.assert_allclose(forwards.T, backwards, atol=1e-6)
