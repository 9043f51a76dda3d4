# SPDX-License-Identifier: MIT
"""The containers of picture formats, written by hand: so can be what no encoder would write."""
import struct
import zlib

PNG_START = b'\x89PNG\r\n\x1a\n'
PNG_END = (b'IEND', b'')
BLOCK_ZEROS = 1 << 20
TIFF_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 7: 1}
TIFF_LETTERS = {1: 'B', 3: 'H', 4: 'I'}
LZW_CLEAR, LZW_END, LZW_FULL = 256, 257, 4094


def png(*chunks):
    return PNG_START + b''.join(struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
                                for kind, data in chunks)


def png_header(width, height, depth=8, colour=2, interlaced=0, method=0):
    return b'IHDR', struct.pack('>IIBBBBB', width, height, depth, colour, method, 0, interlaced)


def zlib_zeros(n):
    """A zlib stream of n zeros or some more, without deflating them all: one block that begins and
    ends on a byte, again and again, and the checksum that so many zeros have."""
    deflate = zlib.compressobj(9)
    start = deflate.compress(b'')
    block = deflate.compress(bytes(BLOCK_ZEROS)) + deflate.flush(zlib.Z_FULL_FLUSH)
    times = -(-n // BLOCK_ZEROS)
    return start + block * times + b'\x03\0' + struct.pack('>I', times * BLOCK_ZEROS % 65521 << 16 | 1)


def lzw_zeros(n):
    """TIFF's LZW of n zeros or some more: each code stands for one zero more than the code before,
    until the table is full and begins anew."""
    codes, zeros, width = f'{0:09b}', 1, 9
    for code in range(LZW_END + 1, LZW_FULL):
        codes += f'{code:0{width}b}'
        zeros += code - LZW_END + 1
        if code + 1 == (1 << width) - 1:
            width += 1
    bits = f'{LZW_CLEAR:09b}' + (codes + f'{LZW_CLEAR:012b}') * -(-n // zeros)
    bits += '0' * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, 'big')


def packbits_zeros(row, rows):
    """Rows of so many zeros: no run goes on in the next row."""
    return (b'\x81\0' * (row // 128) + (bytes((257 - row % 128, 0)) if row % 128 > 1 else b'\0\0' * (row % 128))) * rows


def tiff_ifd(entries, at, following=0):
    """An IFD that lies at `at`, with its values behind it. entries: tag -> (type, value or values)."""
    data_at = at + 2 + 12 * len(entries) + 4
    table, data = struct.pack('<H', len(entries)), b''
    for tag, (kind, values) in sorted(entries.items()):
        raw = values if isinstance(values, bytes) else struct.pack(
            f'<{len(values) if isinstance(values, tuple) else 1}{TIFF_LETTERS[kind]}',
            *(values if isinstance(values, tuple) else (values,)))
        table += struct.pack('<HHI', tag, kind, len(raw) // TIFF_SIZES[kind])
        if len(raw) <= 4:
            table += raw.ljust(4, b'\0')
        else:
            table += struct.pack('<I', data_at + len(data))
            data += raw + bytes(len(raw) % 2)
    return table + struct.pack('<I', following) + data


def tiff_entries(width, height, strip=(8, 1), samples=1, bits=8, compression=1, **more):
    """strip: offset and bytes of the only one. more: t123=(type, value), for tag 123."""
    entries = {256: (4, width), 257: (4, height), 258: (3, (bits,) * samples), 259: (3, compression),
               262: (3, 2 if samples == 3 else 1), 273: (4, strip[0]), 277: (3, samples), 278: (4, height), 279: (4, strip[1])}
    entries.update({int(tag[1:]): value for tag, value in more.items()})
    return entries


def tiff(width, height, data, **options):
    """One picture whose only strip is data."""
    at = 8 + len(data) + len(data) % 2
    return struct.pack('<2sHI', b'II', 42, at) + data + bytes(len(data) % 2) \
        + tiff_ifd(tiff_entries(width, height, (8, len(data)), **options), at)


def gif(width, height, *frames, end=b';'):
    return b'GIF89a' + struct.pack('<HHBBB', width, height, 0x80, 0, 0) + bytes(6) + b''.join(frames) + end


def gif_frame(left=0, top=0, width=1, height=1, data=b'\x02\x02\x44\x01\0'):
    """data: of one pixel."""
    return b',' + struct.pack('<HHHHB', left, top, width, height, 0) + data


def riff(kind, data):
    return kind + struct.pack('<I', len(data)) + data + bytes(len(data) % 2)


def webp(*chunks, size=None):
    body = b'WEBP' + b''.join(chunks)
    return b'RIFF' + struct.pack('<I', len(body) if size is None else size) + body


def webp_flat(width, height):
    """A lossless picture of one colour: five prefix codes of one symbol, and no bit for any pixel."""
    bits = [(width - 1, 14), (height - 1, 14), (0, 1), (0, 3), (0, 1), (0, 1), (0, 1)]
    bits += [(1, 1), (0, 1), (1, 1), (0x80, 8)] * 4 + [(1, 1), (0, 1), (0, 1), (0, 1)]
    number = at = 0
    for value, n in bits:
        number |= value << at
        at += n
    return riff(b'VP8L', b'\x2f' + number.to_bytes(-(-at // 8), 'little'))


def u24(value):
    return value.to_bytes(3, 'little')


def jpeg_segment(marker, data):
    return struct.pack('>BBH', 0xff, marker, len(data) + 2) + data


def jpeg_parts(picture):
    """A JPEG as [(marker, data of the segment, entropy-coded bytes behind it)], without SOI and EOI."""
    parts, at = [], 2
    while picture[at + 1] != 0xd9:
        marker, size = picture[at + 1], struct.unpack_from('>H', picture, at + 2)[0]
        end = at + 2 + size
        after = end
        while marker == 0xda and not (picture[after] == 0xff and picture[after + 1] not in (0, *range(0xd0, 0xd8))):
            after += 1
        parts.append((marker, picture[at + 4:end], picture[end:after]))
        at = after
    return parts


def jpeg(parts):
    return b'\xff\xd8' + b''.join(jpeg_segment(marker, data) + coded for marker, data, coded in parts) + b'\xff\xd9'
