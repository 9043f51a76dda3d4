#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes testdata/ again, the same bytes on every run: make_testdata.py FOLDER

Everything is drawn with numpy and Pillow from fixed seeds; the vips command line writes the few
formats that Pillow cannot. Fields are kept in double precision, so that a processor that rounds the
last bit of a sine another way still gives the same 8-bit picture.

    photos/       a dozen photo-like JPEGs
    formats/      one small picture in every format and kind of sample
    orientation/  an F, stored in each of the ways that EXIF knows, upright in all
    sizes/        one-pixel lines, odd sides, the box itself
    raw/          raw files of cameras of every kind, but for the raw samples
    hdr/          patches of known colours in PQ, HLG, BT.2020, Display P3 and other gammas
    broken/       files that are cut, empty, mislabelled, or claim what they do not hold
"""
import io
import pathlib
import struct
import subprocess
import sys
import zlib

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

import heif_boxes
import raw_shells

P3_PRIMARIES = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
SRGB_PRIMARIES = ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060))

# What EXIF orientation N says is to be done to the stored pixels; here it is undone, to store them.
UNDO_ORIENTATION = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
ORIENTATION_TAG = 0x0112


# Fields: two-dimensional arrays of doubles.

def generator(seed):
    return np.random.Generator(np.random.PCG64(seed))


def grid(width, height):
    """Column and row of each pixel, 0 to 1."""
    return np.meshgrid((np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height)


def noise(width, height, seed, slope=1.5, stretch=1.0, finest=3.0):
    """Noise with a spectrum of 1/f^slope, mean 0, deviation 1; drawn out sideways by `stretch`;
    with next to nothing finer than `finest` pixels, which JPEG would pay for dearly."""
    fx = np.fft.rfftfreq(width)[None, :] * stretch
    fy = np.fft.fftfreq(height)[:, None]
    f = np.hypot(fx, fy)
    f[0, 0] = 1
    spectrum = f**-slope * np.exp(-((f * finest) ** 2))
    spectrum[0, 0] = 0
    field = np.fft.irfft2(np.fft.rfft2(generator(seed).standard_normal((height, width))) * spectrum,
                          s=(height, width))
    return field / field.std()


def line(length, seed, slope=1.2, finest=3.0):
    """The same along one axis: a skyline."""
    return noise(length, 1, seed, slope=slope, finest=finest)[0]


def step(field, softness=1.0):
    """0 below zero, 1 above, smooth over `softness`."""
    t = np.clip(field / softness + 0.5, 0, 1)
    return t * t * (3 - 2 * t)


def ramp(t, *colours):
    """Colours (r, g, b) evenly spaced along t from 0 to 1."""
    stops = np.linspace(0, 1, len(colours))
    return np.stack([np.interp(t, stops, [c[band] for c in colours]) for band in range(3)], axis=-1)


def mix(below, above, cover):
    return below + (np.asarray(above, dtype=float) - below) * cover[..., None]


def disc(x, y, radius, softness=1.5):
    return step(radius - np.hypot(x, y), softness)


def picture(pixels):
    return Image.fromarray(np.clip(np.floor(pixels + 0.5), 0, 255).astype(np.uint8))


def cells(width, height, seed, count, wobble=0.0):
    """Distance to the nearest and second nearest of `count` points, and which is the nearest."""
    random = generator(seed)
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    x = x + wobble * noise(width, height, seed + 1, slope=2)
    y = y + wobble * noise(width, height, seed + 2, slope=2)
    first = np.full((height, width), np.inf)
    second = first.copy()
    which = np.zeros((height, width), dtype=int)
    for n, (px, py) in enumerate(random.uniform(0, 1, (count, 2)) * (width, height)):
        distance = np.hypot(x - px, y - py)
        second = np.minimum(second, np.maximum(first, distance))
        which[distance < first] = n
        first = np.minimum(first, distance)
    return first, second, which


# Photos.

def dunes(width, height):
    x, y = grid(width, height)
    pixels = ramp(y / 0.45, (70, 120, 175), (165, 190, 205), (245, 215, 175))
    sand = noise(width, height, 13, slope=1.0, stretch=3)
    for n in range(6):
        near = (n + 1) / 6
        crest = (0.36 + 0.09 * n - (0.04 + 0.035 * near)
                 * (np.sin(2 * np.pi * (x * (2.3 - 1.4 * near) + 0.37 * n)) + 0.25 * line(width, 20 + n, 2)))
        depth = (y - crest) / (0.10 + 0.25 * near)
        slope = np.gradient(crest[0]) * width / 2
        light = np.clip(0.55 - 0.65 * slope[None, :] - 0.45 * depth, 0.08, 1.1)
        ripples = np.sin(260 * (y - crest) / (0.3 + near) + 6 * np.sin(9 * x + n) + 2 * sand) * near * 0.05
        shade = ramp(light + ripples + 0.02 * sand, (92, 40, 28), (196, 104, 48), (240, 172, 96), (255, 226, 170))
        pixels = mix(pixels, shade, step(y - crest, 1.5 / height))
    return picture(pixels)


def sea(width, height):
    x, y = grid(width, height)
    aspect = width / height
    horizon = 0.56
    pixels = ramp(y / horizon, (38, 48, 110), (150, 70, 120), (250, 130, 80), (255, 210, 120))
    clouds = noise(width, height, 31, slope=1.7, stretch=4)
    pixels = mix(pixels, (255, 170, 140), 0.5 * step(clouds - 0.5, 2) * step(0.5 - y, 0.5))
    away = np.hypot((x - 0.62) * aspect, y - 0.47)
    pixels += np.exp(-((away / 0.16) ** 2))[..., None] * (60, 60, 40)
    pixels = mix(pixels, (255, 250, 225), disc((x - 0.62) * width, (y - 0.47) * height, 0.062 * height))
    below = np.clip((y - horizon) / (1 - horizon), 0, 1)
    rows = np.clip(below * height, 1, None)
    waves = noise(width, height, 32, slope=1.1, stretch=5)
    swell = np.sin(110 * np.log(0.06 + below) + 3 * waves + 4 * noise(width, height, 33, 2))
    water = ramp(below, (235, 140, 95), (110, 70, 110), (25, 35, 75), (8, 18, 48))
    water += ((0.5 * swell + waves) * np.minimum(1, rows / 60))[..., None] * (14, 11, 14)
    path = np.exp(-(((x - 0.62) / (0.035 + 0.13 * below)) ** 2))
    water = mix(water, (255, 225, 160), np.clip(path * step(waves + 0.6 * swell - 0.35, 0.8), 0, 1))
    return picture(mix(pixels, water, step(y - horizon, 1.2 / height)))


def mountains(width, height):
    x, y = grid(width, height)
    pixels = ramp(y / 0.7, (86, 130, 190), (170, 200, 225), (250, 232, 215))
    pixels = mix(pixels, (255, 255, 255), 0.7 * step(noise(width, height, 41, 1.6, 2.5) - 0.9, 1.6))
    rock = noise(width, height, 42, slope=1.3)
    for n in range(7):
        near = n / 6
        crest = 0.34 + 0.085 * n - (0.06 + 0.05 * (1 - near)) * line(width, 50 + n, 1.35)
        below = np.clip((y - crest) / 0.3, 0, 1)
        shade = ramp(np.full_like(x, near), (165, 190, 215), (110, 140, 165), (60, 95, 100), (22, 48, 40))
        shade = mix(shade, (235, 235, 235), 0.65 * (1 - near) * below)
        shade += (rock * 9 * (0.3 + near))[..., None]
        snow = step(0.07 - (y - crest) - 0.035 * rock, 0.02) * (n in (0, 1, 2))
        shade = mix(shade, (246, 249, 253), snow)
        pixels = mix(pixels, shade, step(y - crest, 1.5 / height))
    return picture(pixels)


def city(width, height):
    x, y = grid(width, height)
    random = generator(61)
    image = picture(ramp(y, (18, 24, 66), (72, 54, 120), (214, 100, 110), (255, 176, 96))
                    + noise(width, height, 62, 1.7, 3)[..., None] * 4)
    draw = ImageDraw.Draw(image)
    for row in range(4):
        left = -30
        body = [(66, 52, 96), (44, 38, 76), (28, 26, 54), (14, 14, 32)][row]
        while left < width:
            across = int(random.integers(70, 170))
            top = int(height * (0.30 + 0.14 * row + random.uniform(0, 0.20)))
            draw.rectangle((left, top, left + across, height), fill=body)
            if random.uniform() < 0.3:
                draw.line((left + across // 2, top - 80, left + across // 2, top), fill=body, width=4)
            pane, gap = 9 + row * 2, 6 + row
            for wy in range(top + gap, height, pane + 2 * gap):
                for wx in range(left + gap, left + across - pane, pane + gap):
                    if random.uniform() < 0.34:
                        warm = random.uniform()
                        colour = (255, int(190 + 50 * warm), int(90 + 120 * warm))
                        draw.rectangle((wx, wy, wx + pane - 1, wy + pane), fill=colour)
            left += across + int(random.integers(0, 14))
    return image


def meadow(width, height):
    x, y = grid(width, height)
    random = generator(71)
    sky = ramp(y / 0.35, (90, 160, 235), (200, 225, 245))
    sky = mix(sky, (255, 255, 255), 0.9 * step(noise(width, height, 72, 1.6, 2.2) - 0.6, 1.5))
    near = np.clip((y - 0.33) / 0.67, 0, 1)
    grass = ramp(near, (150, 180, 90), (96, 150, 50), (40, 104, 26))
    grass += noise(width, height, 73, 0.8, 0.4, finest=4)[..., None] * (10, 13, 6) * (0.3 + near[..., None])
    hill = 0.33 + 0.02 * line(width, 74, 2)
    image = picture(mix(sky, grass, step(y - hill, 2 / height)))
    draw = ImageDraw.Draw(image)
    colours = [(226, 28, 40), (250, 208, 30), (245, 245, 250), (150, 60, 200), (255, 120, 170), (40, 90, 230)]
    for depth in np.sort(random.uniform(0, 1, 420) ** 1.5):
        cx, cy = random.uniform(0, width), height * (0.36 + 0.66 * depth)
        size = 2 + 24 * depth
        colour = colours[int(random.integers(len(colours)))]
        draw.line((cx, cy, cx + random.normal(0, size), cy + 5 * size), fill=(34, 92, 28), width=int(1 + size / 8))
        for petal in range(6):
            px, py = cx + size * np.cos(petal * np.pi / 3), cy + size * 0.8 * np.sin(petal * np.pi / 3)
            draw.ellipse((px - 0.6 * size, py - 0.5 * size, px + 0.6 * size, py + 0.5 * size), fill=colour)
        draw.ellipse((cx - 0.5 * size, cy - 0.4 * size, cx + 0.5 * size, cy + 0.4 * size), fill=(250, 170, 20))
    return image


def page(width, height):
    """Lines of marks like words, in grey."""
    x, y = grid(width, height)
    random = generator(81)
    paper = 238 - 26 * np.hypot(x - 0.4, y - 0.4) + 1.5 * noise(width, height, 82, 1.5)
    image = picture(paper)
    draw = ImageDraw.Draw(image)
    margin = width // 9
    draw.rectangle((margin, margin, width - margin, margin + 14), fill=40)
    draw.rectangle((margin, margin + 40, width * 2 // 3, margin + 84), fill=30)
    for n, top in enumerate(range(margin + 150, height - margin, 40)):
        left = margin + (60 if n % 9 == 0 else 0)
        end = width - margin if n % 9 != 8 else width // 2
        if 18 <= n < 26:
            end = width // 2 - 20
        while left < end - 40:
            for _ in range(int(random.integers(2, 9))):
                tall = 22 if random.uniform() < 0.3 else 14
                kind = random.integers(3)
                box = (left, top + 22 - tall, left + 9, top + 22)
                if kind == 0:
                    draw.arc((left, top + 8, left + 10, top + 22), 0, 360, fill=45, width=3)
                elif kind == 1:
                    draw.line((box[0] + 1, box[1], box[0] + 1, box[3]), fill=45, width=3)
                    draw.arc((left, top + 8, left + 10, top + 30), 180, 360, fill=45, width=3)
                else:
                    draw.line((box[0], box[1] + 8, box[2], box[3]), fill=45, width=3)
                    draw.line((box[2], box[1] + 8, box[0], box[3]), fill=45, width=3)
                left += 13
            left += 15
    top = margin + 150 + 18 * 40
    draw.rectangle((width // 2 + 10, top, width - margin, top + 300), outline=60, width=3)
    bars = range(width // 2 + 40, width - margin - 40, 50)
    for n, left in enumerate(bars):
        draw.rectangle((left, top + 280 - 22 * (n + 2), left + 34, top + 280), fill=90 + 12 * n)
    return image


def bokeh(width, height):
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    random = generator(91)
    pixels = ramp(y / height, (10, 8, 34), (44, 14, 60), (16, 26, 70)) + 0
    hues = ((255, 96, 40), (255, 190, 60), (255, 60, 140), (60, 170, 255), (140, 255, 150), (220, 110, 255))
    for n in range(90):
        cx, cy = random.uniform(0, width), random.uniform(0.1, 1.0) * height
        radius = random.uniform(18, 105)
        away = np.hypot(x - cx, y - cy)
        glow = step(radius - away, 2 + radius / 14) * (0.55 + 0.45 * (away / radius) ** 4)
        pixels += (glow * random.uniform(0.12, 0.5))[..., None] * hues[int(random.integers(len(hues)))]
    return picture(pixels)


def glass(width, height):
    """A stained window: flat saturated panes in lead."""
    random = generator(101)
    first, second, which = cells(width, height, 102, 150)
    x, y = grid(width, height)
    hue = random.uniform(0, 1, 150)[which]
    pixels = ramp(hue, (200, 16, 30), (240, 180, 10), (20, 140, 60), (10, 80, 210), (120, 20, 160), (230, 60, 20))
    light = 1.25 - 1.1 * np.hypot(x - 0.5, y - 0.42) + 0.05 * noise(width, height, 103, 1.4)
    pixels = pixels * light[..., None]
    rose = np.hypot(x - 0.5, y - 0.5)
    lead = np.maximum(step(11 - (second - first), 3), step(0.012 - np.abs(rose - 0.36), 0.003))
    return picture(mix(pixels, (16, 15, 18), lead))


def night(width, height):
    x, y = grid(width, height)
    random = generator(111)
    pixels = ramp(y, (6, 8, 26), (10, 18, 50), (34, 50, 92), (96, 92, 110))
    band = np.exp(-(((x - 0.2 - 0.6 * y + 0.03 * noise(width, height, 112, 2)) / 0.16) ** 2))
    dust = noise(width, height, 113, 1.5)
    pixels += (band * np.clip(0.8 + 0.45 * dust, 0, 3))[..., None] * (62, 56, 74)
    for _ in range(900):
        cx, cy = int(random.integers(3, width - 3)), int(random.integers(3, height - 3))
        glow = np.outer([0.1, 0.55, 1, 0.55, 0.1], [0.1, 0.55, 1, 0.55, 0.1])
        tint = ramp(np.array(random.uniform()), (255, 200, 160), (255, 255, 255), (170, 200, 255))
        pixels[cy - 2:cy + 3, cx - 2:cx + 3] += glow[..., None] * tint * random.uniform(0.2, 1) ** 2
    ridge = 0.86 - 0.035 * line(width, 114, 1.3)
    pixels = mix(pixels, (5, 6, 10), step(y - ridge, 1.5 / height))
    return picture(pixels)


def forest(width, height):
    x, y = grid(width, height)
    random = generator(121)
    pixels = ramp(y, (214, 226, 196), (188, 208, 168), (120, 140, 84))
    pixels += noise(width, height, 122, 1.7)[..., None] * 9
    bark = noise(width, height, 123, 1.0, 0.12, finest=4)
    for n in range(5):
        near = n / 4
        trunk = np.zeros_like(x)
        for _ in range(12 - 2 * n):
            across = (0.006 + 0.022 * near) * random.uniform(0.7, 1.3)
            centre = random.uniform(0, 1) + 0.006 * np.sin(5 * y + random.uniform(0, 6))
            foot = step(0.72 + 0.08 * n - y, 0.004)
            trunk = np.maximum(trunk, foot * step(across * (0.8 + 0.4 * y) - np.abs(x - centre), 0.0015))
        ground = step(y - 0.66 - 0.075 * n - 0.008 * line(width, 130 + n, 1.4), 0.004)
        colour = ramp(np.full_like(x, near), (160, 180, 150), (92, 104, 74), (34, 30, 20))
        colour = colour + (bark * 10 * near)[..., None]
        moss = ramp(np.full_like(x, near), (164, 186, 130), (110, 140, 60), (40, 66, 22))
        moss = moss + (noise(width, height, 140 + n, 1.0, 0.7) * 12 * (0.2 + near))[..., None]
        pixels = mix(mix(pixels, moss, ground), colour, trunk)
    beams = step(np.sin(17 * (x + 0.45 * y)) + 0.6 * noise(width, height, 124, 2), 2) * step(0.8 - y, 1.0)
    return picture(mix(pixels, (255, 248, 214), 0.22 * beams))


def balloons(width, height):
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    pixels = ramp(y / height, (28, 104, 210), (110, 176, 240), (206, 230, 250))
    pixels = mix(pixels, (255, 255, 255), 0.85 * step(noise(width, height, 151, 1.7, 2.2) - 0.7, 1.8))
    schemes = (((220, 20, 30), (255, 220, 0)), ((255, 120, 0), (90, 20, 140)), ((0, 150, 80), (255, 255, 255)),
               ((230, 0, 120), (0, 190, 220)), ((20, 40, 160), (255, 200, 40)))
    places = ((0.30, 0.40, 0.27), (0.72, 0.25, 0.15), (0.84, 0.66, 0.19), (0.55, 0.74, 0.10), (0.10, 0.80, 0.07))
    for (cx, cy, size), scheme in zip(places, schemes):
        radius = size * height
        u, v = (x - cx * width) / radius, (y - cy * height) / radius
        waist = np.where(v > 0, np.sqrt(np.clip(1 - (v / 1.35) ** 2, 0, 1)), np.sqrt(np.clip(1 - v * v, 0, 1)))
        envelope = step(waist - np.abs(u), 3 / radius) * step(1.12 - v, 3 / radius)
        gore = np.arcsin(np.clip(u / np.maximum(waist, 1e-9), -1, 1)) / np.pi * 12
        stripes = step(np.sin(np.pi * gore), 0.2)
        cloth = mix(np.broadcast_to(np.array(scheme[0], float), pixels.shape), scheme[1], stripes)
        cloth = mix(cloth, scheme[1], step(0.14 - np.abs(v - 0.15), 0.03))
        cloth = cloth * np.clip(1.0 - 0.35 * u - 0.3 * v, 0.35, 1.15)[..., None]
        pixels = mix(pixels, cloth, envelope)
        ropes = step(0.02 - np.abs(np.abs(u) - 0.35 + 0.25 * (v - 1.1)), 0.02) * (v > 1.1) * (v < 1.5)
        basket = step(0.20 - np.abs(u), 0.03) * step(0.13 - np.abs(v - 1.6), 0.03)
        pixels = mix(pixels, (96, 60, 26), np.maximum(ropes, basket))
    return picture(pixels)


def canyon(width, height):
    x, y = grid(width, height)
    sky = ramp(y / 0.3, (40, 100, 190), (170, 205, 235))
    pixels = sky
    grain = noise(width, height, 161, 1.1, 0.6)
    for n in range(4):
        rim = 0.16 + 0.17 * n + (0.035 + 0.03 * n) * np.clip(line(width, 170 + n, 1.6), -1.6, 1.4)
        warp = y + 0.012 * noise(width, height, 180 + n, 2, 0.4)
        strata = np.sin(warp * 190 / (1 + 0.4 * n)) + 0.6 * np.sin(warp * 437 / (1 + 0.4 * n))
        cliff = noise(width, height, 190 + n, 1.4, 0.3)
        tone = 0.55 + 0.16 * strata + 0.12 * cliff + 0.05 * grain - 0.7 * (y - rim)
        rock = ramp(tone, (70, 24, 20), (170, 70, 40), (226, 140, 84), (248, 214, 168))
        rock = mix(rock, (190, 200, 220), np.full_like(x, 0.42 - 0.13 * n))
        pixels = mix(pixels, rock, step(y - rim, 1.5 / height))
    return picture(pixels)


PHOTOS = {
    'dunes': (dunes, 2400, 1600, dict(quality=64)),
    'sea': (sea, 2400, 1350, dict(quality=64)),
    'mountains': (mountains, 2600, 1300, dict(quality=72, progressive=True)),
    'city': (city, 1300, 1950, dict(quality=62)),
    'meadow': (meadow, 1640, 1230, dict(quality=52)),
    'page': (page, 1300, 1838, dict(quality=30)),
    'bokeh': (bokeh, 1600, 1600, dict(quality=80, subsampling=0)),
    'glass': (glass, 1400, 1400, dict(quality=58, subsampling=0)),
    'night': (night, 1400, 2100, dict(quality=76)),
    'forest': (forest, 1360, 2000, dict(quality=60)),
    'balloons': (balloons, 2000, 1333, dict(quality=66, subsampling=1)),
    'canyon': (canyon, 2100, 1401, dict(quality=50)),
}


def exposed(image, black=20, white=236):
    """Within a camera's range: where pixels touch the ends JPEG's ringing is cut off."""
    curve = [round(black + level * (white - black) / 255) for level in range(256)]
    return image.point(curve * len(image.getbands()))


def make_photos(folder, names):
    for name in names:
        scene, width, height, options = PHOTOS[name]
        exposed(scene(width, height)).save(folder / f'{name}.jpg', optimize=True, **options)


# Small pictures.

def sample(width=96, height=72):
    """Gradients, a disc, an edge and some noise."""
    x, y = grid(width, height)
    pixels = np.stack([40 + 190 * x, 60 + 150 * y, 220 - 160 * x * y], axis=-1)
    pixels = mix(pixels, (250, 220, 30), disc((x - 0.35) * width, (y - 0.45) * height, 0.28 * height))
    pixels = mix(pixels, (20, 30, 120), step(x - 0.75, 0.01) * step(y - 0.3, 0.01))
    return pixels + 2 * noise(width, height, 7, 1.2)[..., None]


def sample_alpha(width=96, height=72):
    x, y = grid(width, height)
    return 255 * step(0.48 - np.hypot(x - 0.5, y - 0.5), 0.3)


def with_alpha(image, alpha):
    image = image.copy()
    image.putalpha(alpha)
    return image


def icc_profile(name, primaries):
    """A version 4 display profile: D65 primaries adapted to D50 (Bradford), sRGB's curve."""
    def xyz(x, y):
        return np.array([x / y, 1.0, (1 - x - y) / y])

    def fixed(values):
        return b''.join(struct.pack('>i', int(round(v * 65536))) for v in values)

    def text(words):
        data = words.encode('utf-16-be')
        return struct.pack('>4sIII2s2sII', b'mluc', 0, 1, 12, b'en', b'US', len(data), 28) + data

    d50, d65 = np.array([0.9642, 1.0, 0.8249]), xyz(0.3127, 0.3290)
    bradford = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    adapt = np.linalg.inv(bradford) @ np.diag((bradford @ d50) / (bradford @ d65)) @ bradford
    columns = np.stack([xyz(*p) for p in primaries], axis=1)
    columns = adapt @ (columns * np.linalg.solve(columns, d65))
    curve = struct.pack('>4sIHH', b'para', 0, 3, 0) + fixed((2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045))
    tags = {b'desc': text(name), b'cprt': text('No copyright'), b'wtpt': b'XYZ \0\0\0\0' + fixed(d50),
            b'rTRC': curve, b'gTRC': curve, b'bTRC': curve}
    for band, tag in enumerate((b'rXYZ', b'gXYZ', b'bXYZ')):
        tags[tag] = b'XYZ \0\0\0\0' + fixed(columns[:, band])
    table, body = struct.pack('>I', len(tags)), b''
    start = 128 + 4 + 12 * len(tags)
    for tag, data in tags.items():
        table += struct.pack('>4sII', tag, start + len(body), len(data))
        body += data + b'\0' * (-len(data) % 4)
    head = struct.pack('>I4sI4s4s4s6H4s', start + len(body), b'\0\0\0\0', 0x04300000, b'mntr', b'RGB ', b'XYZ ',
                       2020, 1, 1, 0, 0, 0, b'acsp')
    return head.ljust(68, b'\0') + fixed(d50).ljust(60, b'\0') + table + body


def png_chunk(kind, data):
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))


def png_bytes(samples, interlace=False):
    """PNG as Pillow cannot write it: 16 bits in every colour type, and Adam7."""
    height, width, bands = samples.shape
    bits = samples.dtype.itemsize * 8
    samples = samples.astype(samples.dtype.newbyteorder('>'))
    passes = (((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
              if interlace else ((0, 0, 1, 1),))
    raw = b''
    for left, top, across, down in passes:
        for row in samples[top::down, left::across]:
            raw += b'\0' + row.tobytes() if row.size else b''
    header = struct.pack('>IIBBBBB', width, height, bits, {1: 0, 2: 4, 3: 2, 4: 6}[bands], 0, 0, int(interlace))
    return (b'\x89PNG\r\n\x1a\n' + png_chunk(b'IHDR', header) + png_chunk(b'IDAT', zlib.compress(raw, 9))
            + png_chunk(b'IEND', b''))


def with_chunk(png, kind, data):
    """A PNG with one more chunk behind its header."""
    return png[:33] + png_chunk(kind, data) + png[33:]


def cicp(primaries, transfer):
    return b'cICP', bytes([primaries, transfer, 0, 1])


def gama(gamma):
    return b'gAMA', struct.pack('>I', round(gamma * 100000))


def patches(mode, colours, side):
    image = Image.new(mode, (side * len(colours), side))
    for n, colour in enumerate(colours):
        image.paste(colour, (side * n, 0, side * n + side, side))
    return image


def vips_copy(source, target):
    """target may carry options of the writer: a.avif[Q=60]."""
    subprocess.run(['vips', 'copy', str(source), str(target)], check=True)


def make_formats(folder):
    pixels, alpha = sample(), picture(sample_alpha())
    rgb = picture(pixels)
    grey = rgb.convert('L')
    rgba = with_alpha(rgb, alpha)
    cmyk = rgb.convert('CMYK')
    palette = rgb.quantize(64, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    clear = palette.getpixel((34, 32))
    deep = np.clip(np.floor(pixels * 257 + 0.5), 0, 65535).astype(np.uint16)
    deep_alpha = np.floor(sample_alpha() * 257 + 0.5).astype(np.uint16)

    def save(image, name, **options):
        image.save(folder / name, **options)

    save(rgb, 'rgb.png', optimize=True)
    save(rgba, 'rgba.png', optimize=True)
    save(grey, 'grey.png', optimize=True)
    save(with_alpha(grey, alpha), 'grey_alpha.png', optimize=True)
    save(palette, 'palette.png', optimize=True)
    save(palette, 'palette_transparent.png', transparency=clear)
    save(rgb.convert('1'), 'bilevel.png', optimize=True)
    (folder / 'rgb16.png').write_bytes(png_bytes(deep))
    (folder / 'rgba16.png').write_bytes(png_bytes(np.dstack([deep, deep_alpha])))
    (folder / 'grey16.png').write_bytes(png_bytes(deep[:, :, 1:2]))
    (folder / 'interlaced.png').write_bytes(png_bytes(np.asarray(rgb), interlace=True))

    save(rgb, 'rgb.jpg', quality=85)
    save(grey, 'grey.jpeg', quality=85)
    save(cmyk, 'cmyk.jpg', quality=85)
    save(rgb, 'p3.jpg', quality=90, subsampling=0, icc_profile=icc_profile('P3', P3_PRIMARIES))
    save(rgb, 'srgb.jpg', quality=85, icc_profile=icc_profile('sRGB', SRGB_PRIMARIES))
    save(rgb, 'upper.JPG', quality=85)

    save(rgb, 'strips.tif')
    save(rgb, 'lzw.tiff', compression='tiff_lzw')
    save(rgba, 'deflate_alpha.tif', compression='tiff_adobe_deflate')
    save(cmyk, 'cmyk.tif', compression='tiff_lzw')
    save(rgb.convert('1'), 'bilevel.tif', compression='group4')
    save(Image.fromarray(deep[:, :, 1]), 'grey16.tif')
    save(Image.fromarray(pixels[:, :, 1].astype(np.float32)), 'float.tif')
    save(rgb, 'pages.tif', compression='tiff_lzw', save_all=True, append_images=[grey.convert('RGB')])
    vips_copy(folder / 'rgb16.png', folder / 'tiled16.tif[tile,tile-width=32,tile-height=32,compression=deflate]')
    vips_copy(folder / 'rgb.png', folder / 'pyramid.tif[tile,pyramid,tile-width=32,tile-height=32,compression=jpeg]')

    save(rgb, 'lossy.webp', quality=80)
    save(rgb, 'lossless.webp', lossless=True)
    save(rgba, 'alpha.webp', quality=80)
    frames = [picture(np.roll(pixels, 12 * n, axis=1)) for n in range(3)]
    save(frames[0], 'animated.webp', save_all=True, append_images=frames[1:], duration=100, quality=60)

    save(palette, 'static.gif')
    save(palette, 'transparent.gif', transparency=clear)
    save(frames[0], 'animated.gif', save_all=True, append_images=frames[1:], duration=100)

    save(rgb, 'rgb.ppm')
    save(grey, 'grey.pgm')
    save(rgb, 'rgb.bmp')
    save(rgb, 'rgb.jp2')
    vips_copy(folder / 'rgb.png', folder / 'rgb.jxl')
    vips_copy(folder / 'rgb.png', folder / 'rgb.avif[Q=60]')
    vips_copy(folder / 'rgba.png', folder / 'alpha.avif[Q=60]')
    vips_copy(folder / 'rgb.png', folder / 'rgb.heic[Q=60]')
    (folder / 'shapes.svg').write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="160" height="120">'
        '<rect width="160" height="120" fill="#48c"/><circle cx="60" cy="55" r="36" fill="#fc3"/></svg>\n')


def letter_f(width=240, height=160):
    x, y = grid(width, height)
    image = picture(ramp(x, (250, 245, 225), (200, 225, 250)) - 20 * y[..., None])
    draw = ImageDraw.Draw(image)
    for box in ((88, 24, 112, 136), (88, 24, 160, 48), (88, 72, 144, 96)):
        draw.rectangle(box, fill=(170, 20, 40))
    draw.rectangle((0, 0, 31, 31), fill=(20, 140, 60))
    return image


def make_orientation(folder):
    upright = letter_f()
    for orientation in range(1, 9):
        undo = UNDO_ORIENTATION.get(orientation)
        stored = upright.transpose(undo) if undo is not None else upright
        exif = Image.Exif()
        exif[ORIENTATION_TAG] = orientation
        stored.save(folder / f'f{orientation}.jpg', quality=92, subsampling=0, exif=exif)
        if orientation == 6:
            stored.save(folder / 'f6.png', optimize=True, exif=exif)
            stored.save(folder / 'f6.webp', lossless=True, exif=exif)
            stored.save(folder / 'f6.tif', compression='tiff_adobe_deflate', tiffinfo={ORIENTATION_TAG: orientation})


def make_sizes(folder):
    for width, height, extension in ((1, 1, 'png'), (1, 1, 'jpg'), (1, 500, 'png'), (500, 1, 'png'), (2, 3, 'jpg'),
                                     (3, 2, 'webp'), (1, 3001, 'png'), (3001, 1, 'jpg'), (1201, 801, 'jpg'),
                                     (1199, 33, 'jpg'), (4001, 17, 'jpg'), (17, 2401, 'png'), (1200, 1200, 'jpg')):
        x, y = grid(width, height)
        pixels = np.stack([30 + 200 * x, 40 + 180 * y, 128 + 90 * np.sin(9 * x + 7 * y)], axis=-1)
        pixels = mix(pixels, (240, 240, 40), disc((x - 0.5) * width, (y - 0.5) * height, 0.3 * min(width, height)))
        picture(pixels).save(folder / f'{width}x{height}.{extension}')


def jpeg_bytes(image, **options):
    content = io.BytesIO()
    image.save(content, 'JPEG', **options)
    return content.getvalue()


def make_raw(folder):
    """Each of a photo that its preview is as large as."""
    preview = jpeg_bytes(picture(sample(240, 160)), quality=70)
    thumb = jpeg_bytes(picture(sample(40, 30)), quality=50)
    for kind in raw_shells.KINDS:
        (folder / f'a.{kind}').write_bytes(raw_shells.shell(kind, preview, thumb, (240, 160)))
    order = {'dng': '<', 'nef': '<', 'cr2': '>'}
    for kind in order:
        (folder / f'other_order.{kind}').write_bytes(
            raw_shells.shell(kind, preview, thumb, (240, 160), order=order[kind]))
    (folder / 'big.dng').write_bytes(raw_shells.shell('dng', preview, thumb, (240, 160), big=True))


PATCHES = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (200, 60, 60), (60, 180, 90), (128, 128, 128), (250, 240, 230),
           (0, 0, 0), (40, 40, 40), (90, 90, 90), (170, 170, 170), (200, 200, 200), (255, 255, 255))
CODE_POINTS = {'pq': (9, 16), 'hlg': (9, 18), 'bt2020': (9, 13), 'p3': (12, 13)}  # H.273: primaries, transfer


def make_hdr(folder):
    """By code points, an ICC profile and gAMA. Of HEIC and AVIF with as many bits as Debian's encoders can: its libaom
    aborts at 10."""
    image = patches('RGB', PATCHES, 40)
    plain = png_bytes(np.asarray(image))
    profile = b'iCCP', b'P3\0\0' + zlib.compress(icc_profile('P3', P3_PRIMARIES))
    for name, points in CODE_POINTS.items():
        (folder / f'{name}.png').write_bytes(with_chunk(plain, *cicp(*points)))
    for name, chunk in {'p3_icc': profile, 'gamma1': gama(1), 'gamma055': gama(0.55)}.items():
        (folder / f'{name}.png').write_bytes(with_chunk(plain, *chunk))
    deep = png_bytes(np.asarray(image).astype(np.uint16) * 257)
    for extension, bits in ('avif', 12), ('heic', 10):
        made = folder / f'p3_icc.{extension}'
        (folder / 'deep.png').write_bytes(deep)
        for name, points in CODE_POINTS.items():
            vips_copy(folder / 'deep.png', f'{made}[Q=99,bitdepth={bits},effort=2]')
            (folder / f'{name}.{extension}').write_bytes(heif_boxes.describe(made.read_bytes(), *points))
        (folder / 'deep.png').write_bytes(with_chunk(deep, *profile))
        vips_copy(folder / 'deep.png', f'{made}[Q=99,bitdepth={bits},effort=2]')
    (folder / 'deep.png').unlink()


def make_broken(folder, photo, formats):
    def cut(source, name, share):
        data = source.read_bytes()
        (folder / name).write_bytes(data[:int(len(data) * share)])

    for share in (10, 50, 99):
        cut(photo, f'cut{share}.jpg', share / 100)
    for name in ('rgb.png', 'lossy.webp', 'static.gif', 'strips.tif', 'rgb.avif'):
        cut(formats / name, 'cut.' + name.rpartition('.')[2], 0.5)
    (folder / 'empty.jpg').write_bytes(b'')
    (folder / 'empty.png').write_bytes(b'')
    (folder / 'text.jpg').write_text('This is not a picture.\n')
    (folder / 'jpeg_called.png').write_bytes((formats / 'rgb.jpg').read_bytes())
    (folder / 'png_called.jpg').write_bytes((formats / 'rgb.png').read_bytes())

    side = 60000
    header = struct.pack('>IIBBBBB', side, side, 8, 2, 0, 0, 0)
    (folder / 'huge.png').write_bytes(b'\x89PNG\r\n\x1a\n' + png_chunk(b'IHDR', header)
                                      + png_chunk(b'IDAT', zlib.compress(b'\0' * 64)) + png_chunk(b'IEND', b''))
    (folder / 'huge.bmp').write_bytes(struct.pack('<2sIHHIIiiHHIIiiII', b'BM', 118, 0, 0, 54, 40, side, side, 1, 24,
                                                  0, 0, 2835, 2835, 0, 0) + bytes(64))
    entries = ((256, 4, side), (257, 4, side), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 110), (277, 3, 1),
               (278, 4, side), (279, 4, side * side))
    (folder / 'huge.tif').write_bytes(struct.pack('<2sHIH', b'II', 42, 8, len(entries))
                                      + b''.join(struct.pack('<HHII', tag, kind, 1, value)
                                                 for tag, kind, value in entries) + bytes(68))
    (folder / 'huge.gif').write_bytes(struct.pack('<6sHHBBB', b'GIF89a', side, side, 0x80, 0, 0) + bytes(6)
                                      + struct.pack('<cHHHHB', b',', 0, 0, side, side, 0) + b'\x02\x02\x44\x01\x00;')
    small = (formats / 'rgb.jpg').read_bytes()
    frame = small.index(b'\xff\xc0') + 5
    (folder / 'huge.jpg').write_bytes(small[:frame] + struct.pack('>HH', side, side) + small[frame + 4:])

    signatures = {'jpg': b'\xff\xd8\xff\xe0\0\x10JFIF\0', 'png': b'\x89PNG\r\n\x1a\n', 'gif': b'GIF89a',
                  'tif': b'II*\0\x08\0\0\0', 'webp': b'RIFF\xf8\x01\0\0WEBPVP8 ', 'avif': b'\0\0\0\x1cftypavif'}
    for n, (extension, signature) in enumerate(signatures.items()):
        (folder / f'random.{extension}').write_bytes(signature + generator(200 + n).bytes(500))


def make(root, photos=tuple(PHOTOS)):
    folders = {name: root / name for name in ('photos', 'formats', 'orientation', 'sizes', 'raw', 'hdr', 'broken')}
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    make_photos(folders['photos'], photos)
    make_formats(folders['formats'])
    make_orientation(folders['orientation'])
    make_sizes(folders['sizes'])
    make_raw(folders['raw'])
    make_hdr(folders['hdr'])
    make_broken(folders['broken'], folders['sizes'] / '1201x801.jpg', folders['formats'])


if __name__ == '__main__':
    if len(sys.argv) != 2:
        sys.exit('usage: make_testdata.py FOLDER')
    make(pathlib.Path(sys.argv[1]))
