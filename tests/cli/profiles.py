# SPDX-License-Identifier: MIT
"""ICC profiles besides those of make_testdata.py: Adobe's RGB, a grey, and inks that are nobody's."""
import itertools
import struct

import make_testdata

D50 = struct.pack('>4s4x3i', b'XYZ ', 63190, 65536, 54061)
ADOBE_PRIMARIES = ((0.640, 0.330), (0.210, 0.710), (0.150, 0.060))
SRGB_CURVE_BYTES = 32


def gamma_curve(gamma):
    return struct.pack('>4s4xIH2x', b'curv', 1, round(gamma * 256))


def adobe_rgb():
    """Of Adobe's primaries, and its gamma in the place of sRGB's curve."""
    profile = make_testdata.icc_profile('Adobe RGB', ADOBE_PRIMARIES)
    curve = profile[profile.index(b'para'):][:SRGB_CURVE_BYTES]
    return profile.replace(curve, gamma_curve(2.19921875).ljust(SRGB_CURVE_BYTES, b'\0'))


def assemble(kind, space, connection, tags):
    """A version 2 profile."""
    table, body = struct.pack('>I', len(tags)), b''
    for tag, data in tags.items():
        table += struct.pack('>4sII', tag, 132 + 12 * len(tags) + len(body), len(data))
        body += data
    head = struct.pack('>I4xI4s4s4s12x4s', 128 + len(table) + len(body), 0x02400000, kind, space, connection, b'acsp')
    return head.ljust(68, b'\0') + D50[8:].ljust(60, b'\0') + table + body


def grey(gamma):
    return assemble(b'mntr', b'GRAY', b'XYZ ', {b'wtpt': D50, b'kTRC': gamma_curve(gamma)})


def inks():
    """CMYK to Lab by a table of the 16 full inks and none, far from any press."""
    lab = []
    for c, m, y, k in itertools.product((0, 1), repeat=4):
        light = (1 - 0.45 * c) * (1 - 0.5 * m) * (1 - 0.1 * y) * (1 - 0.85 * k)
        lab += [round(255 * light), round(128 + (70 * m - 40 * c) * light), round(128 + (80 * y - 50 * c) * light)]
    straight = bytes(range(256))
    identity = struct.pack('>9i', 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    table = (struct.pack('>4s4x3Bx', b'mft1', 4, 3, 2) + identity + 4 * straight + bytes(lab) + 3 * straight)
    return assemble(b'prtr', b'CMYK', b'Lab ', {b'wtpt': D50, b'A2B0': table})
