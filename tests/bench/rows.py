# SPDX-License-Identifier: MIT
"""What is run on what: a row is one program on one set, "SET/PROGRAM"."""
import dataclasses
import pathlib
import shutil
import sys

HERE = pathlib.Path(__file__).parent
PEERS = HERE / 'peers'
SHARP = 'sharp@0.34'
SHRINK = 8  # what blurthumb asks libjpeg for at sigma 15, whatever the picture's size

# The programs of each set, in the order in which they take their turns.
ROWS = {
    'camera': ('blurthumb', 'blurthumb-serial', 'blurthumb-10', 'blurthumb-150', 'floor', 'python', 'pillow-serial',
               'pillow-draft', 'sharp-exact', 'sharp-cheap', 'vipsthumbnail'),
    'camera10': ('blurthumb', 'blurthumb-serial', 'floor'),
    'progressive': ('blurthumb', 'pillow-draft'),
    '422': ('blurthumb',),
    'png': ('blurthumb', 'pillow-draft', 'sharp-exact', 'sharp-cheap'),
    'webp': ('blurthumb', 'pillow-draft'),
    'small': ('blurthumb', 'pillow-draft'),
    'big-jpeg': ('blurthumb',),
    'big-twin': ('blurthumb',),
    'big-png': ('blurthumb',),
    'icons-jpeg': ('blurthumb',),
    'icons-png': ('blurthumb',),
    'giant': ('blurthumb', 'blurthumb-serial'),
    'giant-rst': ('blurthumb', 'blurthumb-serial'),
    'one-small': ('blurthumb', 'vips-copy'),
    'part': ('blurthumb', 'imagemagick', 'graphicsmagick'),
}


@dataclasses.dataclass(frozen=True)
class Program:
    """`command` makes the arguments from the set's folder, its pictures, and the output folder;
    `needs` are programs and folders without which it counts as not installed; `is_sized` says that
    results must have the very size that fits."""
    command: object
    needs: tuple = ()
    environment: dict = dataclasses.field(default_factory=dict)
    is_sized: bool = False

    def is_installed(self):
        return all(shutil.which(need) or pathlib.Path(need).is_dir() for need in self.needs)


def batch(program, jobs, *options):
    """blurthumb, which takes a folder."""
    workers = () if '--serial' in options else ('-j', jobs)
    return Program(
        lambda folder, _, output: [program, '-q', *workers, *options, '-o', output, folder],
        is_sized=True)


def lister(*command, needs=(), environment=None):
    """A program that takes the output folder and the pictures one by one."""
    return Program(lambda _, pictures, output: [*command, output, *pictures], needs, environment or {})


def programs(blurthumb, floor, jobs, node, others):
    """By name. `node` is the folder that sharp is installed into, `others` are more blurthumbs."""
    def peer(file, **rest):
        return lister('sh', PEERS / file, jobs, **rest)

    def sharp(mode):
        modules = node / 'node_modules'
        return lister('node', PEERS / 'sharp.mjs', mode, jobs, needs=('node', modules / 'sharp'),
                      environment={'NODE_PATH': str(modules)})

    return {
        'blurthumb': batch(blurthumb, jobs),
        'blurthumb-serial': batch(blurthumb, jobs, '--serial'),
        'blurthumb-10': batch(blurthumb, jobs, '--sigma', '10'),
        'blurthumb-150': batch(blurthumb, jobs, '--sigma', '150'),
        **{name: batch(path, jobs) for name, path in others.items()},
        'floor': Program(lambda _, pictures, output: [floor, jobs, output, SHRINK, *pictures],
                         is_sized=True),
        'python': lister(sys.executable, HERE / 'python_program.py', jobs),
        'pillow-serial': lister(sys.executable, PEERS / 'pillow_serial.py', jobs),
        'pillow-draft': lister(sys.executable, PEERS / 'pillow_draft.py', jobs),
        'sharp-exact': sharp('exact'),
        'sharp-cheap': sharp('cheap'),
        'vipsthumbnail': peer('vipsthumbnail.sh', needs=('vipsthumbnail',)),
        'vips-copy': Program(
            lambda _, pictures, output: ['vips', 'copy', pictures[0], output / pictures[0].name],
            needs=('vips',)),
        'imagemagick': peer('imagemagick.sh', needs=('mogrify',)),
        'graphicsmagick': peer('graphicsmagick.sh', needs=('gm',)),
    }


def wanted(patterns, others):
    """Pairs of set and program; the others run wherever blurthumb does."""
    for name, row in ROWS.items():
        for program in (row[0], *others, *row[1:]):
            if any(pathlib.PurePath(f'{name}/{program}').match(pattern) for pattern in patterns):
                yield name, program
