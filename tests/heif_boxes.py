# SPDX-License-Identifier: MIT
"""How HEIC and AVIF say that a picture lies on its side: not by EXIF, but by two properties of it,
irot and imir, applied in this order (ISO 23008-12, 6.5.10 and 6.5.12)."""
import struct

CONTAINERS = {b'meta': 4, b'iprp': 0, b'ipco': 0}  # and bytes before the first box in them
FULL_BOX = 4

# What makes of stored pixels what EXIF's orientation N would: quarter turns anticlockwise, then a mirror,
# which exchanges top and bottom (0) or left and right (1).
TURNS = {1: (0, None), 2: (0, 1), 3: (2, None), 4: (0, 0), 5: (1, 0), 6: (3, None), 7: (3, 0), 8: (1, None)}


def box(kind, body):
    return struct.pack('>I4s', 8 + len(body), kind) + body


def boxes(data):
    """Kind and body of one box after the other."""
    at = 0
    while at < len(data):
        size, kind = struct.unpack_from('>I4s', data, at)
        yield kind, data[at + 8:at + size if size else len(data)]
        at += size or len(data)


def find(data, path):
    """The body of the box that a path of kinds leads to."""
    for kind in path:
        data = next(body for found, body in boxes(data) if found == kind)
        data = data[CONTAINERS.get(kind, 0):]
    return data


def change(data, edits):
    """The boxes again, with the bodies of some made anew by edits: {kind: function}."""
    result = b''
    for kind, body in boxes(data):
        if kind in CONTAINERS:
            head = CONTAINERS[kind]
            body = body[:head] + change(body[head:], edits)
        result += box(kind, edits.get(kind, bytes)(body))
    return result


def associate(body, item, properties):
    """An ipma, as libheif writes it, with more properties of one item. Essential: the high bit."""
    wide = body[3] & 1
    count, = struct.unpack_from('>I', body, FULL_BOX)
    result, at = body[:FULL_BOX + 4], FULL_BOX + 4
    for _ in range(count):
        owner, n = struct.unpack_from('>HB', body, at)
        size = n << wide
        entries = body[at + 3:at + 3 + size]
        if owner == item:
            n += len(properties)
            entries += b''.join(struct.pack('>H' if wide else '>B', 0x80 << 8 * wide | p) for p in properties)
        result += struct.pack('>HB', owner, n) + entries
        at += 3 + size
    return result


def shift(body, by):
    """An iloc, version 0 or 1, with 4-byte offsets into the file, of which those are moved on."""
    version, sizes = body[0], struct.unpack_from('>H', body, FULL_BOX)[0]
    assert version < 2 and sizes & 0xff00 == 0x4400
    base, index = (sizes >> 4 & 15), sizes & 15 if version == 1 else 0
    result = bytearray(body)
    count, = struct.unpack_from('>H', body, FULL_BOX + 2)
    at = FULL_BOX + 4
    for _ in range(count):
        method = 0
        if version == 1:
            method, = struct.unpack_from('>H', body, at + 2)
        at += (6 if version == 1 else 4) + base
        extents, = struct.unpack_from('>H', body, at)
        at += 2
        for _ in range(extents):
            at += index
            if method == 0:
                struct.pack_into('>I', result, at, struct.unpack_from('>I', body, at)[0] + by)
            at += 8
    return bytes(result)


def add(data, added):
    """A HEIC or AVIF file with more property boxes of its picture."""
    item, = struct.unpack('>H', find(data, (b'meta', b'pitm'))[FULL_BOX:])
    first = len(list(boxes(find(data, (b'meta', b'iprp', b'ipco'))))) + 1
    edits = {
        b'ipco': lambda body: body + b''.join(added),
        b'ipma': lambda body: associate(body, item, range(first, first + len(added))),
    }
    moved = len(change(data, edits)) - len(data)
    return change(data, {**edits, b'iloc': lambda body: shift(body, moved)})


def describe(data, primaries, transfer):
    """With code points of its colours, in place of others."""
    at = data.find(b'nclx')
    if at < 0:
        return add(data, [box(b'colr', struct.pack('>4sHHHB', b'nclx', primaries, transfer, 6, 0x80))])
    return data[:at + 4] + struct.pack('>HH', primaries, transfer) + data[at + 8:]


def turn(data, orientation):
    """A HEIC or AVIF file whose picture is to be turned as EXIF's orientation would have it."""
    quarters, mirror = TURNS[orientation]
    added = []
    if quarters:
        added.append(box(b'irot', bytes([quarters])))
    if mirror is not None:
        added.append(box(b'imir', bytes([mirror])))
    return add(data, added)
