# SPDX-License-Identifier: MIT
"""Formats that libvips has only where it was built with a library for them.

What it lacks is found by asking the program under test, and left out. BT_ALL_FORMATS in the environment
says that nothing may be lacking, so that a decoder that broke cannot hide.
"""
import os

ALLOW = '--allow', 'jxl,jp2,ppm,svg,bmp'
OPTIONAL = '.bmp', '.heic', '.jp2', '.jxl', '.pgm', '.ppm'


def lacking(testdata, reads):
    """The extensions among them of which the file in testdata/formats is not read, as reads(path) tells."""
    if 'BT_ALL_FORMATS' in os.environ:
        return set()
    return {path.suffix for path in (testdata / 'formats').iterdir() if path.suffix in OPTIONAL and not reads(path)}
