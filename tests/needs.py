# SPDX-License-Identifier: MIT
"""What this machine lacks for a test."""
import functools
import os
import shutil
import subprocess

import pytest

# The programs by which a package is known.
PROGRAMS = {'attr': ('setfattr',), 'btrfs-progs': ('mkfs.btrfs',), 'chromium': ('chromium',),
            'exfat-fuse': ('mkfs.exfat', 'mount.exfat-fuse'), 'fish': ('fish',), 'imagemagick': ('convert',),
            'inotify-tools': ('inotifywait',), 'libavif-bin': ('avifenc',), 'rclone': ('rclone', 'fusermount3'),
            'mandoc': ('mandoc',), 'ntfs-3g': ('mkntfs', 'ntfs-3g'), 'rsync': ('rsync',), 'time': ('/usr/bin/time',),
            'zsh': ('zsh',)}


def lack(what):
    """Skips the test, which a machine that is to try everything does not allow."""
    (pytest.fail if os.environ.get('MUST_WORK') == '1' else pytest.skip)(what)


@functools.lru_cache(maxsize=None)
def has(package):
    path = f'{os.environ["PATH"]}:/usr/sbin:/sbin'
    if not all(shutil.which(program, path=path) for program in PROGRAMS[package]):
        return False
    # Something else may go by the name of convert.
    return package != 'imagemagick' or subprocess.run(
        ['convert', '-version'], capture_output=True).stdout.startswith(b'Version: ImageMagick')


def need(package):
    if not has(package):
        lack(f'{package} is not installed')
