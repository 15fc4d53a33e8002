"""C^alpha images of 80x80, against the published way: PyTorch, one image and column at a time."""

import torch

from keras_gahr.datasets import c_alpha_images

SIZE, COUNT, LOOPED = 80, 1024, 100


def cases():
    """Yields (name, ways) as `alternate` takes them."""
    for alpha, blurred in ((2, False), (2, True), (3, True)):
        name = f"c_alpha {SIZE}x{SIZE} alpha {alpha}{' blurred' if blurred else ''}"
        yield (
            name,
            {
                "PyTorch loop": (lambda a=alpha, b=blurred: loop(LOOPED, SIZE, a, b), LOOPED),
                "1 thread": (lambda a=alpha, b=blurred: ours(a, b, workers=1), COUNT),
                "all cores": (lambda a=alpha, b=blurred: ours(a, b), COUNT),
            },
        )


def ours(alpha, blurred, workers=None):
    return c_alpha_images(COUNT, SIZE, 0, alpha, blurred=blurred, workers=workers)


@torch.no_grad()
def loop(count, size, alpha, blurred):
    """The same family, eager and in float32, in the order of its definition."""
    torch.manual_seed(0)
    frequency = torch.fft.fftshift(torch.fft.fftfreq(size))
    line = 1 / frequency.abs() / size
    plane = 1 / torch.hypot(frequency[:, None], frequency) / size
    middle = size // 2
    line[middle] = line[middle + 1]
    plane[middle, middle] = plane[middle + 1, middle]
    return torch.stack([_image(size, alpha, blurred, line, plane) for _ in range(count)])


def _image(size, alpha, blurred, line, plane):
    spectrum = torch.fft.fftshift(torch.fft.fft(torch.rand(size) * 2 - 1)) * line**alpha
    contour = torch.fft.ifft(torch.fft.ifftshift(spectrum)).real
    boundary = torch.round(contour * size).int() + size // 2
    regions = []
    for _ in range(2):
        noise = torch.rand(size, size) * 2 - 1
        spectrum = torch.fft.fftshift(torch.fft.fft2(noise)) * plane**alpha
        regions.append(torch.fft.ifft2(torch.fft.ifftshift(spectrum)).real)
    ranges = [(torch.rand(1).item(), 1), (0, torch.rand(1).item())]
    if torch.randint(2, (1,)).item():
        ranges.reverse()
    lower, upper = (
        _stretch(region, *limits) for region, limits in zip(regions, ranges, strict=True)
    )
    mask = torch.ones(size, size)
    for column in range(size):
        mask[: max(boundary[column], 0), column] = 0
    if blurred:
        padded = torch.nn.functional.pad(mask[None, None], (1, 0, 1, 0), mode="reflect")
        mask = torch.nn.functional.avg_pool2d(padded, 2, stride=1)[0, 0]
    return lower * mask + upper * (1 - mask)


def _stretch(values, low, high):
    values = values - values.min()
    return values / values.max() * (high - low) + low
