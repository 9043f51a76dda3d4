/* SPDX-License-Identifier: MIT */
#include "image/jpeg_window.h"

#include "base/fd.h"

#include <glib.h>
#include <string.h>

#define PIECE            65536 /* bytes of the file at a time: stays in the cache */
#define WINDOW_BYTES     (160 << 10)
#define WINDOW_BYTES_MAX (5 << 20)

#define STUFFING 0x00
#define RST0     0xd0
#define RST7     0xd7
#define FILL     0xff

void
bt_jpeg_window_init(BtJpegWindow *self, const BtJpegOps *ops, int fd, off_t at)
{
    *self = (BtJpegWindow){.ops = ops, .fd = fd, .at = at};
    self->piece = g_malloc(PIECE);
    self->room = WINDOW_BYTES;
    self->data = g_malloc(WINDOW_BYTES + BT_JPEG_DATA_SLACK);
    self->restarts = g_new(uint32_t, BT_JPEG_WINDOW_RESTARTS_MAX);
}

void
bt_jpeg_window_clear(BtJpegWindow *self)
{
    g_free(self->piece);
    g_free(self->data);
    g_free(self->restarts);
}

/* Makes sure that n bytes, at most 2, are in the piece and unused. */
static bool
need_bytes(BtJpegWindow *self, size_t n)
{
    size_t left = self->piece_size - self->piece_at;

    if (left >= n)
        return true;
    memmove(self->piece, self->piece + self->piece_at, left);
    self->piece_at = 0;
    self->piece_size = left;
    while (self->piece_size < n) {
        ssize_t got = bt_fd_read_at(self->fd, self->piece + self->piece_size,
                                    PIECE - self->piece_size, self->at);

        if (got <= 0)
            return false;
        self->at += got;
        self->piece_size += (size_t)got;
    }
    return true;
}

bool
bt_jpeg_window_read(BtJpegWindow *self, uint8_t *out_bytes, size_t n)
{
    while (n > 0) {
        size_t here;

        if (!need_bytes(self, 1))
            return false;
        here = MIN(n, self->piece_size - self->piece_at);
        if (out_bytes != NULL) {
            memcpy(out_bytes, self->piece + self->piece_at, here);
            out_bytes += here;
        }
        self->piece_at += here;
        n -= here;
    }
    return true;
}

void
bt_jpeg_window_begin(BtJpegWindow *self)
{
    self->size = 0;
    self->first_restart = 0;
    self->n_restarts = 0;
    self->n_markers = 0;
    self->ended = false;
}

/* What an FF is the first byte of. */
static bool
take_marker(BtJpegWindow *self)
{
    uint8_t second;

    if (!need_bytes(self, 2))
        return false;
    second = self->piece[self->piece_at + 1];
    if (second == FILL) {
        self->piece_at++;
    } else if (second == STUFFING) {
        self->data[self->size++] = 0xff;
        self->piece_at += 2;
    } else if (second >= RST0 && second <= RST7) {
        if (second != RST0 + self->n_markers % 8)
            return false;
        self->n_markers++;
        self->restarts[self->n_restarts++] = (uint32_t)self->size;
        self->piece_at += 2;
    } else {
        self->ended = true;
    }
    return true;
}

static void
drop_data(BtJpegWindow *self, size_t n)
{
    memmove(self->data, self->data + n, self->size - n);
    self->size -= n;
    self->n_restarts -= self->first_restart;
    for (int i = 0; i < self->n_restarts; i++)
        self->restarts[i] = self->restarts[self->first_restart + i] - (uint32_t)n;
    self->first_restart = 0;
}

bool
bt_jpeg_window_fill(BtJpegWindow *self, size_t n_used)
{
    drop_data(self, n_used);
    while (!self->ended && self->size < self->room &&
           self->n_restarts < BT_JPEG_WINDOW_RESTARTS_MAX) {
        size_t n, plain;

        if (!need_bytes(self, 1))
            return false;
        n = MIN(self->piece_size - self->piece_at, self->room - self->size);
        plain = self->ops->copy_plain(self->data + self->size, self->piece + self->piece_at, n);
        self->size += plain;
        self->piece_at += plain;
        if (plain < n && !take_marker(self))
            return false;
    }
    memset(self->data + self->size, 0, BT_JPEG_DATA_SLACK);
    return true;
}

bool
bt_jpeg_window_grow(BtJpegWindow *self)
{
    if (self->room >= WINDOW_BYTES_MAX)
        return false;
    self->room *= 2;
    self->data = g_realloc(self->data, self->room + BT_JPEG_DATA_SLACK);
    return true;
}

bool
bt_jpeg_window_skip_data(BtJpegWindow *self)
{
    for (;;) {
        uint8_t *here, *found;

        if (!need_bytes(self, 2))
            return false;
        here = self->piece + self->piece_at;
        found = memchr(here, 0xff, self->piece_size - self->piece_at - 1);
        if (found == NULL) {
            self->piece_at = self->piece_size - 1;
            continue;
        }
        self->piece_at += (size_t)(found - here);
        if (found[1] == STUFFING || (found[1] >= RST0 && found[1] <= RST7))
            self->piece_at += 2;
        else if (found[1] == FILL)
            self->piece_at++;
        else
            return true;
    }
}
