/* SPDX-License-Identifier: MIT */
#include "scan/list.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

/* An entry, with CR and separator. */
#define ROOM (BT_LIST_ENTRY_MAX + 2)

struct BtList {
    BtFd fd;
    char *shown_name;
    char separator;
    bool is_waiting; /* the last step found nothing to read yet */
    bool is_over;    /* nothing more will be read */
    bool is_cut;     /* the beginning of this entry was thrown away, as too long */
    bool has_nul;    /* there was one in it */
    uint64_t number; /* of this entry, from 1, empty ones counted: as an editor counts lines */
    size_t begin;    /* of this entry in bytes */
    size_t searched; /* up to here there is no separator */
    size_t end;
    char bytes[ROOM + 1];
};

/* Makes room behind what is held. An entry that fills it all is thrown away as it comes. */
static void
make_room(BtList *self)
{
    if (self->end - self->begin == ROOM) {
        self->has_nul = self->has_nul || memchr(self->bytes, '\0', ROOM) != NULL;
        self->is_cut = true;
        self->begin = self->end;
    }
    memmove(self->bytes, self->bytes + self->begin, self->end - self->begin);
    self->end -= self->begin;
    self->searched = self->end;
    self->begin = 0;
}

static BtListKind
read_more(BtList *self, GError **error)
{
    struct pollfd ready = {.fd = self->fd, .events = POLLIN};
    ssize_t n = -1;

    make_room(self);
    errno = EAGAIN;
    if (poll(&ready, 1, 0) > 0)
        n = read(self->fd, self->bytes + self->end, ROOM - self->end);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        self->is_waiting = true;
        return BT_LIST_MORE;
    }
    self->is_over = n <= 0;
    if (n < 0) {
        self->begin = self->end;
        bt_error_set_system(error, errno, "%s cannot be read", self->shown_name);
        return BT_LIST_PROBLEM;
    }
    self->end += (size_t)n;
    return BT_LIST_MORE;
}

static BtListKind
find_fault(const BtList *self, const char *fault, GError **error)
{
    bt_error_set(error, BT_ERROR_INVALID, "%s %" G_GUINT64_FORMAT " of %s %s",
                 self->separator == '\0' ? "entry" : "line", self->number, self->shown_name, fault);
    return BT_LIST_PROBLEM;
}

/* The entry that ends before `end`. */
static BtListKind
take_entry(BtList *self, size_t end, const char **out_entry, GError **error)
{
    char *entry = self->bytes + self->begin;
    size_t length = end - self->begin;
    bool is_cut = self->is_cut, has_nul = self->has_nul;

    self->number++;
    self->begin = self->searched = MIN(end + 1, self->end);
    self->is_cut = self->has_nul = false;
    if (self->separator == '\n' && length > 0 && entry[length - 1] == '\r')
        length--;
    entry[length] = '\0';
    if (has_nul || strlen(entry) < length)
        return find_fault(self, "holds a NUL byte: is it a list for -0 (--null)?", error);
    if (is_cut || length > BT_LIST_ENTRY_MAX)
        return find_fault(self, "is longer than any path can be", error);
    *out_entry = entry;
    return length > 0 ? BT_LIST_ENTRY : BT_LIST_MORE;
}

BtList *
bt_list_new(BtFd fd, const char *shown_name, char separator)
{
    BtList *self = g_new0(BtList, 1);

    self->fd = fd;
    self->shown_name = g_strdup(shown_name);
    self->separator = separator;
    return self;
}

void
bt_list_free(BtList *self)
{
    if (self == NULL)
        return;
    bt_fd_clear(&self->fd);
    g_free(self->shown_name);
    g_free(self);
}

BtListKind
bt_list_next(BtList *self, const char **out_entry, GError **error)
{
    const char *stop =
        memchr(self->bytes + self->searched, self->separator, self->end - self->searched);

    self->is_waiting = false;
    if (stop != NULL)
        return take_entry(self, (size_t)(stop - self->bytes), out_entry, error);
    if (!self->is_over)
        return read_more(self, error);
    if (self->begin < self->end || self->is_cut)
        return take_entry(self, self->end, out_entry, error);
    return BT_LIST_END;
}

int
bt_list_wait_fd(const BtList *self)
{
    return self->is_waiting ? self->fd : -1;
}

/* Removes the last part. False when there is none. */
static bool
take_back(GString *name)
{
    const char *slash = strrchr(name->str, '/');

    if (name->len == 0)
        return false;
    g_string_truncate(name, slash != NULL ? (gsize)(slash - name->str) : 0);
    return true;
}

static void
add_part(GString *name, const char *part, size_t length)
{
    if (name->len > 0)
        g_string_append_c(name, '/');
    g_string_append_len(name, part, (gssize)length);
}

/* Without slashes at the beginning and the end; NULL when it leads out of where it begins. */
static GString *
normalise(const char *entry)
{
    GString *name = g_string_new(NULL);
    size_t length;

    for (const char *part = entry; *part != '\0'; part += length + (part[length] == '/')) {
        length = strcspn(part, "/");
        if (length == 0 || (length == 1 && part[0] == '.'))
            continue;
        if (length != 2 || strncmp(part, "..", 2) != 0)
            add_part(name, part, length);
        else if (!take_back(name) && *entry != '/') { /* above "/" is "/" */
            g_string_free(name, TRUE);
            return NULL;
        }
    }
    return name;
}

/* Removes a base, an absolute path, from a name below "/". False when it does not begin so. */
static bool
remove_base(GString *name, const char *base)
{
    size_t length = strlen(base) - 1; /* without its slash */

    if (strncmp(name->str, base + 1, length) != 0 ||
        (length > 0 && name->str[length] != '/' && name->str[length] != '\0'))
        return false;
    g_string_erase(name, 0, (gssize)(length + (length > 0 && name->str[length] == '/')));
    return true;
}

char *
bt_list_place(const char *entry, const char *const *bases, bool *out_is_below_base, GError **error)
{
    GString *name = normalise(entry);
    bool is_below_base = *entry != '/';

    if (name == NULL) {
        bt_error_set(error, BT_ERROR_INVALID, "%s leads out of the folder it is relative to",
                     entry);
        return NULL;
    }
    for (; !is_below_base && *bases != NULL; bases++)
        is_below_base = remove_base(name, *bases);
    *out_is_below_base = is_below_base;
    return g_string_free(name, FALSE);
}
