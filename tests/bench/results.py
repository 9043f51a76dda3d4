# SPDX-License-Identifier: MIT
"""Are the results there? results.py [--sized] SET.json OUTPUT

Each picture of the set needs a result of its name, whatever the extension; with --sized one of the
size that fits 1200 x 1200. Exit 1 with a line for each that is not so.
"""
import argparse
import json
import pathlib
import sys

from PIL import Image

BOX = 1200


def fitted(width, height):
    scale = max(1, width / BOX, height / BOX)
    return max(1, round(width / scale)), max(1, round(height / scale))


def complaint(path, size):
    if path is None:
        return 'no result'
    if size is not None:
        with Image.open(path) as image:
            if image.size != size:
                return f'{image.width} x {image.height} instead of {size[0]} x {size[1]}'
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--sized', action='store_true')
    parser.add_argument('pictures', type=pathlib.Path)
    parser.add_argument('output', type=pathlib.Path)
    options = parser.parse_args()
    results = {path.stem: path for path in options.output.rglob('[!.]*') if path.is_file()}
    failed = False
    for name, width, height in json.loads(options.pictures.read_text()):
        size = fitted(width, height) if options.sized else None
        wrong = complaint(results.get(pathlib.Path(name).stem), size)
        if wrong is not None:
            print(f'{name}: {wrong}')
            failed = True
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
