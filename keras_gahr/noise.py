"""Noise levels and noise. Every sigma is in units of the image range [0, 1]."""

import dataclasses
import math
import numbers
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from keras_gahr.errors import InputError

__all__ = [
    "NOISE_LAWS",
    "NoiseLaw",
    "check_levels",
    "check_number",
    "check_seed",
    "check_units",
    "check_whole",
    "keyed_normal",
    "keyed_signs",
    "keyed_uniform",
    "level_of",
    "parse_sigma",
]

NOISE_LAWS = ("quadratic", "linear", "inv", "inv_1p5", "inv_sq", "arccos", "power_law")
"""Names of laws; `inv_sqrt` and `uniform` are other names of the first two."""

_OTHER_NAMES = {"inv_sqrt": "quadratic", "uniform": "linear"}

_POWERS = {"inv_1p5": -2.0, "inv_sq": -1.0}
"""Laws that are power laws, with their alpha."""

_MOST_SIGMA = 4.0
"""Beyond the published laws, which end at 765/255."""

_LEAST_ALPHA, _MOST_ALPHA = 0.1, 100
"""The sizes of powers; others would be far outside what float32 holds."""


@dataclasses.dataclass(frozen=True)
class NoiseLaw:
    """How a universal denoiser's noise levels are drawn while it is trained.

    All laws lie between `low` and `high`. `quadratic` draws sqrt(sigma) uniformly, which favours small
    noise (the density falls as sigma^-1/2), and `linear` draws sigma uniformly. The paper trains with the
    quadratic law on [0, 1].

    The lab's later code calls these `inv_sqrt`, which it uses on [1/255, 765/255], and `uniform`, which
    are names of theirs here, too. Its other laws: `inv` draws log sigma uniformly; `inv_1p5` and `inv_sq`
    have densities that fall as sigma^-3/2 and sigma^-2; `arccos` is
    low + (high - low) arccos(1 - 2 u) / pi of uniform draws u; and `power_law` draws sigma^(1/alpha)
    uniformly, so that it is linear for alpha = 1 and quadratic for 2.

    Args:
        name: one of `NOISE_LAWS`, or another name of one.
        low, high: the range, in units of [0, 1]; also as texts such as "25/255". Where the density would not
            be finite at 0 (`inv`, `inv_1p5`, `inv_sq` and negative powers) `low` is above 0.
        alpha: the power of `power_law`, not 0; None for all others.

    Raises:
        InputError: for an unknown law, a range that is not 0 <= low <= high, or an alpha that is missing
            or has no meaning.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.noise import NoiseLaw
        >>> NoiseLaw("quadratic", high=1.0).sigma(np.array([0.0, 0.5, 0.9])).round(2).tolist()
        [0.0, 0.25, 0.81]
        >>> round(NoiseLaw("linear").mean_square(), 3)
        0.333
        >>> NoiseLaw("inv", 0.01, 1.0).sigma(np.array([0.0, 0.5, 1.0])).round(2).tolist()
        [0.01, 0.1, 1.0]
    """

    name: str = "quadratic"
    low: float = 0.0
    high: float = 1.0
    alpha: float | None = None

    def __post_init__(self) -> None:
        if isinstance(self.name, str):
            object.__setattr__(self, "name", _OTHER_NAMES.get(self.name, self.name))
        if self.name not in NOISE_LAWS:
            raise InputError(
                f"received noise law {self.name!r}, expected one of {', '.join(NOISE_LAWS)}"
            )
        for end in ("low", "high"):
            object.__setattr__(self, end, level_of(getattr(self, end), end))
        low, high = self.low, self.high
        if not 0 <= low <= high or high == 0:
            raise InputError(
                f"received noise levels from {self.low} to {self.high}, expected 0 <= low <= high "
                "and high > 0"
            )
        check_units(high)
        alpha = self._power()
        if low == 0 and (self.name == "inv" or alpha < 0):
            raise InputError(
                f"received noise levels from 0 for the law {self.name}, which would draw nothing else: give "
                "a lowest level above 0 (--sigma-min 1/255)"
            )

    def _power(self):
        """The power of a power law that is none of the first two; 1 for others."""
        if self.name != "power_law":
            if self.alpha is not None:
                raise InputError(
                    f"received alpha = {self.alpha!r:.40} for the noise law {self.name}: only power_law "
                    "has one"
                )
            return _POWERS.get(self.name, 1.0)
        if self.alpha is None:
            raise InputError(
                "received the noise law power_law without its power: give alpha (--noise-alpha)"
            )
        alpha = check_number(self.alpha, "alpha")
        if not _LEAST_ALPHA <= abs(alpha) <= _MOST_ALPHA:
            raise InputError(
                f"received alpha = {alpha:g}, expected a power of size {_LEAST_ALPHA} to {_MOST_ALPHA}, as 2"
            )
        return alpha

    def sigma(self, uniform: Any) -> Any:
        """Noise levels for uniform draws on [0, 1): a NumPy array or a tensor, same shape out."""
        if self.name == "linear":
            return (self.high - self.low) * uniform + self.low
        if self.name == "quadratic":
            low, high = math.sqrt(self.low), math.sqrt(self.high)
            return ((high - low) * uniform + low) ** 2
        if self.name == "inv":
            return self.low * (self.high / self.low) ** uniform
        if self.name == "arccos":
            share = _arccos(1 - 2 * uniform) / math.pi
            return (self.high - self.low) * share + self.low
        alpha = self._power()
        low, high = (level ** (1 / alpha) for level in (self.low, self.high))
        return ((high - low) * uniform + low) ** alpha

    def mean_square(self) -> float:
        """The mean of sigma^2 over the law."""
        # As many as the laws want that hardly ever draw the levels that count most.
        middles = (np.arange(10**5) + 0.5) / 10**5
        return float(np.mean(self.sigma(middles) ** 2))


def _arccos(cosine):
    """Of an array or a tensor."""
    if isinstance(cosine, np.ndarray | float):
        return np.arccos(cosine)
    from keras import ops

    return ops.arccos(cosine)


def parse_sigma(text: str | float) -> float:
    """A noise level written as `0.1` or `25/255`.

    Args:
        text: the text or a number, of any library.

    Raises:
        InputError: if it is neither, negative or not finite.

    Examples:
        >>> from keras_gahr.noise import parse_sigma
        >>> parse_sigma("51/255"), parse_sigma("0.1")
        (0.2, 0.1)
    """
    text = _plain(text)
    numerator, slash, denominator = str(text).partition("/")
    try:
        if isinstance(text, bool):
            sigma = math.nan  # It says whether there is a level, not which.
        elif isinstance(text, numbers.Real):
            sigma = float(text)
        else:
            sigma = float(numerator) / (float(denominator) if slash else 1)
    except (ValueError, ZeroDivisionError):
        sigma = math.nan
    if not 0 <= sigma < math.inf:
        received = " ".join(f"{text!r:.80}".split())
        raise InputError(
            f"received noise level {received}, expected a number such as 0.1 or 25/255"
        )
    return sigma


def _plain(value):
    """A number of Python for an array or a tensor of one number without axes; all else as it is."""
    return value.item() if getattr(value, "shape", None) == () else value


def check_units(sigma: float) -> float:
    """The noise level, unless it is one that only units of 0..255 have; then raises `InputError`.

    Examples:
        >>> from keras_gahr.noise import check_units
        >>> check_units(25 / 255) < 0.1
        True
    """
    if sigma > _MOST_SIGMA:
        raise InputError(
            f"received noise level {sigma:g}: levels are in units of [0, 1]; {sigma:g} of 255 is "
            f"{sigma:g}/255"
        )
    return sigma


def level_of(value: Any, name: str) -> float:
    """A noise level as everywhere: a number, of any library, or a text such as `25/255`.

    Args:
        value: what was received.
        name: what the error calls it.

    Raises:
        InputError: for something else. Numbers may be of any size.

    Examples:
        >>> from keras_gahr.noise import level_of
        >>> level_of("51/255", "sigma_0"), level_of(-1, "low")
        (0.2, -1.0)
    """
    value = _plain(value)
    return parse_sigma(value) if isinstance(value, str) else check_number(value, name)


def check_seed(seed: Any) -> int:
    """The seed, if it is a whole number from 0 to 2**64 - 1; else raises `InputError`.

    Examples:
        >>> from keras_gahr.noise import check_seed
        >>> check_seed(7)
        7
    """
    return check_whole(seed, "seed", 0, _MOST)


def check_whole(value: Any, name: str, least: int, most: int | None = None) -> int:
    """A whole number, of Python or NumPy, as an int.

    Args:
        value: what was received.
        name: what the error calls it.
        least, most: the range; None for no end.

    Raises:
        InputError: if it is something else, or out of range.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.noise import check_whole
        >>> check_whole(np.int64(3), "count", least=1)
        3
    """
    whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not whole or value < least or (most is not None and most < int(value)):
        if most is None:
            limits = f"of at least {least}"
        else:
            limits = f"from {least} to {'2**64 - 1' if most == 2**64 - 1 else most}"
        raise InputError(f"received {name} {value!r:.80}, expected a whole number {limits}")
    return int(value)


def check_number(value: Any, name: str) -> float:
    """A finite number, of Python or NumPy, as a float; else raises `InputError`.

    Examples:
        >>> from keras_gahr.noise import check_number
        >>> check_number(1, "beta")
        1.0
    """
    real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    try:
        number = float(value) if real else math.nan
    except OverflowError:  # Of a whole number.
        number = math.inf
    if not math.isfinite(number):
        raise InputError(f"received {name} = {value!r:.80}, expected a number")
    return number


def check_levels(sigmas: Any, or_none: bool = False) -> list[float]:
    """Noise levels, of which there is at least one, above 0; one alone is taken as such.

    Args:
        sigmas: numbers, of Python or any library, or texts as `parse_sigma` takes them; or one of these.
        or_none: whether a level may be 0, which is no noise.

    Raises:
        InputError: for something else.

    Examples:
        >>> from keras_gahr.noise import check_levels
        >>> check_levels([0.5, "51/255"]), check_levels(0.1)
        ([0.5, 0.2], [0.1])
    """
    sigmas = _plain(sigmas)
    several = [sigmas] if isinstance(sigmas, str | numbers.Real) else sigmas
    try:
        levels = [
            float(sigma)
            if isinstance(sigma, numbers.Real) and not isinstance(sigma, bool)
            else parse_sigma(sigma)
            for sigma in several
        ]
    except TypeError:
        raise InputError(
            f"received noise levels {sigmas!r:.80}, expected some above 0, such as [0.1, 25/255]"
        ) from None
    if not levels or not all(0 < level < math.inf or (or_none and level == 0) for level in levels):
        limit = "of at least 0" if or_none else "above 0"
        raise InputError(f"received noise levels {levels}, expected some {limit}")
    return levels


_MOST = 2**64 - 1
"""Of seeds and indices."""


def _generator(seed, image, step):
    # Philox is counter-based: key and counter name a stream, so that the numbers of one image at
    # one step depend on neither the batch around it nor the steps before.
    # Arrays of uint64, since NumPy would make floats of lists with numbers above 2**63.
    key = np.array([check_seed(seed), check_whole(image, "image", 0, _MOST)], np.uint64)
    counter = np.array([0, 0, 0, check_whole(step, "step", 0, _MOST)], np.uint64)
    return np.random.Generator(np.random.Philox(key=key, counter=counter))


def keyed_normal(seed: int, images: Iterable[int], step: int, shape: Sequence[int]) -> np.ndarray:
    """Standard normal noise for some images at one step, the same on every machine and backend.

    Args:
        seed: whole number.
        images: indices of the images.
        step: index of the draw.
        shape: of one image, `(height, width, channels)`.

    Returns:
        A float32 array `(len(images), *shape)`.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.noise import keyed_normal
        >>> all_three = keyed_normal(seed=0, images=[0, 1, 2], step=0, shape=(8, 8, 1))
        >>> alone = keyed_normal(seed=0, images=[2], step=0, shape=(8, 8, 1))
        >>> np.array_equal(all_three[2:], alone)
        True
    """
    return np.stack(
        [_generator(seed, image, step).standard_normal(shape, dtype=np.float32) for image in images]
    )


def keyed_signs(seed: int, images: Iterable[int], step: int, shape: Sequence[int]) -> np.ndarray:
    """Independent signs, -1 or 1 alike often, for some images at one step, the same everywhere.

    Args:
        seed, images, step, shape: see `keyed_normal`.

    Returns:
        A float32 array `(len(images), *shape)`.

    Examples:
        >>> from keras_gahr.noise import keyed_signs
        >>> keyed_signs(seed=0, images=[0, 1], step=0, shape=(4,)).tolist()
        [[-1.0, 1.0, 1.0, -1.0], [1.0, -1.0, -1.0, -1.0]]
    """
    count = math.prod(shape)
    signs = []
    for image in images:
        words = _generator(seed, image, step).bit_generator.random_raw(-(-count // 64))
        bits = np.unpackbits(words.astype("<u8").view(np.uint8), count=count)
        signs.append((1 - 2 * bits.astype(np.float32)).reshape(shape))
    return np.stack(signs)


def keyed_uniform(seed: int, images: Iterable[int], step: int) -> np.ndarray:
    """One uniform draw on [0, 1) for each image at one step: `(len(images),)`.

    float32 values in a float64 array.

    Examples:
        >>> from keras_gahr.noise import keyed_uniform
        >>> keyed_uniform(seed=0, images=[0, 1], step=0).round(3).tolist()
        [0.035, 0.975]
    """
    return np.array([_generator(seed, image, step).random(dtype=np.float32) for image in images])
