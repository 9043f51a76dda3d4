# SPDX-License-Identifier: MIT
"""File systems in files: such as keep extended attributes, and such as do not."""
import os
import pathlib
import subprocess

from needs import lack

MEGABYTES = 64


def call(*command):
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0


class Fuse:
    """A disk in a file of its own, that a process answers for."""

    def __init__(self, image, folder, make, kind):
        self.kind, self.folder = kind, pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(image, 'wb') as file:
            file.truncate(MEGABYTES << 20)
        if not call(*make, image) or not call('mount', '-t', kind, '-o', 'loop', image, self.folder):
            lack(f'{kind} cannot be mounted here')

    def daemon(self):
        """The process that answers for it."""
        for name in filter(str.isdigit, os.listdir('/proc')):
            try:
                with open(f'/proc/{name}/cmdline', 'rb') as file:
                    words = file.read().split(b'\0')
            except OSError:
                continue
            if self.kind.encode() in words[0] and os.fsencode(self.folder) in words:
                return int(name)
        raise AssertionError('nobody answers')

    def unmount(self):
        if not call('umount', self.folder):
            call('umount', '-l', self.folder)


class Exfat(Fuse):
    """It keeps no attributes, owners, modes or links, takes names that differ by case alone for one, and has
    times of 10 ms."""

    def __init__(self, image, folder):
        super().__init__(image, folder, ('mkfs.exfat',), 'exfat-fuse')


class Ntfs(Fuse):
    def __init__(self, image, folder):
        super().__init__(image, folder, ('mkntfs', '-q', '-Q', '-F'), 'ntfs-3g')


def keeps_attributes(folder):
    try:
        os.setxattr(folder, 'user.blurthumb-test', b'1')
        os.removexattr(folder, 'user.blurthumb-test')
    except OSError:
        return False
    return True
