# SPDX-License-Identifier: MIT
"""The Python program without its pool: pillow_serial.py JOBS OUTPUT PICTURE..."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))
from python_program import process_image

_, output, *names = sys.argv[1:]
for name in names:
    process_image(output, name)
