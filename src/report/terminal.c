/* SPDX-License-Identifier: MIT */
#include "report/terminal.h"

#include <glib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define COLUMNS_DEFAULT 80
#define START           "\r"
#define ERASE_REST      "\033[K"

struct BtTerminal {
    FILE *stream;
    char *line;  /* NULL: none yet */
    bool hidden; /* it is not on the screen */
};

bool
bt_terminal_can_draw(FILE *stream)
{
    const char *kind = g_getenv("TERM");

    return kind != NULL && *kind != '\0' && strcmp(kind, "dumb") != 0 && fileno(stream) >= 0 &&
           isatty(fileno(stream));
}

BtTerminal *
bt_terminal_new(FILE *stream)
{
    BtTerminal *self = g_new0(BtTerminal, 1);

    self->stream = stream;
    self->hidden = true;
    return self;
}

void
bt_terminal_free(BtTerminal *self)
{
    if (self == NULL)
        return;
    bt_terminal_hide(self);
    g_free(self->line);
    g_free(self);
}

int
bt_terminal_columns(const BtTerminal *self)
{
    struct winsize size = {0};

    if (ioctl(fileno(self->stream), TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return COLUMNS_DEFAULT;
    return size.ws_col - 1; /* the cursor stays in the line */
}

void
bt_terminal_draw(BtTerminal *self, const char *line)
{
    if (!self->hidden && g_strcmp0(line, self->line) == 0)
        return;
    g_free(self->line);
    self->line = g_strdup(line);
    self->hidden = true;
    bt_terminal_show(self);
}

void
bt_terminal_hide(BtTerminal *self)
{
    if (self == NULL || self->hidden)
        return;
    fputs(START ERASE_REST, self->stream);
    fflush(self->stream);
    self->hidden = true;
}

void
bt_terminal_show(BtTerminal *self)
{
    g_autofree char *whole = NULL;

    if (self == NULL || !self->hidden || self->line == NULL)
        return;
    whole = g_strconcat(START, self->line, ERASE_REST, NULL);
    fputs(whole, self->stream);
    fflush(self->stream);
    self->hidden = false;
}
