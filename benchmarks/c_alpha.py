"""C^alpha images of 80x80, against a loop over images and columns."""

import numpy as np

from keras_gahr.datasets import c_alpha_images

SIZE, COUNT, LOOPED = 80, 1024, 100


def cases():
    """Yields (name, ways) as `alternate` takes them."""
    for alpha, blurred in ((2, False), (2, True), (3, True)):
        name = f"c_alpha {SIZE}x{SIZE} alpha {alpha}{' blurred' if blurred else ''}"
        yield (
            name,
            {
                "loop": (lambda a=alpha, b=blurred: loop(LOOPED, SIZE, a, b), LOOPED),
                "1 thread": (lambda a=alpha, b=blurred: ours(a, b, workers=1), COUNT),
                "all cores": (lambda a=alpha, b=blurred: ours(a, b), COUNT),
            },
        )


def ours(alpha, blurred, workers=None):
    return c_alpha_images(COUNT, SIZE, 0, alpha, blurred=blurred, workers=workers)


def loop(count, size, alpha, blurred):
    """The same family, one image at a time, in the order of its definition."""
    generator = np.random.default_rng(0)
    frequency = np.fft.fftshift(np.fft.fftfreq(size))
    with np.errstate(divide="ignore"):
        line = 1 / np.abs(frequency) / size
        plane = 1 / np.hypot(frequency[:, None], frequency) / size
    middle = size // 2
    line[middle] = line[middle + 1]
    plane[middle, middle] = plane[middle + 1, middle]
    return np.stack([_image(generator, size, alpha, blurred, line, plane) for _ in range(count)])


def _image(generator, size, alpha, blurred, line, plane):
    noise = generator.random(size) * 2 - 1
    spectrum = np.fft.fftshift(np.fft.fft(noise)) * line**alpha
    contour = np.fft.ifft(np.fft.ifftshift(spectrum)).real
    boundary = np.round(contour * size).astype(int) + size // 2
    regions = []
    for _ in range(2):
        noise = generator.random((size, size)) * 2 - 1
        spectrum = np.fft.fftshift(np.fft.fft2(noise)) * plane**alpha
        regions.append(np.fft.ifft2(np.fft.ifftshift(spectrum)).real)
    ranges = [(generator.random(), 1), (0, generator.random())]
    if generator.integers(2):
        ranges.reverse()
    lower, upper = (
        _stretch(region, *limits) for region, limits in zip(regions, ranges, strict=True)
    )
    mask = np.ones((size, size))
    for column in range(size):
        mask[: max(boundary[column], 0), column] = 0
    if blurred:
        padded = np.pad(mask, ((1, 0), (1, 0)), mode="reflect")
        mask = padded[1:, 1:] + padded[:-1, 1:] + padded[1:, :-1] + padded[:-1, :-1]
        mask = mask / 4
    return (lower * mask + upper * (1 - mask)).astype(np.float32)


def _stretch(values, low, high):
    values = values - values.min()
    return values / values.max() * (high - low) + low
