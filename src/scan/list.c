/* SPDX-License-Identifier: MIT */
#include "scan/list.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* An entry, with a byte order mark, CR and separator. */
#define ROOM (BT_LIST_ENTRY_MAX + sizeof BYTE_ORDER_MARK - 1 + 2)

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
        bt_error_set_system(error, errno, "cannot read %s", self->shown_name);
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
    if (self->number == 1 && g_str_has_prefix(entry, BYTE_ORDER_MARK)) {
        entry += strlen(BYTE_ORDER_MARK);
        length -= strlen(BYTE_ORDER_MARK);
    }
    if (has_nul || strlen(entry) < length)
        return find_fault(self, "contains a zero byte: does the list need --null?", error);
    if (is_cut || length > BT_LIST_ENTRY_MAX)
        return find_fault(self, "is too long to be a path", error);
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

/* What of a name below "/" is below a folder of this absolute path; NULL: it lies elsewhere. */
static const char *
find_below(const char *name, const char *folder)
{
    size_t length = strlen(folder) - 1; /* without its slash */

    if (length == 0)
        return name;
    if (strncmp(name, folder + 1, length) != 0 || (name[length] != '/' && name[length] != '\0'))
        return NULL;
    return name + length + (name[length] == '/');
}

char **
bt_list_bases(const char *folder, const char *current)
{
    g_autofree char *shown = g_canonicalize_filename(folder, current);
    g_auto(GStrv) paths = g_new0(char *, 3);
    struct stat what, other;

    if ((paths[0] = realpath(folder, NULL)) == NULL)
        return NULL;
    if (stat(folder, &what) == 0 && stat(shown, &other) == 0 && what.st_dev == other.st_dev &&
        what.st_ino == other.st_ino)
        paths[1] = g_steal_pointer(&shown);
    return g_steal_pointer(&paths);
}

char *
bt_list_place(const char *entry, const char *const *bases, char **out_way)
{
    g_auto(GStrv) parts = g_strsplit(entry, "/", -1);
    g_autoptr(GPtrArray) kept =
        g_ptr_array_new(); /* each ".." that is left over, what leads down */
    g_autofree char *name = NULL;
    const char *below = NULL;
    guint n_up = 0;

    for (char **part = parts; *part != NULL; part++) {
        bool is_up = strcmp(*part, "..") == 0;

        if (**part == '\0' || strcmp(*part, ".") == 0)
            continue;
        if (is_up && kept->len > n_up)
            g_ptr_array_set_size(kept, (int)kept->len - 1);
        else {
            g_ptr_array_add(kept, *part);
            n_up += is_up;
        }
    }
    g_ptr_array_add(kept, NULL);
    name = g_strjoinv("/", (char **)kept->pdata + n_up);
    kept->pdata[n_up] = NULL;
    if (*entry == '/')
        for (; below == NULL && *bases != NULL; bases++)
            below = find_below(name, *bases);
    *out_way =
        *entry != '/' ? g_strjoinv("/", (char **)kept->pdata) : g_strdup(below != NULL ? "" : "/");
    return below != NULL ? g_strdup(below) : g_steal_pointer(&name);
}
