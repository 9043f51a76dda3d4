# SPDX-License-Identifier: MIT
"""The definition of "blur, then thumbnail", in double precision and as plainly as can be.

Along each axis the result is L @ G @ samples: G blurs at full size (taps at whole pixels up to 6
sigma, normalised, edge pixels repeated), L is a Lanczos-3 shrink as Pillow does it (support 3 *
scale, taps outside the picture dropped, rows normalised). A picture is an array of height x width x
bands, 8 or 16 unsigned bits; results are doubles on the same scale, clipped but not rounded.

Size of the result: fits the box, keeps the aspect ratio, never enlarges; a side is
max(1, round(side / scale)), scale = max(1, width / box width, height / box height).
"""
import functools
import math

import numpy as np

BOX = (1200, 1200)


def fit(width, height, box=BOX):
    """Width and height of the result, and the scale."""
    scale = max(1.0, width / box[0], height / box[1])
    return max(1, math.floor(width / scale + 0.5)), max(1, math.floor(height / scale + 0.5)), scale


def gaussian(n, sigma):
    """G: n x n."""
    if sigma == 0:
        return np.eye(n)
    radius = math.ceil(6 * sigma)
    taps = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    taps /= taps.sum()
    around = np.concatenate([np.zeros(n - 1), taps, np.zeros(n - 1)])
    rows = np.lib.stride_tricks.sliding_window_view(around, n + 2 * radius)[::-1]
    matrix = rows[:, radius:radius + n].copy()
    matrix[:, 0] += rows[:, :radius].sum(axis=1)
    matrix[:, -1] += rows[:, radius + n:].sum(axis=1)
    return matrix


def lanczos_rows(n, out):
    """The rows of L: for each output pixel its first tap and its weights."""
    scale = n / out
    support = 3 * scale
    for i in range(out):
        centre = (i + 0.5) * scale
        first = max(0, math.floor(centre - support))
        x = (np.arange(first, min(n, math.ceil(centre + support))) + 0.5 - centre) / scale
        weights = np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0)
        yield first, weights / weights.sum()


@functools.lru_cache(maxsize=16)
def axis_matrix(n, out, sigma):
    """L @ G: out x n. A side that keeps its length is not filtered by L, as in Pillow."""
    blur = gaussian(n, sigma)
    if n == out:
        return blur
    return np.stack([weights @ blur[first:first + len(weights)] for first, weights in lanczos_rows(n, out)])


def combine_rows(matrix, samples):
    """matrix @ samples, block by block without the zeros outside the band."""
    result = np.empty((len(matrix), samples.shape[1]))
    for top in range(0, len(matrix), 32):
        block = matrix[top:top + 32]
        used = np.flatnonzero(block.any(axis=0))
        band = slice(used[0], used[-1] + 1)
        result[top:top + 32] = block[:, band] @ samples[band]
    return result


def apply(samples, size, sigma):
    """size: (width, height) of the result."""
    height, width, bands = samples.shape
    rows = combine_rows(axis_matrix(height, size[1], sigma), samples.reshape(height, width * bands))
    across = rows.reshape(size[1], width, bands).transpose(1, 0, 2).reshape(width, size[1] * bands)
    columns = combine_rows(axis_matrix(width, size[0], sigma), across)
    return np.ascontiguousarray(columns.reshape(size[0], size[1], bands).transpose(1, 0, 2))


def to_linear(encoded):
    """IEC 61966-2-1, 0 to 1."""
    return np.where(encoded <= 0.04045, encoded / 12.92, (np.maximum(encoded, 0.04045) / 1.055 + 0.055 / 1.055) ** 2.4)


def from_linear(light):
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * np.maximum(light, 0.0031308) ** (1 / 2.4) - 0.055)


def blur_thumbnail(pixels, sigma, box=BOX, linear=False, alpha=False):
    """The result for a picture; alpha: the last band is alpha, the others are premultiplied by it."""
    height, width = pixels.shape[:2]
    top = np.iinfo(pixels.dtype).max
    samples = pixels.reshape(height, width, -1) / top
    colour, cover = (samples[..., :-1], samples[..., -1:]) if alpha else (samples, None)
    if linear:
        colour = to_linear(colour)
    if alpha:
        colour = np.concatenate([colour * cover, cover], axis=-1)
    result = apply(colour, fit(width, height, box)[:2], float(sigma))
    if alpha:
        cover = result[..., -1:]
        result = np.divide(result[..., :-1], cover, out=np.zeros_like(result[..., :-1]), where=cover > 0)
    result = np.clip(result, 0, 1)
    if linear:
        result = from_linear(result)
    if alpha:
        result = np.concatenate([result, np.clip(cover, 0, 1)], axis=-1)
    return result * top


def compare(result, expected, border=0):
    """Greatest error and PSNR in levels of 255, at least `border` pixels away from the edge.
    result: 8 or 16 bits; expected: on the same scale."""
    level = np.iinfo(result.dtype).max / 255
    error = np.abs(result.reshape(expected.shape) - expected) / level
    inside = error[border:error.shape[0] - border, border:error.shape[1] - border]
    if inside.size == 0:
        raise ValueError('no pixels are left inside the border')
    rms = math.sqrt(np.mean(inside**2))
    return float(inside.max()), 20 * math.log10(255 / rms) if rms > 0 else math.inf
