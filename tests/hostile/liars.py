# SPDX-License-Identifier: MIT
"""Pictures that lie: bombs, headers that cannot be true, structures without end, text that talks to
the terminal. Each function returns name -> bytes; liars() all of them.
"""
import io
import pathlib
import struct
import zlib

from PIL import Image, ImageCms

from boxes import (PNG_END, gif, gif_frame, jpeg, jpeg_parts, lzw_zeros, packbits_zeros, png, png_header, riff, tiff,
                   tiff_entries, tiff_ifd, u24, webp, webp_flat, zlib_zeros)

TESTDATA = pathlib.Path(__file__).resolve().parents[2] / 'testdata'
SIDE = 30000
MANY = 100_000
HUGE = 0x7fffffff

# A window title, colours, the 8-bit forms of CSI and OSC, a new line, a carriage return, a bell.
ESCAPES = b'\x1b]0;owned\x07\x1b[31mred\x9b2J\x9d0;owned\x9c\nblurthumb: fine\r\x08\x7f'


def encoded(format, mode='RGB', size=(40, 30), **options):
    stream = io.BytesIO()
    Image.linear_gradient('L').resize(size).convert(mode).save(stream, format, **options)
    return stream.getvalue()


def srgb():
    return ImageCms.ImageCmsProfile(ImageCms.createProfile('sRGB')).tobytes()


def png_bombs():
    rows = SIDE * (1 + 3 * SIDE)
    grey16 = zlib_zeros(SIDE * (1 + 2 * SIDE))
    text = zlib_zeros(1 << 30)
    small = png_header(1, 1), (b'IDAT', zlib.compress(bytes(4)))
    return {
        'bomb.png': png(png_header(SIDE, SIDE), (b'IDAT', zlib_zeros(rows)), PNG_END),
        'bomb_interlaced.png': png(png_header(SIDE, SIDE, 16, 0, interlaced=1), (b'IDAT', grey16), PNG_END),
        'bomb_bits.png': png(png_header(SIDE, SIDE, 1, 0), (b'IDAT', zlib_zeros(SIDE * (1 + SIDE // 8))), PNG_END),
        'bomb_text.png': png(small[0], (b'zTXt', b'Comment\0\0' + text), small[1], PNG_END),
        'bomb_profile.png': png(small[0], (b'iCCP', b'name\0\0' + text), small[1], PNG_END),
        'bomb_tall.png': png(png_header(1, HUGE, 8, 0), (b'IDAT', zlib_zeros(1 << 24)), PNG_END),
        'bomb_wide.png': png(png_header(HUGE, 1, 8, 0), (b'IDAT', zlib_zeros(1 << 24)), PNG_END),
    }


def png_lies():
    data = b'IDAT', zlib.compress(bytes(1000))
    headers = {'zero': (0, 5), 'wide': (HUGE, HUGE), 'overflow': (65536, 65537), 'negative': (5, 0xffffffff),
               'depth0': (5, 5, 0), 'depth33': (5, 5, 33), 'colour5': (5, 5, 8, 5), 'method9': (5, 5, 8, 2, 0, 9)}
    many = [(b'tEXt', b'k\0v')] * MANY
    return {
        **{f'lie_{name}.png': png(png_header(*header), data, PNG_END) for name, header in headers.items()},
        'no_data.png': png(png_header(5, 5), PNG_END),
        'data_first.png': png(data, png_header(5, 5), PNG_END),
        'palette.png': png(png_header(9, 9, 8, 3), (b'PLTE', bytes(3 * 300)), data, PNG_END),
        'many_chunks.png': png(png_header(9, 9), *many, data, PNG_END),
        'endless_chunk.png': png(png_header(9, 9))[:-4] + struct.pack('>I', HUGE) + b'tEXt',
    }


def gifs():
    return {
        'bomb.gif': gif(65535, 65535, gif_frame()),
        'frames.gif': gif(40, 30, gif_frame() * MANY),
        'frames_large.gif': gif(65535, 65535, gif_frame(65534, 65534) * 1000),
        'lie_zero.gif': gif(0, 0, gif_frame(width=0, height=0)),
        'lie_outside.gif': gif(5, 5, gif_frame(65535, 65535, 65535, 65535)),
        'lie_code.gif': gif(5, 5, gif_frame(data=b'\xff\x02\x44\x01\0')),
        'comments.gif': gif(5, 5, (b'!\xfe' + bytes([len(ESCAPES)]) + ESCAPES + b'\0') * MANY),
    }


def webps():
    canvas = riff(b'VP8X', b'\x02\0\0\0' + u24(39) + u24(29))
    frame = riff(b'ANMF', u24(0) + u24(0) + u24(0) + u24(0) + u24(10) + b'\0' + webp_flat(1, 1))
    large = riff(b'VP8X', bytes(4) + u24(0xffffff) + u24(0xffffff))
    alpha = riff(b'VP8X', b'\x10\0\0\0' + u24(16382) + u24(16382))
    return {
        'bomb.webp': webp(webp_flat(16383, 16383)),
        'bomb_alpha.webp': webp(alpha, riff(b'ALPH', b'\0' + bytes(50)), riff(b'VP8 ', b'\x30\x01\0\x9d\x01\x2a\xff\x3f\xff\x3f')),
        'frames.webp': webp(canvas, riff(b'ANIM', bytes(6)), frame * MANY),
        'lie_canvas.webp': webp(large, webp_flat(1, 1)),
        'lie_size.webp': webp(webp_flat(9, 9), size=0xfffffffe),
        'lie_chunk.webp': webp(b'VP8L\xff\xff\xff\x7f' + bytes(30)),
    }


def tiff_bombs():
    n = SIDE * SIDE
    return {
        'bomb_deflate.tif': tiff(SIDE, SIDE, zlib_zeros(3 * n), samples=3, compression=8),
        'bomb_lzw.tif': tiff(SIDE, SIDE, lzw_zeros(n), compression=5),
        'bomb_packbits.tif': tiff(SIDE, SIDE, packbits_zeros(SIDE // 8, SIDE), bits=1, compression=32773),
    }


def tiff_lies():
    lies = {
        'zero': tiff(0, 5, bytes(9)),
        'overflow': tiff(65536, 65537, bytes(9), samples=3),
        'strip': tiff(500, 500, bytes(9)),
        'depth0': tiff(5, 5, bytes(99), bits=0),
        'depth33': tiff(5, 5, bytes(999), bits=33),
        'samples': tiff(5, 5, bytes(99), t277=(3, 65535)),
        'rows0': tiff(5, 5, bytes(99), t278=(4, 0)),
        'compression': tiff(5, 5, bytes(99), compression=12345),
        'tile': tiff(5, 5, bytes(99), t322=(4, 1 << 31), t323=(4, 1 << 31), t324=(4, 8), t325=(4, 99)),
        'tile_odd': tiff(5, 5, bytes(99), t322=(4, 17), t323=(4, 0), t324=(4, 8), t325=(4, 99)),
        'orientation': tiff(5, 5, bytes(99), t274=(3, 65535)),
        'profile': tiff(5, 5, bytes(99), t34675=(7, srgb()[:200])),
    }
    count = bytearray(tiff(5, 5, bytes(99), t270=(1, ESCAPES)))
    at = count.index(struct.pack('<HH', 270, 1)) + 4
    count[at:at + 4] = struct.pack('<I', 0xffffffff)
    return {**{f'lie_{name}.tif': data for name, data in lies.items()}, 'lie_count.tif': bytes(count)}


def tiff_chains():
    """IFDs that lead to themselves, and one hundred thousand of them."""
    entries = tiff_entries(5, 5, (8, 25))
    start = struct.pack('<2sHI', b'II', 42, 34) + bytes(26)
    size = len(tiff_ifd(entries, 0))
    deep = b''.join(tiff_ifd(entries, 0, 34 + (i + 1) * size if i + 1 < MANY else 0) for i in range(MANY))
    sub = tiff_ifd({**entries, 330: (4, 34)}, 34)
    subs = tiff_ifd({**entries, 330: (4, (34,) * 1000)}, 34)
    big = struct.pack('<2sHHHQ', b'II', 43, 8, 0, 16) + struct.pack('<Q', 1 << 63)
    return {
        'circular.tif': start + tiff_ifd(entries, 34, 34),
        'deep.tif': start + deep,
        'sub_loop.tif': start + sub,
        'sub_many.tif': start + subs,
        'big.tif': big,
    }


def jpeg_bombs():
    """Of a few kB each: the data ends early, and a decoder goes on with grey."""
    plain = jpeg_parts(encoded('JPEG', 'L', (16, 16)))
    scans = jpeg_parts(encoded('JPEG', 'L', (16, 16), progressive=True))

    def sized(parts, width, height, repeat=1):
        found = [(marker, struct.pack('>BHH', data[0], height, width) + data[5:] if marker in (0xc0, 0xc2) else data, coded)
                 for marker, data, coded in parts]
        return jpeg(found + [found[-1]] * (repeat - 1))

    return {
        'bomb.jpg': sized(plain, 65500, 65500),
        'bomb_scans.jpg': sized(scans, 65500, 65500, 1000),
        'bomb_scans_fitting.jpg': sized(scans, 6000, 6000, 1000),
        'bomb_markers.jpg': jpeg([(0xfe, b'', b'')] * MANY + plain),
    }


def jpeg_lies():
    parts = jpeg_parts(encoded('JPEG'))
    at = next(i for i, part in enumerate(parts) if part[0] == 0xc0)
    frame = parts[at][1]

    def with_frame(data):
        return jpeg([*parts[:at], (0xc0, data, b''), *parts[at + 1:]])

    return {
        'lie_zero.jpg': with_frame(frame[:1] + bytes(4) + frame[5:]),
        'lie_sampling0.jpg': with_frame(frame[:7] + b'\x00' + frame[8:]),
        'lie_sampling15.jpg': with_frame(frame[:7] + b'\xff' + frame[8:]),
        'lie_components.jpg': with_frame(frame[:5] + b'\x10' + b''.join(bytes((i, 0x11, 0)) for i in range(16))),
        'lie_depth0.jpg': with_frame(b'\0' + frame[1:]),
        'lie_depth33.jpg': with_frame(b'\x21' + frame[1:]),
        'lie_huffman.jpg': jpeg([(0xc4, b'\0' + b'\xff' * 16 + bytes(255), b''), *parts]),
        'lie_two_frames.jpg': jpeg([*parts[:at + 1], parts[at], *parts[at + 1:]]),
        'lie_segment.jpg': b'\xff\xd8\xff\xe1\xff\xff' + bytes(50),
    }


def exif(*entries, following=0):
    """entries: (tag, type, count, value)."""
    return b'Exif\0\0' + struct.pack('<2sHIH', b'II', 42, 8, len(entries)) \
        + b''.join(struct.pack('<HHII', *entry) for entry in entries) + struct.pack('<I', following)


def metadata():
    """Around pictures that are sound: profiles and EXIF that are not."""
    parts = jpeg_parts(encoded('JPEG'))
    png_data = b'IDAT', zlib.compress(bytes(9 * 28))
    profile = srgb()
    profiles = {
        'nonsense': bytes(range(256)) * 8,
        'truncated': profile[:len(profile) // 2],
        'huge': struct.pack('>I', HUGE) + profile[4:] + bytes(3_000_000),
        'class': profile[:12] + b'link' + profile[16:],
        'space': profile[:16] + b'CMYK' + profile[20:],
        'tags': profile[:128] + struct.pack('>I', HUGE) + profile[132:],
        'escapes': profile.replace(b's\0R\0G\0B', b'\x1b\0]\0\x30\0;').replace(b'sRGB', b'\x1b]0;'),
    }
    tags = {
        'orientation0': exif((0x112, 3, 1, 0)),
        'orientation9': exif((0x112, 3, 1, 9)),
        'orientation65535': exif((0x112, 3, 1, 65535)),
        'circular': exif((0x112, 3, 1, 6), (0x8769, 4, 1, 8), following=8),
        'counts': exif((0x112, 3, HUGE, 6), (0x10e, 2, 0xffffffff, 26)),
        'escapes': exif((0x10e, 2, len(ESCAPES), 26)) + ESCAPES,
    }
    found = {f'exif_{name}.jpg': jpeg([(0xe1, data, b''), *parts]) for name, data in tags.items()}
    for name, data in profiles.items():
        pieces = [data[i:i + 65000] for i in range(0, len(data), 65000)]
        found[f'profile_{name}.jpg'] = jpeg([(0xe2, b'ICC_PROFILE\0' + bytes((i + 1, len(pieces))) + piece, b'')
                                             for i, piece in enumerate(pieces)] + parts)
        found[f'profile_{name}.png'] = png(png_header(9, 9), (b'iCCP', b'n\0\0' + zlib.compress(data)), png_data, PNG_END)
    found['text.jpg'] = jpeg([(0xfe, ESCAPES, b''), *parts[:-1]])
    found['text.png'] = png(png_header(9, 9), (b'tEXt', b'Comment\0' + ESCAPES), (b'tEXt', ESCAPES), (ESCAPES[:4], b''),
                            (b'IDAT', ESCAPES), PNG_END)
    return found


def heifs():
    found = {}
    for origin in ('rgb.avif', 'rgb.heic'):
        data = (TESTDATA / 'formats' / origin).read_bytes()
        at = data.index(b'ispe') + 8
        for width, height in ((0, 0), (65535, 65535), (0xffffffff, 0xffffffff)):
            found[f'lie_{width}_{origin}'] = data[:at] + struct.pack('>II', width, height) + data[at + 8:]
        found[f'lie_box_{origin}'] = data[:8] + struct.pack('>I', HUGE) + data[12:]
    return found


def untrusted():
    """Of formats that are opened only where --allow names them."""
    jp2 = (TESTDATA / 'formats' / 'rgb.jp2').read_bytes()
    size = jp2.index(b'\xff\x51') + 6
    laughs = ''.join(f'<g id="g{i}">' + f'<use href="#g{i - 1}"/>' * 10 + '</g>' for i in range(1, 12))
    return {
        'bomb.ppm': b'P6 100000 100000 255\n' + bytes(99),
        'overflow.ppm': b'P6 2147483647 2147483647 65535\n' + bytes(99),
        'negative.ppm': b'P6 -5 -5 255\n' + bytes(99),
        'lie.bmp': struct.pack('<2sIHHIIiiHHIIiiII', b'BM', 118, 0, 0, 54, 40, 65500, -65500, 1, 24, 0, 0, 0, 0, 0, 0),
        'lie_depth.bmp': struct.pack('<2sIHHIIiiHHIIiiII', b'BM', 118, 0, 0, 54, 40, 9, 9, 1, 33, 9, 0, 0, 0, 0, 0),
        'bomb.svg': b'<svg xmlns="http://www.w3.org/2000/svg" width="1e9" height="1e9"><rect width="9" height="9"/></svg>',
        'laughs.svg': f'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect id="g0"/>{laughs}</svg>'.encode(),
        'entity.svg': b'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
                      b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text>&x;</text></svg>',
        'lie.jp2': jp2[:size] + struct.pack('>II', 0xffffffff, 0xffffffff) + jp2[size + 8:],
        'cut.jxl': (TESTDATA / 'formats' / 'rgb.jxl').read_bytes()[:60],
    }


def names():
    """Sound pictures under names that are not; as bytes."""
    good = encoded('JPEG')
    ends = [b'-rf', b'--output=x', b'-', b'--', b'$(reboot)', b'a b', b"'\"", b'%s%n', b'\xff\xfe', b'\xc0\xaf', ESCAPES,
            '\u202egpj'.encode(), b'\\', b'~', b'*', b'L' * 251]
    return {end + b'.jpg': good for end in ends} | {b'l' * 251 + b'.bmp': (TESTDATA / 'formats' / 'rgb.bmp').read_bytes()}


def liars():
    """name (bytes) -> content."""
    found = {}
    for part in (png_bombs, png_lies, gifs, webps, tiff_bombs, tiff_lies, tiff_chains, jpeg_bombs, jpeg_lies, metadata,
                 heifs, untrusted):
        found.update((name.encode(), data) for name, data in part().items())
    return found | names()
