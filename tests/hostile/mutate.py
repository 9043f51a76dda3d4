# SPDX-License-Identifier: MIT
"""Mutations of sound pictures, the same for the same seed: flipped bits, runs of bytes, cuts, pieces of
another picture, and lengths that are not true."""
import random
import struct
import zlib

PNG_START = b'\x89PNG\r\n\x1a\n'
LENGTHS = 0, 1, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0xffffffff


def flip_bits(data, dice, _):
    for _ in range(dice.choice((1, 1, 2, 8, 64))):
        at = dice.randrange(len(data))
        data[at] ^= 1 << dice.randrange(8)


def write_run(data, dice, _):
    at, n = dice.randrange(len(data)), dice.choice((1, 2, 4, 16, 256))
    data[at:at + n] = bytes([dice.choice((0, 0xff, dice.randrange(256)))]) * min(n, len(data) - at)


def cut(data, dice, _):
    del data[dice.randrange(1, len(data) + 1):]


def remove(data, dice, _):
    at = dice.randrange(len(data))
    del data[at:at + dice.choice((1, 2, 4, 64, 1024))]


def splice(data, dice, other):
    at, start = dice.randrange(len(data)), dice.randrange(len(other))
    piece = other[start:start + dice.choice((4, 32, 256, 4096))]
    data[at:at + dice.choice((0, len(piece)))] = piece


def edit_length(data, dice, _):
    """Of what looks like a length, one of the places in the first kilobytes: a number of two or four
    bytes that is less than the file is long."""
    for _ in range(100):
        form = dice.choice(('>H', '<H', '>I', '<I'))
        size = struct.calcsize(form)
        if len(data) < size:
            return
        at = dice.randrange(min(len(data) - size + 1, 4096))
        value = struct.unpack_from(form, data, at)[0]
        if 0 < value <= len(data):
            new = dice.choice((value - 1, value + 1, value * 2, *LENGTHS))
            struct.pack_into(form, data, at, new & ((1 << 8 * size) - 1))
            return


CHANGES = flip_bits, flip_bits, write_run, cut, remove, splice, edit_length, edit_length


def mend_png(data):
    """Right checksums, or no change gets past them."""
    at = len(PNG_START)
    while at + 12 <= len(data):
        n = struct.unpack_from('>I', data, at)[0]
        if at + 12 + n > len(data):
            return
        struct.pack_into('>I', data, at + 8 + n, zlib.crc32(data[at + 4:at + 8 + n]))
        at += 12 + n


def mutation(number, pictures):
    """One of them, changed: (name, content). pictures: [(name, content)]."""
    dice = random.Random(number)
    name, content = pictures[number % len(pictures)]
    data = bytearray(content)
    for _ in range(dice.choice((1, 1, 2, 4))):
        if data:
            dice.choice(CHANGES)(data, dice, dice.choice(pictures)[1])
    if data.startswith(PNG_START) and dice.random() < 0.75:
        mend_png(data)
    return f'{number:06}_{name}', bytes(data)
