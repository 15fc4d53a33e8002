"""Whole numbers of NumPy, small types included, are those of Python wherever one is taken."""

import ast
from pathlib import Path

import numpy as np
import pytest

import keras_gahr as kg

pytestmark = pytest.mark.one_backend

IMAGES = np.random.default_rng(0).random((8, 8, 8, 1), np.float32)
SCHEDULE = kg.sampling.AscentSchedule(beta=1.0, sigma_end=0.5)
SAMPLED = {"schedule": SCHEDULE, "progress": False}
ANALYSED = {"progress": False}
PACKAGE = Path(kg.__file__).parent


@pytest.fixture(scope="module")
def wiener():
    return kg.baselines.Wiener.from_images(IMAGES, sigma=0.1)


def restored(denoiser, repeat):
    halving = kg.measurements.SuperResolution((8, 8, 1), 2)
    observed = halving(IMAGES[:2])
    options = {"schedule": SCHEDULE, "progress": False}
    return kg.restore(denoiser, observed, halving, repeat=repeat, **options)


CALLS = {
    "sample": lambda d, whole: kg.sample(d, (8, 8), count=whole(2), **SAMPLED).images,
    "batches": lambda d, whole: (
        kg.sample(d, (8, 8), count=2, batch_size=whole(2), check_every=whole(8), **SAMPLED).images
    ),
    "compare": lambda d, whole: (
        kg.compare([d, d], [IMAGES[:4], IMAGES[4:]], count=whole(2), **SAMPLED).samples[1].images
    ),
    "restore": lambda d, whole: [each.samples for each in restored(d, whole(2))],
    "log_density": lambda d, whole: (
        kg.log_density(
            d, IMAGES[:1], evaluations=whole(24), probes=whole(2), batch_size=whole(4), **ANALYSED
        ).log_density
    ),
    "memory": lambda d, whole: kg.denoise(d, IMAGES, memory=whole(100), progress=False),
    "draws": lambda d, whole: kg.psnr_curve(d, IMAGES, [0.1], draws=whole(2), **ANALYSED).mean,
    "trace": lambda d, whole: (
        kg.analysis.trace(
            d, IMAGES[:1], sigma=0.1, probes=whole(3), first=whole(1), **ANALYSED
        ).value
    ),
    "dimension": lambda d, whole: (
        kg.analysis.local_dimension(
            d, IMAGES[:1], [0.1], draws=whole(2), probes=whole(2), first=whole(1), **ANALYSED
        ).value
    ),
    "spectrum": lambda d, whole: (
        kg.analysis.spectral_density(
            d, IMAGES[0], probes=whole(2), steps=whole(3), **ANALYSED
        ).nodes
    ),
    "basis": lambda d, whole: (
        kg.eigenbasis(d, IMAGES[0], whole(2), max_products=whole(200), **ANALYSED).shrinkage
    ),
}


@pytest.mark.parametrize("whole", [np.int64, np.uint8], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("name", CALLS)
def test_the_results_are_those_of_a_number_of_python(name, whole, wiener):
    np.testing.assert_array_equal(CALLS[name](wiener, whole), CALLS[name](wiener, int))


def test_no_number_is_checked_and_then_used_as_it_was():
    """What `check_whole` returns is a number of Python; a statement of it alone keeps one of NumPy."""
    checks = {"check_whole", "check_number", "check_seed"}
    thrown_away = []
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if (
                isinstance(node, ast.Expr)
                and isinstance(node.value, ast.Call)
                and isinstance(node.value.func, ast.Name)
                and node.value.func.id in checks
                and isinstance(node.value.args[0], ast.Name)
            ):
                thrown_away.append(f"{path.relative_to(PACKAGE)}:{node.lineno}")
    assert not thrown_away
