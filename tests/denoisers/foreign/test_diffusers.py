"""Networks and schedulers of diffusers, against the formulas in float64."""

import keras
import numpy as np
import pytest

import keras_gahr as kg
from keras_gahr.denoisers import AlphaBars, FlowTime
from keras_gahr.denoisers.foreign.diffusers.scheduler import read_scheduler
from keras_gahr.errors import InputError

pytest.importorskip("diffusers", reason="the extra diffusers is not installed")
if keras.backend.backend() != "torch":
    pytest.skip("these networks are PyTorch's", allow_module_level=True)

import diffusers
import torch
from diffusers_networks import SMALL, dit, unet

ROUNDING = 1e-5
"""Of the largest value. The network computes in float64, but its input and output are float32, as is the
time that it makes sines of; a norm over few pixels that are nearly equal multiplies these errors."""

TIME_ROUNDING = 5e-5
"""The same of networks that are told times up to 1000 that are no whole numbers: in float32 they, and so
the phases of the sines, have errors of 3e-5 and more."""

DERIVATIVE_ROUNDING = 2e-6
"""Of a Jacobian whose network computes in float64, between a few operations in float32."""


def images_of(count, side, channels=1):
    return np.random.default_rng(0).random((count, side, side, channels))


def exact(network, z, time, **condition):
    """What a network in float64 and in evaluation mode returns, of one image with channels last."""
    z = torch.as_tensor(np.moveaxis(z, -1, 0)[None])
    with torch.no_grad():
        found = network(z, torch.as_tensor([time]), **condition).sample
    return np.moveaxis(found.numpy()[0], 0, -1)[..., : z.shape[1]]


def denoised(network, scheduler, y, sigma, **condition):
    """D(y) in float64 of one image, in the network's units, by hand."""
    kind = type(scheduler).__name__
    if kind == "EDMEulerScheduler":
        total = sigma**2 + 0.25
        found = exact(network, y / np.sqrt(total), np.log(sigma) / 4, **condition)
        return 0.25 / total * y + 0.5 * sigma / np.sqrt(total) * found
    if kind == "FlowMatchEulerDiscreteScheduler":
        t = sigma / (1 + sigma)
        return (1 - t) * y - t * exact(network, (1 - t) * y, 1000 * t, **condition)
    table = scheduler.alphas_cumprod.double().numpy()
    a = 1 / (1 + sigma**2)
    z = np.sqrt(a) * y
    index = int(np.abs(np.log((1 - table) / table) / 2 - np.log(sigma)).argmin())
    found = exact(network, z, index, **condition)
    return {
        "epsilon": (z - np.sqrt(1 - a) * found) / np.sqrt(a),
        "sample": found,
        "v_prediction": np.sqrt(a) * z - np.sqrt(1 - a) * found,
    }[scheduler.config.prediction_type]


SCHEDULERS = {
    "epsilon": diffusers.DDPMScheduler(),
    "sample": diffusers.DDIMScheduler(prediction_type="sample"),
    "v": diffusers.EulerDiscreteScheduler(prediction_type="v_prediction"),
    "cosine": diffusers.DDPMScheduler(beta_schedule="squaredcos_cap_v2"),
    "edm": diffusers.EDMEulerScheduler(),
    "flow": diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0),
}

LEVELS = np.geomspace(0.006, 60, 10)
"""In the units of [0, 1]; between the levels of the tables."""


def check_formula(network, name, side, channels=1, condition=None, width=2):
    scheduler = SCHEDULERS[name]
    denoiser = kg.wrap(network.double(), schedule=scheduler, condition=condition)
    images = images_of(10, side, channels)
    levels = LEVELS * (2 / width)
    found = denoiser.denoise(images.astype(np.float32), levels)
    given = {key: torch.tensor([value]) for key, value in (condition or {}).items()}
    bound = TIME_ROUNDING if name == "flow" else ROUNDING
    for image, sigma, one in zip(images, levels, found, strict=True):
        low = 1 - width
        y, level = width * image.astype(np.float32) + low, width * float(np.float32(sigma))
        expected = (
            denoised(network, scheduler, y.astype(np.float64), level, **given) - low
        ) / width
        np.testing.assert_allclose(one, expected, atol=bound * max(1, np.abs(expected).max()))


@pytest.mark.parametrize(
    ("channels", "name"), [*((3, name) for name in SCHEDULERS), (1, "epsilon"), (1, "edm")]
)
def test_a_unet_is_what_the_formula_says(channels, name):
    check_formula(unet(channels), name, 16, channels)


@pytest.mark.parametrize("name", SCHEDULERS)
def test_a_transformer_is_what_the_formula_says(name):
    check_formula(dit(), name, 8, condition={"class_labels": 3})


def test_latents_and_learned_variances():
    """The variances come after the noise; latents are taken as they are."""
    network = dit(4, out_channels=8)
    denoiser = kg.wrap(network, schedule=SCHEDULERS["epsilon"], condition={"class_labels": 3})
    assert (denoiser.input_channels, denoiser.size, denoiser.value_range) == (4, (8, 8), (0, 1))
    check_formula(network, "epsilon", 8, 4, {"class_labels": 3}, width=1)
    other = kg.wrap(network, schedule=SCHEDULERS["epsilon"], condition={"class_labels": 4})
    images = images_of(2, 8, 4)
    assert np.abs(denoiser.denoise(images, 0.5) - other.denoise(images, 0.5)).max() > 1e-4
    check_formula(unet(3, out_channels=6), "epsilon", 16, 3)


def test_a_text_is_one_condition_for_all_images():
    torch.manual_seed(0)
    blocks = {"down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D")}
    blocks |= {"up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D")}
    network = diffusers.UNet2DConditionModel(
        in_channels=4, out_channels=4, cross_attention_dim=8, **SMALL | blocks
    )
    scheduler = diffusers.DDIMScheduler()
    with pytest.raises(InputError, match="is told encoder_hidden_states, too: pass condition="):
        kg.wrap(network, schedule=scheduler)
    texts = torch.zeros(1, 3, 8), torch.ones(1, 3, 8)
    images = images_of(3, 8, 4)
    found = [
        kg.wrap(network, schedule=scheduler, condition={"encoder_hidden_states": text})
        for text in texts
    ]
    assert found[0].size_multiple == 2 and found[0].value_range == (0, 1)
    first, second = (denoiser.denoise(images, 0.5) for denoiser in found)
    assert np.abs(first - second).max() > 1e-4


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_told_times_as_pipelines_tell_them(dtype):
    network, scheduler = unet(), diffusers.FlowMatchEulerDiscreteScheduler()
    denoiser = kg.wrap(network.to(dtype), schedule=scheduler)
    y, sigma = images_of(1, 8), 1.0
    time = 2 * sigma / (1 + 2 * sigma)
    z = torch.tensor((2 * y - 1) / (1 + 2 * sigma), dtype=dtype).movedim(-1, 1)
    with torch.no_grad():
        flow = network(z, torch.tensor([1000 * time])).sample.float().movedim(1, -1).numpy()
    expected = ((2 * y - 1) / (1 + 2 * sigma) - time * flow + 1) / 2
    np.testing.assert_allclose(denoiser.denoise(y, sigma), expected, atol=1e-3)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_no_dependence_on_a_batch(dtype, seed):
    torch.manual_seed(seed)
    network = diffusers.UNet2DModel(in_channels=3, out_channels=3, **SMALL).to(dtype).eval()
    denoiser = kg.wrap(network, schedule=diffusers.DDPMScheduler())
    assert dtype is getattr(torch, max(denoiser.network.number_types - {"float32"}))


def test_a_condition_may_be_an_array_of_numpy():
    scheduler = diffusers.DDIMScheduler()
    network, images = dit(), images_of(1, 8)
    found = [
        kg.wrap(network, schedule=scheduler, condition={"class_labels": label}).denoise(images, 0.3)
        for label in (3, np.int64(3), np.array([3]))
    ]
    np.testing.assert_array_equal(found[1], found[0])
    np.testing.assert_array_equal(found[2], found[0])


def test_a_pipeline_says_everything():
    network, scheduler = unet(3), diffusers.DDPMScheduler(prediction_type="v_prediction")
    images = images_of(2, 16, 3)
    alone = kg.wrap(network, schedule=scheduler)
    expected = alone.denoise(images, 0.3)
    for kind in (diffusers.DDPMPipeline, diffusers.DDIMPipeline):
        denoiser = kg.wrap(kind(network, scheduler))
        assert (denoiser.predicts, denoiser.value_range) == ("velocity", (-1, 1))
        assert (denoiser.input_channels, denoiser.size_multiple) == (3, 2)
        np.testing.assert_array_equal(denoiser.denoise(images, 0.3), expected)
    pipeline = diffusers.DiTPipeline(dit(3), None, diffusers.DDIMScheduler())
    denoiser = kg.wrap(pipeline, condition={"class_labels": 1})
    assert (denoiser.predicts, denoiser.size, denoiser.size_multiple) == ("noise", (8, 8), 2)


def test_images_of_a_pipeline_with_an_autoencoder_are_latents():
    """Of three channels, too."""
    network, scheduler = unet(3), diffusers.DDIMScheduler()
    quantized = diffusers.VQModel(block_out_channels=(4,), norm_num_groups=2, num_vq_embeddings=8)
    denoiser = kg.wrap(diffusers.LDMPipeline(quantized, network, scheduler))
    assert (denoiser.input_channels, denoiser.value_range) == (3, (0, 1))
    alone = kg.wrap(network, schedule=scheduler, value_range=(0, 1))
    images = images_of(2, 16, 3)
    np.testing.assert_array_equal(denoiser.denoise(images, 0.3), alone.denoise(images, 0.3))
    by_hand = kg.wrap(diffusers.LDMPipeline(quantized, network, scheduler), value_range=(-1, 1))
    assert by_hand.value_range == (-1, 1)


def test_what_is_said_by_hand_counts_more():
    pipeline = diffusers.DDPMPipeline(unet(), diffusers.DDPMScheduler())
    denoiser = kg.wrap(
        pipeline, "image", "sigma", value_range=(0, 2), size=16, size_multiple=4, channels=1
    )
    assert (denoiser.predicts, denoiser.schedule.name) == ("image", "sigma")
    assert (denoiser.value_range, denoiser.size, denoiser.size_multiple) == ((0, 2), (16, 16), 4)
    denoiser = kg.wrap(pipeline, schedule=diffusers.FlowMatchEulerDiscreteScheduler())
    assert (denoiser.predicts, denoiser.schedule.factor) == ("flow", 1000)
    assert kg.wrap(pipeline, "image").predicts == "image"
    assert kg.wrap(unet(), "edm").value_range == (0, 1)


def test_a_scheduler_with_somebody_elses_network():
    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Conv2d(1, 1, 3, padding=1)

        def forward(self, images, times):
            return self.layer(images) * (1 + times[:, None, None, None] / 1000)

    torch.manual_seed(0)
    network, scheduler = Network(), diffusers.DDPMScheduler()
    images = images_of(2, 8)
    denoiser = kg.wrap(network, schedule=scheduler)
    assert (denoiser.predicts, denoiser.value_range) == ("noise", (-1, 1))
    table = kg.wrap(network, "noise", scheduler.alphas_cumprod.numpy(), value_range=(-1, 1))
    np.testing.assert_array_equal(denoiser.denoise(images, 0.4), table.denoise(images, 0.4))


@pytest.mark.parametrize(
    "kind",
    [
        "DDPMScheduler",
        "DDIMScheduler",
        "PNDMScheduler",
        "EulerDiscreteScheduler",
        "EulerAncestralDiscreteScheduler",
        "HeunDiscreteScheduler",
        "DPMSolverMultistepScheduler",
        "DPMSolverSinglestepScheduler",
        "UniPCMultistepScheduler",
    ],
)
def test_the_times_of_training_count(kind):
    """Not the few that a scheduler was set to step through."""
    scheduler = getattr(diffusers, kind)(
        beta_schedule="scaled_linear", beta_start=1e-4, beta_end=0.02
    )
    scheduler.set_timesteps(7)
    predicts, schedule = read_scheduler(scheduler)
    assert predicts == "noise"
    np.testing.assert_array_equal(schedule.indices, np.arange(1000))
    betas = np.linspace(1e-4**0.5, 0.02**0.5, 1000) ** 2
    np.testing.assert_allclose(schedule.table, np.cumprod(1 - betas), rtol=1e-4)


@pytest.mark.parametrize("kind", ["DDIMScheduler", "EulerDiscreteScheduler"])
def test_a_last_time_of_pure_noise_is_left_out(kind):
    scheduler = getattr(diffusers, kind)(
        rescale_betas_zero_snr=True, prediction_type="v_prediction", beta_schedule="scaled_linear"
    )
    _, schedule = read_scheduler(scheduler)
    np.testing.assert_array_equal(schedule.indices, np.arange(999))
    assert 200 < schedule.limits[1] < 4000


def test_time_of_a_flow_may_run_the_other_way():
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler(500, invert_sigmas=True)
    assert read_scheduler(scheduler) == ("flow", FlowTime(500, reverse=True))


def network_and_condition(name):
    return {
        "grey": (unet(), None),
        "colour": (unet(3), None),
        "transformer": (dit(), {"class_labels": 3}),
    }[name]


@pytest.mark.parametrize("name", ["grey", "colour", "transformer"])
def test_jacobians_are_the_differences_of_the_formula(name):
    """Row by row, along directions, and by differences in float64."""
    network, condition = network_and_condition(name)
    network = network.double()
    scheduler = SCHEDULERS["epsilon"]
    denoiser = kg.wrap(network, schedule=scheduler, condition=condition)
    channels, side, sigma = denoiser.input_channels, 8, 0.2
    image = images_of(1, side, channels)[0].astype(np.float32)
    jacobian = kg.analysis.Linearizer(denoiser).at(image, sigma)
    matrix = jacobian.matrix()
    largest = np.abs(matrix).max()
    directions = np.random.default_rng(1).standard_normal((3, side, side, channels))
    flat = directions.reshape(3, -1)
    forward = jacobian.apply(directions.astype(np.float32)).reshape(3, -1)
    bound = DERIVATIVE_ROUNDING * largest * np.abs(flat).sum(axis=1).max()
    np.testing.assert_allclose(forward, flat @ matrix.T, atol=bound)
    given = {key: torch.tensor([value]) for key, value in (condition or {}).items()}
    level = 2 * float(np.float32(sigma))

    def by_hand(y):
        return (denoised(network, scheduler, 2 * y - 1, level, **given) + 1) / 2

    # Of a step of 1e-4 the error is 1e-8 of the third derivative, and 1e-11 of rounding.
    step = 1e-4
    for direction, one in zip(directions, flat, strict=True):
        ahead, behind = (by_hand(image + sign * step * direction) for sign in (1, -1))
        difference = ((ahead - behind) / (2 * step)).ravel()
        np.testing.assert_allclose(matrix @ one, difference, atol=bound)


@pytest.mark.parametrize("name", ["grey", "transformer"])
def test_the_range_of_values_leaves_jacobians_alone(name):
    network, condition = network_and_condition(name)
    scheduler = SCHEDULERS["v"]
    image = images_of(1, 8)[0].astype(np.float32)
    ours = kg.wrap(network.double(), schedule=scheduler, condition=condition)
    own = kg.wrap(network, schedule=scheduler, condition=condition, value_range=(0, 1))
    matrix = kg.analysis.Linearizer(ours).at(image, 0.25).matrix()
    other = kg.analysis.Linearizer(own).at(2 * image - 1, 0.5).matrix()
    np.testing.assert_allclose(matrix, other, atol=DERIVATIVE_ROUNDING * np.abs(matrix).max())


def test_a_network_is_left_as_it_was():
    network = unet(dropout=0.5).train()
    network.mid_block.eval()
    network.conv_in.weight.requires_grad_(False)
    modes = [part.training for part in network.modules()]
    needed = [weight.requires_grad for weight in network.parameters()]
    before = {name: value.clone() for name, value in network.state_dict().items()}
    torch.manual_seed(1)
    random = torch.get_rng_state()
    denoiser = kg.wrap(network, schedule=diffusers.DDPMScheduler())
    image = images_of(1, 8)[0]
    kg.denoise(denoiser, image, sigma=0.2)
    kg.eigenbasis(denoiser.at(0.2), image, 4, "randomized")
    assert torch.equal(torch.get_rng_state(), random)
    assert [part.training for part in network.modules()] == modes
    assert [weight.requires_grad for weight in network.parameters()] == needed
    assert all(weight.grad is None for weight in network.parameters())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def with_labels():
    return unet(num_class_embeds=10)


def continuous():
    return diffusers.EulerDiscreteScheduler(
        timestep_type="continuous", prediction_type="v_prediction"
    )


@pytest.mark.parametrize(
    ("wrapped", "line"),
    [
        (lambda: kg.wrap(unet()), "UNet2DModel does not say how it was trained: pass schedule="),
        (lambda: kg.wrap(unet(), "noise"), "does not say how it was trained"),
        (lambda: kg.wrap(unet(), schedule=AlphaBars([0.9, 0.5])), "received no predicts"),
        (
            lambda: kg.wrap(unet(), schedule=diffusers.ScoreSdeVeScheduler()),
            "received a ScoreSdeVeScheduler",
        ),
        (lambda: kg.wrap(unet(), schedule=continuous()), "'v_prediction' in continuous time"),
        (
            lambda: kg.wrap(
                unet(), schedule=diffusers.EDMEulerScheduler(prediction_type="v_prediction")
            ),
            "received a EDMEulerScheduler with prediction_type 'v_prediction'",
        ),
        (
            lambda: kg.wrap(dit(), schedule=diffusers.DDIMScheduler()),
            "is told class_labels, too: pass condition={'class_labels': 3}",
        ),
        (
            lambda: kg.wrap(with_labels(), schedule=diffusers.DDIMScheduler()),
            "is told class_labels, too",
        ),
        (
            lambda: kg.wrap(
                with_labels(), schedule=diffusers.DDIMScheduler(), condition={"class_labels": 10}
            ),
            "IndexError: index out of range",
        ),
        (
            lambda: kg.wrap(unet(3, out_channels=1), schedule=diffusers.DDIMScheduler()),
            "returns images of 32x32x1 for images of 32x32x3",
        ),
    ],
)
def test_what_cannot_be_wrapped_is_said_in_one_line(wrapped, line):
    with pytest.raises(InputError) as error:
        wrapped()
    message = str(error.value)
    assert line in message and "\n" not in message


def test_images_and_levels_that_a_network_does_not_know():
    denoiser = kg.wrap(unet(), schedule=diffusers.DDPMScheduler())
    with pytest.raises(InputError, match=r"knows noise levels from 0\.005001 to 78\.7 only"):
        denoiser.at(80)
    with pytest.raises(InputError, match="multiple"):
        denoiser.denoise(images_of(1, 9), 0.1)
    transformer = kg.wrap(dit(), schedule=diffusers.DDPMScheduler(), condition={"class_labels": 3})
    with pytest.raises(InputError, match="takes 8x8 only"):
        transformer.denoise(images_of(1, 16), 0.1)
