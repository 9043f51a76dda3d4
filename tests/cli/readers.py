# SPDX-License-Identifier: MIT
"""Pictures as others see them: Pillow, and ImageMagick's convert. Both make of a file what is to be seen of
it, its first page in sRGB: an array of height x width x 4 doubles, red, green, blue and alpha in levels of 255."""
import io
import os
import re
import subprocess

import numpy as np
from PIL import Image, ImageCms

from make_testdata import ORIENTATION_TAG

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile('sRGB'))
NO_TABLE, BLACK_POINT = 0x0100, 0x2000  # lcms2's usual table is off by up to 18 levels
DEEP_GREY = 'I', 'I;16', 'I;16B'


def magick(*arguments, check=True):
    """What convert writes to its output."""
    return subprocess.run(['convert', *map(str, arguments)], check=check, stdout=subprocess.PIPE,
                          env={**os.environ, 'MAGICK_THREAD_LIMIT': '1'}).stdout


def to_srgb(image):
    profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info['icc_profile']))
    return ImageCms.profileToProfile(image, profile, SRGB, outputMode='RGB', flags=NO_TABLE | BLACK_POINT,
                                     renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC)


class Pillow:
    """RGB of 16 bits it reads as 8, and AVIF and HEIC not at all."""

    @staticmethod
    def read(path):
        image = Image.open(path)
        if image.mode in DEEP_GREY:
            grey = np.asarray(image, dtype=float)[..., None] / 257
            return np.concatenate([grey, grey, grey, np.full_like(grey, 255)], axis=-1)
        if 'icc_profile' in image.info and image.mode in ('L', 'RGB', 'CMYK'):
            image = to_srgb(image)
        return np.asarray(image.convert('RGBA'), dtype=float)

    @staticmethod
    def pages(path):
        return getattr(Image.open(path), 'n_frames', 1)

    @staticmethod
    def is_grey(path):
        return Image.open(path).mode in ('1', 'L', 'LA', *DEEP_GREY)

    @staticmethod
    def orientations(paths):
        return [Image.open(path).getexif().get(ORIENTATION_TAG, 1) for path in paths]


class Magick:
    """Of 16 bits it keeps all."""

    @staticmethod
    def read(path):
        srgb = path.parent.parent / 'srgb.icc'
        srgb.write_bytes(SRGB.tobytes())
        # What has no profile is only said to be sRGB, and what has no alpha opaque: the alpha that convert has for
        # AVIF is undefined.
        whole = magick(f'{path}[0]', '-intent', 'relative', '-black-point-compensation', '-profile', srgb,
                       '-alpha', 'set', '-type', 'TrueColorAlpha', '-depth', '16', 'pam:-')
        head, samples = whole.split(b'ENDHDR\n', 1)
        width, height = (int(re.search(rb'%s (\d+)' % word, head)[1]) for word in (b'WIDTH', b'HEIGHT'))
        assert b'DEPTH 4\nMAXVAL 65535\n' in head
        return np.frombuffer(samples, '>u2').reshape(height, width, 4) / 257

    @staticmethod
    def pages(path):
        return len(magick(path, '-format', '%p\n', 'info:').split())

    @staticmethod
    def is_grey(path):
        return magick(path, '-format', '%[channels]', 'info:').startswith(b'gray')

    @staticmethod
    def orientations(paths):
        words = magick(*paths, '-format', '%[orientation]\n', 'info:').decode().split()
        return [1 if word in ('TopLeft', 'Undefined') else word for word in words]


READERS = {'pillow': Pillow, 'imagemagick': Magick}


def seen(pixels):
    """Colours as much as alpha lets them be seen, and alpha."""
    return np.concatenate([pixels[..., :3] * pixels[..., 3:] / 255, pixels[..., 3:]], axis=-1)


def difference(result, expected, border=0):
    """The greatest, in levels of what is seen, at least `border` pixels away from the edge."""
    assert result.shape == expected.shape
    error = np.abs(seen(result) - seen(expected))
    return float(error[border:error.shape[0] - border, border:error.shape[1] - border].max())


def jpeg_quality(path):
    """As convert guesses it from the tables."""
    return int(re.match(r'\d+', magick(path, '-format', '%Q', 'info:').decode())[0])
