/* SPDX-License-Identifier: MIT */
#include "run/window.h"

struct BtWindow {
    GSequence *sources; /* smallest first; among equals the last found first */
    size_t limit;
};

/* Never 0, so that an equal one is put before those that are there. */
static gint
compare(gconstpointer a, gconstpointer b, gpointer added)
{
    const BtSource *left = a, *right = b;

    if (left->stat.st_size != right->stat.st_size)
        return left->stat.st_size < right->stat.st_size ? -1 : 1;
    return a == added ? -1 : 1;
}

BtWindow *
bt_window_new(size_t limit)
{
    BtWindow *self = g_new0(BtWindow, 1);

    self->sources = g_sequence_new(NULL);
    self->limit = limit;
    return self;
}

void
bt_window_free(BtWindow *self)
{
    if (self == NULL)
        return;
    while (!bt_window_is_empty(self))
        bt_source_free(bt_window_take(self));
    g_sequence_free(self->sources);
    g_free(self);
}

bool
bt_window_is_full(const BtWindow *self)
{
    return (size_t)g_sequence_get_length(self->sources) >= self->limit;
}

bool
bt_window_is_empty(const BtWindow *self)
{
    return g_sequence_is_empty(self->sources);
}

void
bt_window_add(BtWindow *self, BtSource *source)
{
    g_assert(!bt_window_is_full(self));
    g_sequence_insert_sorted(self->sources, source, compare, source);
}

BtSource *
bt_window_take(BtWindow *self)
{
    GSequenceIter *last;
    BtSource *source;

    if (bt_window_is_empty(self))
        return NULL;
    last = g_sequence_iter_prev(g_sequence_get_end_iter(self->sources));
    source = g_sequence_get(last);
    g_sequence_remove(last);
    return source;
}
