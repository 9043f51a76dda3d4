# SPDX-License-Identifier: MIT
"""What HEIC and AVIF say of a picture in boxes, and Debian's libheif does not write: that it lies on its side, not by
EXIF but by two properties, irot and imir, applied in this order (ISO 23008-12, 6.5.10 and 6.5.12); that a part of it is
shown (clap, ISO 14496-12, 12.1.4); that it is a grid of tiles (6.6.2.3), as phones write it; its colours."""
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


def turned(orientation):
    """Properties of a picture that is to be turned as EXIF's orientation would have it."""
    quarters, mirror = TURNS[orientation]
    added = []
    if quarters:
        added.append(box(b'irot', bytes([quarters])))
    if mirror is not None:
        added.append(box(b'imir', bytes([mirror])))
    return added


def turn(data, orientation):
    return add(data, turned(orientation))


def shown(size, left, top, width, height):
    """The property that a part of a picture of a size is shown: its centre counts from that of the whole."""
    offsets = 2 * left + width - size[0], 2 * top + height - size[1]
    return box(b'clap', struct.pack('>IIIIiIiI', width, 1, height, 1, offsets[0], 2, offsets[1], 2))


def full(kind, body, version=0):
    return box(kind, bytes([version, 0, 0, 0]) + body)


def grid(tiles, columns, size, properties=()):
    """A file with one picture of a size, made of equal tiles, each the only picture of a file. Properties of the
    picture, in order."""
    kinds = dict(boxes(find(tiles[0], (b'meta', b'iprp', b'ipco'))))
    code = b'hvc1' if b'hvcC' in kinds else b'av01'
    config = next(box(kind, body) for kind, body in kinds.items() if kind in (b'hvcC', b'av1C'))
    tile_size = box(b'ispe', kinds[b'ispe'])
    colours = [box(b'colr', kinds[b'colr'])] if b'colr' in kinds else []
    data = [find(tile, (b'mdat',)) for tile in tiles]
    data.insert(0, struct.pack('>BBBBHH', 0, 0, len(tiles) // columns - 1, columns - 1, *size))
    of_tiles, of_grid = [config, tile_size, *colours], [full(b'ispe', struct.pack('>II', *size)), *properties]
    numbers = range(1, len(data) + 1)
    items = b''.join(full(b'infe', struct.pack('>HH4s', n, 0, b'grid' if n == 1 else code) + b'\0', 2) for n in numbers)
    owned = b''
    for n in numbers:
        first, count = (len(of_tiles) + 1, len(of_grid)) if n == 1 else (1, len(of_tiles))
        owned += struct.pack('>HB', n, count) + bytes(0x80 | first + i for i in range(count))
    head = box(b'ftyp', b'heic\0\0\0\0mif1heic' if code == b'hvc1' else b'avif\0\0\0\0mif1avif')

    def meta(at):
        places = b''
        for n, part in zip(numbers, data):
            places += struct.pack('>HHHII', n, 0, 1, at, len(part))
            at += len(part)
        return full(b'meta', b''.join((
            full(b'hdlr', struct.pack('>I4s13x', 0, b'pict')), full(b'pitm', struct.pack('>H', 1)),
            full(b'iinf', struct.pack('>H', len(data)) + items),
            full(b'iref', box(b'dimg', struct.pack('>HH', 1, len(tiles)) + struct.pack(f'>{len(tiles)}H', *numbers[1:]))),
            box(b'iprp', box(b'ipco', b''.join(of_tiles + of_grid))
                + full(b'ipma', struct.pack('>I', len(data)) + owned)),
            full(b'iloc', struct.pack('>HH', 0x4400, len(data)) + places))))
    return head + meta(len(head) + len(meta(0)) + 8) + box(b'mdat', b''.join(data))
