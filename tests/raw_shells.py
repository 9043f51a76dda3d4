# SPDX-License-Identifier: MIT
"""Raw files of cameras as far as their previews: directories and boxes as each maker lays them out, around JPEGs,
with next to nothing in place of the raw samples."""
import struct

ASCII, SHORT, LONG, RATIONAL, UNDEFINED, IFD = 2, 3, 4, 5, 7, 13
FORMS = {SHORT: 'H', LONG: 'I', RATIONAL: 'II', IFD: 'I'}
ORIENTATION, EXIF, GPS, SUB_IFDS, MAKER_NOTE = 0x112, 0x8769, 0x8825, 0x14a, 0x927c
MAKER = {0x10f: (ASCII, b'Maker\0')}
TAKEN = {0x9003: (ASCII, b'2024:05:06 07:08:09\0'), 0x829a: (RATIONAL, [(1, 250)])}
PLACE = {1: (ASCII, b'N\0'), 2: (RATIONAL, [(52, 1), (31, 1), (12, 1)])}
KINDS = 'cr2', 'cr3', 'nef', 'nrw', 'arw', 'sr2', 'dng', 'orf', 'rw2', 'pef', 'srw', 'raf'


class Tiff:
    """What is put into it has its place at once: directories are written last to first."""

    def __init__(self, order, header, big=False):
        self.order, self.big, self.out = order, big, bytearray(header)

    def put(self, content):
        self.out += bytes(len(self.out) % 2)
        self.out += content
        return len(self.out) - len(content)

    def blob(self, content, at=0x201, size=0x202):
        """The entries that say where it is."""
        return {at: self.put(content), size: len(content)}

    def strip(self, content):
        return self.blob(content, 0x111, 0x117)

    def entry(self, tag, value):
        kind, value = value if isinstance(value, tuple) else (LONG, value)
        if kind in (ASCII, UNDEFINED):
            n, content = len(value), value
        else:
            values = value if isinstance(value, list) else [value]
            content = b''.join(struct.pack(self.order + FORMS[kind], *(v if kind == RATIONAL else (v,))) for v in values)
            n = len(values)
        form, room = ('Q', 8) if self.big else ('I', 4)
        if len(content) > room:
            content = struct.pack(self.order + form, self.put(content))
        return struct.pack(self.order + 'HH' + form, tag, kind, n) + content.ljust(room, b'\0')

    def directory(self, entries, following=0):
        """Of {tag: LONG, or (kind, value)}: its offset."""
        written = b''.join(self.entry(tag, value) for tag, value in sorted(entries.items()))
        return self.put(struct.pack(self.order + ('Q' if self.big else 'H'), len(entries)) + written
                        + struct.pack(self.order + ('Q' if self.big else 'I'), following))

    def chain(self, *directories):
        """The offset of the first."""
        following = 0
        for entries in reversed(directories):
            following = self.directory(entries, following)
        return following

    def done(self, first):
        struct.pack_into(self.order + ('Q' if self.big else 'I'), self.out, 8 if self.big else 4, first)
        return bytes(self.out)


def start(order, magic=42):
    return Tiff(order, (b'II' if order == '<' else b'MM') + struct.pack(order + 'HI', magic, 0))


def sides(size):
    return {0x100: size[0], 0x101: size[1]}


def lossless(size):
    """How a lossless JPEG begins and ends, as raw samples are stored."""
    return (b'\xff\xd8\xff\xc3' + struct.pack('>HBHHB', 17, 14, size[1], size[0], 3) + b'\1\x11\0\2\x11\0\3\x11\0'
            + bytes(64) + b'\xff\xd9')


def samples(tiff, size):
    """The directory of the raw samples."""
    return {**sides(size), 0x103: (SHORT, 34713), 0x106: (SHORT, 32803), **tiff.strip(bytes(64))}


def exif(tiff, size=None, adobe=False, note=None):
    """Who took it, when and where; adobe: as most cameras say it."""
    entries = dict(TAKEN)
    if size is not None:
        entries.update({0xa002: size[0], 0xa003: size[1]})
    if adobe:
        entries.update({0xa001: (SHORT, 0xffff), 0xa005: tiff.directory({1: (UNDEFINED, b'R03\0')})})
    if note is not None:
        entries[MAKER_NOTE] = (UNDEFINED, note)
    return {EXIF: tiff.directory(entries), GPS: tiff.directory(PLACE), **MAKER}


def nikon_note(order, entries, inner=None):
    inner = inner or start(order)
    return b'Nikon\0\2\x10\0\0' + inner.done(inner.directory(entries))


def cr2(jpeg, thumb, size, turned, adobe, order='<'):
    tiff = start(order)
    tiff.put(b'CR\2\0' + bytes(4))
    return tiff.done(tiff.chain(
        {**sides(size), 0x103: (SHORT, 6), **tiff.strip(jpeg), ORIENTATION: (SHORT, turned),
         **exif(tiff, size, adobe)},
        tiff.blob(thumb),
        {0x100: 2, 0x101: 2, 0x103: (SHORT, 1), **tiff.strip(bytes(12))},
        {0x103: (SHORT, 6), **tiff.strip(lossless((size[0] + 24, size[1] + 16)))}))


def nef(jpeg, thumb, size, turned, adobe, order='>'):
    """The notes alone know of Adobe RGB."""
    tiff = start(order)
    below = [tiff.directory({0x103: (SHORT, 6), **tiff.blob(thumb)}), tiff.directory(samples(tiff, size)),
             tiff.directory({0x103: (SHORT, 6), **tiff.blob(jpeg)})]
    return tiff.done(tiff.chain({0x100: 2, 0x101: 2, 0x103: (SHORT, 1), **tiff.strip(bytes(12)),
                                 ORIENTATION: (SHORT, turned), SUB_IFDS: (LONG, below),
                                 **exif(tiff, note=nikon_note(order, {0x1e: (SHORT, 2 if adobe else 1)}))}))


def nrw(jpeg, thumb, size, turned, adobe, order='<'):
    """The preview is in the maker's notes."""
    inner = start(order)
    preview = inner.directory(inner.blob(jpeg))
    note = nikon_note(order, {0x11: preview}, inner)
    tiff = start(order)
    below = [tiff.directory(samples(tiff, size))]
    return tiff.done(tiff.chain({0x100: 2, 0x101: 2, 0x103: (SHORT, 1), **tiff.strip(bytes(12)), **tiff.blob(thumb),
                                 ORIENTATION: (SHORT, turned), SUB_IFDS: (LONG, below),
                                 **exif(tiff, adobe=adobe, note=note)}))


def arw(jpeg, thumb, size, turned, adobe, order='<'):
    tiff = start(order)
    below = [tiff.directory(samples(tiff, size))]
    return tiff.done(tiff.chain({0x103: (SHORT, 6), **tiff.blob(jpeg), ORIENTATION: (SHORT, turned),
                                 SUB_IFDS: (LONG, below), **exif(tiff, size, adobe)},
                                {0x103: (SHORT, 6), **tiff.blob(thumb)}))


def dng(jpeg, thumb, size, turned, adobe, order='>', big=False, raw=None):
    """Its first directory is a small picture that a reader of TIFF takes for all. big: offsets of 8 bytes; raw: the
    JPEG of the raw samples."""
    tiff = start(order)
    if big:
        tiff = Tiff(order, (b'II' if order == '<' else b'MM') + struct.pack(order + 'HHHQ', 43, 8, 0, 0), True)
    samples = {**sides((size[0] + 40, size[1] + 30)), 0x103: (SHORT, 7), 0x106: (SHORT, 32803),
           **tiff.strip(raw or lossless(size)), 0xc620: (RATIONAL, [(2 * size[0], 2), (2 * size[1], 2)])}
    preview = {0x103: (SHORT, 7), 0x106: (SHORT, 6), **tiff.strip(jpeg), 0xc71a: 3 if adobe else 2}
    small = {0x103: (SHORT, 7), 0x106: (SHORT, 6), **tiff.strip(thumb)}
    below = [tiff.directory(entries) for entries in (samples, small, preview)]
    return tiff.done(tiff.chain({0x100: 96, 0x101: 64, 0x102: (SHORT, [8, 8, 8]), 0x103: (SHORT, 1), 0x106: (SHORT, 2),
                                 **tiff.strip(bytes(96 * 64 * 3)), ORIENTATION: (SHORT, turned), 0x115: (SHORT, 3),
                                 SUB_IFDS: (LONG, below), 0xc612: (UNDEFINED, b'\1\4\0\0'), **exif(tiff)}))


def orf(jpeg, thumb, size, turned, adobe, order='<'):
    """The notes' offsets count from their beginning."""
    note = Tiff('<', b'OLYMPUS\0II\3\0')
    head = len(note.out) + 2 + 12 + 4
    camera = Tiff('<', bytes(head))
    at = camera.directory(camera.blob(jpeg, 0x101, 0x102))
    note.directory({0x2020: (IFD, at)})
    tiff = start(order, 0x4f52)
    return tiff.done(tiff.chain({**samples(tiff, size), ORIENTATION: (SHORT, turned),
                                 **exif(tiff, adobe=adobe, note=bytes(note.out) + bytes(camera.out[head:]))},
                                tiff.blob(thumb)))


def rw2(jpeg, thumb, size, turned, adobe, order='<'):
    tiff = start(order, 0x55)
    tiff.put(bytes(16))
    return tiff.done(tiff.chain({2: (SHORT, size[0] + 60), 3: (SHORT, size[1] + 40), 4: (SHORT, 4), 5: (SHORT, 8),
                                 6: (SHORT, size[1] + 4), 7: (SHORT, size[0] + 8), ORIENTATION: (SHORT, turned),
                                 0x2e: (UNDEFINED, jpeg), 0x118: tiff.put(bytes(64)),
                                 **exif(tiff, adobe=adobe)}, tiff.blob(thumb)))


def pef(jpeg, thumb, size, turned, adobe, order='>'):
    """The notes' offsets count from the beginning of the file."""
    tiff = start(order)
    at = tiff.put(jpeg)
    note = Tiff(order, b'AOC\0' + (b'II' if order == '<' else b'MM'))
    note.directory({3: len(jpeg), 4: at})
    return tiff.done(tiff.chain({**samples(tiff, size), ORIENTATION: (SHORT, turned),
                                 **exif(tiff, adobe=adobe, note=bytes(note.out))}, tiff.blob(thumb)))


def srw(jpeg, thumb, size, turned, adobe, order='<'):
    tiff = start(order)
    below = [tiff.directory({0x103: (SHORT, 6), **tiff.blob(jpeg)}), tiff.directory(samples(tiff, size))]
    return tiff.done(tiff.chain({0x100: 2, 0x101: 2, 0x103: (SHORT, 1), **tiff.strip(bytes(12)),
                                 ORIENTATION: (SHORT, turned), SUB_IFDS: (LONG, below), **exif(tiff, adobe=adobe)},
                                tiff.blob(thumb)))


def raf(jpeg, thumb, size, turned, adobe, order='>'):
    """Nothing but the preview itself says how it is turned."""
    records = struct.pack('>IHHHHHHHH', 2, 0x100, 4, size[1] + 20, size[0] + 30, 0x111, 4, size[1], size[0])
    at = 160
    return (b'FUJIFILMCCD-RAW 0201FF000000'.ljust(84, b'\0')
            + struct.pack('>6I', at, len(jpeg), at + len(jpeg), len(records), at + len(jpeg) + len(records), 64)
            ).ljust(at, b'\0') + jpeg + records + bytes(64)


def box(kind, content, large=False):
    head = struct.pack('>I4sQ', 1, kind, 16 + len(content)) if large else struct.pack('>I4s', 8 + len(content), kind)
    return head + content


def track(size, sample_at, sample_size):
    entry = bytes(6) + struct.pack('>H', 1) + bytes(16) + struct.pack('>HH', *size) + bytes(50)
    table = (box(b'stsd', struct.pack('>II', 0, 1) + box(b'CRAW', entry))
             + box(b'stsz', struct.pack('>III', 0, 0, 1) + struct.pack('>I', sample_size))
             + box(b'co64', struct.pack('>IIQ', 0, 1, sample_at)))
    return box(b'trak', box(b'mdia', box(b'minf', box(b'stbl', table))))


def jpeg_box(kind, content):
    return box(kind, bytes(4) + struct.pack('>HHI', 160, 120, len(content)) + bytes(4) + content)


def cr3(jpeg, thumb, size, turned, adobe, order='<', sample_at=None, middle=None):
    """The full-size JPEG is a track's first sample, and the notes alone know of Adobe RGB. middle: one of PRVW's own;
    sample_at: where the file, longer than it is made here, has the sample."""
    parts = ({ORIENTATION: (SHORT, turned), **MAKER}, {**TAKEN, 0xa002: size[0], 0xa003: size[1]},
             {0xb4: (SHORT, 2 if adobe else 1)}, PLACE)
    private = box(b'CNCV', b'CanonCR3_001')
    for n, part in enumerate(parts):
        tiff = start(order)
        private += box(b'CMT%d' % (n + 1), tiff.done(tiff.directory(part)))
    private += jpeg_box(b'THMB', thumb)
    uuid = box(b'uuid', bytes.fromhex('85c0b687820f11e08111f4ce462b6a48') + private)
    preview = box(b'uuid', bytes.fromhex('eaf42b5e1c984b88b9fbb7dc406e4d16') + struct.pack('>II', 0, 1)
                  + jpeg_box(b'PRVW', middle or thumb))
    kind = box(b'ftyp', b'crx \0\0\0\1crx isom')

    def whole(at):
        movie = box(b'moov', uuid + track(size, at, len(jpeg)) + track(size, at + len(jpeg), 64))
        return kind + movie + preview
    data = box(b'mdat', jpeg + bytes(64), large=True)
    if sample_at is not None:
        return whole(sample_at)
    return whole(len(whole(0)) + 16) + data


MAKERS = {'cr2': cr2, 'cr3': cr3, 'nef': nef, 'nrw': nrw, 'arw': arw, 'sr2': arw, 'dng': dng, 'orf': orf, 'rw2': rw2,
          'pef': pef, 'srw': srw, 'raf': raf}


def shell(kind, jpeg, thumb, size, turned=1, adobe=False, **options):
    """A raw file of a photo of that size (width, height) around a preview and a thumbnail; turned and adobe: what the
    file says of it beside the preview."""
    return MAKERS[kind](jpeg, thumb, size, turned, adobe, **options)
