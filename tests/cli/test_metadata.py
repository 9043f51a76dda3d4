# SPDX-License-Identifier: MIT
"""What a source says about itself, and what its result may say: read back by Pillow."""
import io
import os

import pytest
from PIL import ExifTags, Image

MAKE, ORIENTATION, COPYRIGHT, DATE, MAKER_NOTE = 271, 274, 33432, 36867, 37500
SECRET = b'a note of the maker'
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description dc:title="XMP title"/></rdf:RDF></x:xmpmeta>'
# libvips adds resolution and the like to WebP, and an orientation of 1.
TECHNICAL = {'JPEG': set(), 'PNG': set(), 'WEBP': {ORIENTATION, 282, 283, 296, 531, ExifTags.IFD.Exif}}
FORMATS = ('jpg', 'JPEG'), ('png', 'PNG'), ('webp', 'WEBP')


def exif(size):
    """All that a camera might write, a preview of the picture among it."""
    block = Image.Exif()
    block[MAKE] = 'Camera'
    block[ORIENTATION] = 6
    block[COPYRIGHT] = 'someone'
    block[ExifTags.IFD.Exif] = {DATE: '2024:05:06 07:08:09', MAKER_NOTE: SECRET}
    block[ExifTags.IFD.GPSInfo] = {1: 'N', 2: (48.0, 51.0, 29.0), 3: 'E', 4: (2.0, 17.0, 40.0)}
    return block.tobytes()


@pytest.fixture
def source(tmp_path):
    def make(name, format, pixels=(60, 40), xmp=XMP):
        os.makedirs(tmp_path / 'in', exist_ok=True)
        image = Image.new('RGB', pixels, (200, 90, 30))
        more = {'xmp': xmp} if format in ('WEBP',) else {}
        image.save(tmp_path / 'in' / name, format, exif=exif(pixels), **more)
        if format == 'JPEG':
            whole = (tmp_path / 'in' / name).read_bytes()
            packet = b'http://ns.adobe.com/xap/1.0/\0' + xmp
            segment = b'\xff\xe1' + (len(packet) + 2).to_bytes(2, 'big') + packet
            iptc = b'Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x0c\x1c\x02x\0\x07caption\0'
            segment += b'\xff\xed' + (len(iptc) + 2).to_bytes(2, 'big') + iptc
            (tmp_path / 'in' / name).write_bytes(whole[:2] + segment + whole[2:])
    return make


def result(tmp_path, name):
    path = tmp_path / 'processed' / name
    return Image.open(path), path.read_bytes()


@pytest.mark.parametrize('extension, format', FORMATS)
@pytest.mark.parametrize('size', ((60, 40), (2400, 1600)), ids=str)
def test_all_is_stripped_unless_asked_for(blurthumb, source, tmp_path, extension, format, size):
    source(f'a.{extension}', format, size)
    assert blurthumb('in').returncode == 0
    image, whole = result(tmp_path, f'a.{extension}')
    assert set(image.getexif()) <= TECHNICAL[format] and image.size[0] < image.size[1]
    for word in (b'Camera', b'someone', b'GPS', b'2024', SECRET, b'XMP title', b'caption'):
        assert word not in whole


@pytest.mark.parametrize('extension, format', FORMATS)
@pytest.mark.parametrize('size', ((60, 40), (2400, 1600)), ids=str)
def test_gps_alone_is_stripped(blurthumb, source, tmp_path, extension, format, size):
    source(f'a.{extension}', format, size)
    assert blurthumb('--strip', 'gps', 'in').returncode == 0
    image, whole = result(tmp_path, f'a.{extension}')
    block = image.getexif()
    assert (block[MAKE], block[COPYRIGHT], block.get(ORIENTATION, 1)) == ('Camera', 'someone', 1)
    assert block.get_ifd(ExifTags.IFD.Exif)[DATE] == '2024:05:06 07:08:09'
    assert not block.get_ifd(ExifTags.IFD.GPSInfo)
    assert image.size[0] < image.size[1], 'upright, and not said to lie'
    for word in (SECRET, b'XMP title', b'caption'):
        assert word not in whole


@pytest.mark.parametrize('extension, format', FORMATS)
@pytest.mark.parametrize('size', ((60, 40), (2400, 1600)), ids=str)
def test_none_is_stripped(blurthumb, source, tmp_path, extension, format, size):
    source(f'a.{extension}', format, size)
    assert blurthumb('--strip', 'none', 'in').returncode == 0
    image, whole = result(tmp_path, f'a.{extension}')
    block = image.getexif()
    assert (block[MAKE], block.get(ORIENTATION, 1)) == ('Camera', 1)
    assert block.get_ifd(ExifTags.IFD.GPSInfo)[2] == (48.0, 51.0, 29.0)
    assert SECRET not in whole
    assert b'XMP title' in whole or format == 'PNG'
    assert b'caption' in whole or format != 'JPEG'


def test_preview_is_never_kept(blurthumb, tmp_path):
    """It would show the picture as it was before the blur."""
    preview = io.BytesIO()
    Image.new('RGB', (16, 16), (1, 2, 3)).save(preview, 'JPEG')
    entries = [(0x0103, 3, 1, 6), (0x0201, 4, 1, 0), (0x0202, 4, 1, len(preview.getvalue()))]
    ifd0 = (1).to_bytes(2, 'little') + b'\x0f\x01\x02\0\4\0\0\0Cam\0'
    at1 = 8 + len(ifd0) + 4
    body = b'II*\0\x08\0\0\0' + ifd0 + at1.to_bytes(4, 'little') + len(entries).to_bytes(2, 'little')
    data_at = at1 + 2 + 12 * len(entries) + 4
    for tag, kind, n, value in entries:
        value = data_at if tag == 0x0201 else value
        body += tag.to_bytes(2, 'little') + kind.to_bytes(2, 'little') + n.to_bytes(4, 'little') + value.to_bytes(4, 'little')
    body += b'\0\0\0\0' + preview.getvalue()
    os.makedirs(tmp_path / 'in')
    Image.new('RGB', (60, 40)).save(tmp_path / 'in/a.jpg', exif=b'Exif\0\0' + body)
    packet = XMP.replace(b'XMP title', b'Thumbnails')
    Image.new('RGB', (60, 40)).save(tmp_path / 'in/b.webp', xmp=packet)
    assert blurthumb('--strip', 'none', 'in').returncode == 0
    image, whole = result(tmp_path, 'a.jpg')
    assert image.getexif()[MAKE] == 'Cam' and preview.getvalue() not in whole and whole.count(b'\xff\xd8\xff') == 1
    assert b'Thumbnails' not in result(tmp_path, 'b.webp')[1]


@pytest.mark.parametrize('block', (b'', b'II*\0', b'MM\0*\xff\xff\xff\xff', b'II*\0\x08\0\0\0\xff\xff' + b'\xff' * 400,
                                   b'II*\0\x08\0\0\0\1\0\x69\x87\4\0\1\0\0\0\x08\0\0\0\0\0\0\0', os.urandom(2000)))
def test_nonsense_does_no_harm(blurthumb, tmp_path, block):
    os.makedirs(tmp_path / 'in')
    Image.new('RGB', (60, 40)).save(tmp_path / 'in/a.jpg', exif=b'Exif\0\0' + block)
    Image.new('RGB', (60, 40)).save(tmp_path / 'in/b.webp', exif=b'Exif\0\0' + block)
    for what in ('gps', 'none'):
        assert blurthumb('--strip', what, 'in').returncode == 0
        result(tmp_path, 'a.jpg')[0].load()
        result(tmp_path, 'b.webp')[0].load()


@pytest.mark.parametrize('value', ('', 'exif', 'gp', 'all,gps'))
def test_bad_value(blurthumb, value):
    done = blurthumb('--strip', value)
    assert done.returncode == 2 and b'--strip takes all, gps or none' in done.stderr


@pytest.mark.parametrize('jobs', ('--serial', '-j2'))
def test_dates_are_kept_and_results_stay_fresh(blurthumb, photo, tmp_path, jobs):
    photo('in/a.jpg', 'in/b.jpg')
    then = 1_000_000_000_123_456_789
    os.utime(tmp_path / 'in/a.jpg', ns=(then, then))
    assert blurthumb(jobs, 'in').returncode == 0
    assert (tmp_path / 'processed/a.jpg').stat().st_mtime_ns == then
    assert b'0 processed, 2 skipped' in blurthumb(jobs, 'in').stdout
