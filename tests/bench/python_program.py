# SPDX-License-Identifier: MIT
"""What people use today: python_program.py JOBS OUTPUT PICTURE..."""
import concurrent.futures
import functools
import os
import sys

from PIL import Image, ImageFilter


def process_image(output, name):
    image = Image.open(name)
    image = image.filter(ImageFilter.GaussianBlur(15))
    image.thumbnail((1200, 1200))
    image.save(os.path.join(output, os.path.basename(name)))
    print(f'{name} was processed...')


if __name__ == '__main__':
    jobs, output, *names = sys.argv[1:]
    os.makedirs(output, exist_ok=True)
    with concurrent.futures.ProcessPoolExecutor(max_workers=int(jobs)) as executor:
        list(executor.map(functools.partial(process_image, output), names))
