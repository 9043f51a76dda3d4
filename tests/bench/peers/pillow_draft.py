# SPDX-License-Identifier: MIT
"""The Python program by somebody who knows Pillow well: pillow_draft.py JOBS OUTPUT PICTURE...

The decoder and `reduce` shrink while at least the result's size is left, then comes a smaller blur.
"""
import concurrent.futures
import functools
import os
import sys

from PIL import Image, ImageFilter

BOX = 1200


def process_image(output, name):
    image = Image.open(name)
    width = image.width
    scale = max(1, image.width / BOX, image.height / BOX)
    size = max(1, round(image.width / scale)), max(1, round(image.height / scale))
    image.draft('RGB', size)
    image = image.reduce(min(image.width // size[0], image.height // size[1]))
    image = image.filter(ImageFilter.GaussianBlur(15 * image.width / width))
    image.thumbnail((BOX, BOX))
    image.save(os.path.join(output, os.path.basename(name)))


if __name__ == '__main__':
    jobs, output, *names = sys.argv[1:]
    with concurrent.futures.ProcessPoolExecutor(max_workers=int(jobs)) as executor:
        list(executor.map(functools.partial(process_image, output), names))
