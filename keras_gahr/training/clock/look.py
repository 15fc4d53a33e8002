"""What was seen of a training at one step."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, Self

from keras_gahr.result import Result

SHARE = 0.05
"""A training memorizes when the 95% interval of f_mem lies above this."""

GAP_ERRORS = 3.0
"""Or when the gap at the middle noise level exceeds so many of its standard errors."""

_COPIES = {
    "f_mem": "training images",
    "f_mem_up_to_a_factor": "multiples of training images",
    "f_mem_features": "training images by their features",
}
"""Shares of the samples, and of what."""


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Look(Result):
    """One look at a denoiser in training, by a `MemorizationClock`.

    Every number is a column of clock.csv; NaN, an empty field there, where there is nothing to measure.
    Intervals are of 95%.

    Attributes:
        step: after which it was taken.
        samples: how many were drawn, always from the same noise.
        f_mem: share of them whose distance to the closest training image is below a third of that to
            the second closest (with one training image: whose correlation with it is above 0.95);
            f_mem_low, f_mem_high: Wilson's interval.
        f_mem_up_to_a_factor, f_mem_up_to_a_factor_low, f_mem_up_to_a_factor_high: the same if training
            images may be multiplied by a number, since a denoiser without biases knows an image with
            all its multiples.
        f_mem_features, f_mem_features_low, f_mem_features_high: as `f_mem`, by distances of features.
        closest: mean correlation of a sample with the closest of all training images.
        own, held_out: mean correlation with the closest of some training images, and of as many that
            are not trained on.
        own_bias, own_bias_low, own_bias_high: own - held_out, over samples, by Student.
        twins, twins_low, twins_high: mean correlation with the twin's samples from the same noise, by
            Student.
        train_error, test_error: mean over images of |D(y) - x|^2 / d, and of that the geometric mean over
            noise levels, so that none outweighs the others.
        gap: PSNR of training images less that of test images at the middle noise level, in dB.
        gap_null: the same of two halves of the test images.
        gap_error: standard error of a gap between sets of these sizes, from the test images.
        train_psnr, test_psnr, gaps, copy: by noise level (in units of [0, 1]): PSNR in dB, their
            difference, and |D(y) - D_copy(y)|^2 / |y - D_copy(y)|^2 on test images, where D_copy is the
            optimal denoiser of the training set: 1 for one that does nothing, 0 for a perfect memorizer.

    Examples:
        >>> from keras_gahr.training import Look
        >>> look = Look(1000, 64, f_mem=0.25, f_mem_low=0.16, f_mem_high=0.37)
        >>> look.memorizes()
        '25% of the samples are training images (95%: 16% to 37%; limit: 5%)'
    """

    step: int
    samples: int = 0
    f_mem: float = math.nan
    f_mem_low: float = math.nan
    f_mem_high: float = math.nan
    f_mem_up_to_a_factor: float = dataclasses.field(default=math.nan, repr=False)
    f_mem_up_to_a_factor_low: float = dataclasses.field(default=math.nan, repr=False)
    f_mem_up_to_a_factor_high: float = dataclasses.field(default=math.nan, repr=False)
    f_mem_features: float = dataclasses.field(default=math.nan, repr=False)
    f_mem_features_low: float = dataclasses.field(default=math.nan, repr=False)
    f_mem_features_high: float = dataclasses.field(default=math.nan, repr=False)
    closest: float = dataclasses.field(default=math.nan, repr=False)
    own: float = dataclasses.field(default=math.nan, repr=False)
    held_out: float = dataclasses.field(default=math.nan, repr=False)
    own_bias: float = math.nan
    own_bias_low: float = dataclasses.field(default=math.nan, repr=False)
    own_bias_high: float = dataclasses.field(default=math.nan, repr=False)
    twins: float = math.nan
    twins_low: float = dataclasses.field(default=math.nan, repr=False)
    twins_high: float = dataclasses.field(default=math.nan, repr=False)
    train_error: float = dataclasses.field(default=math.nan, repr=False)
    test_error: float = math.nan
    gap: float = math.nan
    gap_null: float = dataclasses.field(default=math.nan, repr=False)
    gap_error: float = math.nan
    train_psnr: Mapping[float, float] = dataclasses.field(default_factory=dict, repr=False)
    test_psnr: Mapping[float, float] = dataclasses.field(default_factory=dict, repr=False)
    copy: Mapping[float, float] = dataclasses.field(default_factory=dict, repr=False)

    @property
    def gaps(self) -> dict[float, float]:
        """PSNR of training images less that of test images, in dB, by noise level."""
        return {
            sigma: psnr - self.test_psnr[sigma]
            for sigma, psnr in self.train_psnr.items()
            if sigma in self.test_psnr
        }

    def memorizes(self, gap_errors: float = GAP_ERRORS) -> str | None:
        """How one sees that it memorizes, in words; None if one does not.

        Args:
            gap_errors: standard errors of the gap that are too many.
        """
        for name, what in _COPIES.items():
            share, low, high = (getattr(self, f"{name}{end}") for end in ("", "_low", "_high"))
            if low > SHARE:
                return (
                    f"{share:.0%} of the samples are {what} (95%: {low:.0%} to {high:.0%}; limit: "
                    f"{SHARE:.0%})"
                )
        if self.gap > gap_errors * self.gap_error:
            return (
                f"training images are denoised {self.gap:.2f} dB better than others (limit: "
                f"{gap_errors * self.gap_error:.2f} dB, {gap_errors:g} standard errors)"
            )
        return None

    def row(self) -> dict[str, float]:
        """All numbers by the name of their column, in order."""
        row = {}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Mapping):
                row |= {column(field.name, sigma): number for sigma, number in value.items()}
            else:
                row[field.name] = value
        return row

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """The look that has these columns; empty ones are NaN.

        Raises:
            ValueError: for columns and numbers that no look has.
        """
        numbers = {
            name: math.nan if text in {"", None} else float(text) for name, text in row.items()
        }
        given: dict[str, Any] = {}
        for field in dataclasses.fields(cls):
            if field.default_factory is not dataclasses.MISSING:
                found = {
                    name: number for name, number in numbers.items() if _kind(name) == field.name
                }
                given[field.name] = {_sigma(name): number for name, number in found.items()}
                numbers = {name: number for name, number in numbers.items() if name not in found}
            elif field.name in {"step", "samples"}:
                number = numbers.pop(field.name)
                given[field.name] = int(number)
            else:
                given[field.name] = numbers.pop(field.name)
        if numbers:
            raise ValueError(f"no look has {min(numbers)}")
        if given["step"] < 1 or given["samples"] < 0:
            raise ValueError("a step or a number of samples below 0")
        return cls(**given)


_OF_LEVEL = "_at_"


def column(name: str, sigma: float) -> str:
    """The column of a number that there is for each noise level, which is named in units of [0, 255]."""
    return f"{name}{_OF_LEVEL}{255 * sigma:.4g}"


def nameable(sigma: float) -> float:
    """The noise level as the name of a column has it, to four digits."""
    return _sigma(column("", sigma))


def _kind(name):
    return name.partition(_OF_LEVEL)[0] if _OF_LEVEL in name else None


def _sigma(name):
    return float(name.partition(_OF_LEVEL)[2]) / 255
