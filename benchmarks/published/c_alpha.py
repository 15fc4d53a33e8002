"""C^alpha images one at a time and column by column."""

import torch


@torch.no_grad()
def c_alpha_images(count, size, alpha, blurred):
    """Images `(count, size, size)`, computed in the order of the family's definition."""
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
