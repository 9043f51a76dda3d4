# SPDX-License-Identifier: MIT
"""Formats that libvips has only where it was built with a library for them.

What it lacks is found by asking the program under test, and left out. BT_ALL_FORMATS in the environment
says that nothing may be lacking, so that a decoder that broke cannot hide.
"""
import os
import subprocess

import needs

ALLOW = '--allow', 'jxl,jp2,ppm,svg,bmp'
OPTIONAL = '.bmp', '.heic', '.jp2', '.jxl', '.pgm', '.ppm'
# In packages of their own since Debian 13.
ENCODERS = {'.avif': 'libheif-plugin-aomenc', '.heic': 'libheif-plugin-x265'}


def lacking(testdata, reads):
    """The extensions among them of which the file in testdata/formats is not read, as reads(path) tells."""
    if 'BT_ALL_FORMATS' in os.environ:
        return set()
    return {path.suffix for path in (testdata / 'formats').iterdir() if path.suffix in OPTIONAL and not reads(path)}


def unwritten(testdata, folder):
    """The extensions of which libvips has no encoder."""
    if 'BT_ALL_FORMATS' in os.environ:
        return set()
    return {extension for extension in ENCODERS if subprocess.run(
        ['vips', 'copy', testdata / 'formats/rgb.png', f'{folder}/a{extension}[effort=0]'],
        stderr=subprocess.DEVNULL).returncode != 0}


def need_encoders(unwritten, *extensions):
    for extension in extensions:
        if extension in unwritten:
            needs.lack(f'{ENCODERS[extension]} is not installed')
