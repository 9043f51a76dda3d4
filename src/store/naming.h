/* SPDX-License-Identifier: MIT */
/*
 * How results are called. Pure; supervisor.
 *
 *   BtNaming naming = {.pattern = "{dir}/{stem}{suffix}.{ext}", .suffix = "-small"};
 *   if (!bt_naming_check(&naming, &error)) ...
 *   name = bt_naming_result(&naming, "2024/a.png", BT_FORMAT_PNG, BT_FORMAT_JPEG);
 *
 * A name is made of the source's name and the result's format alone, so it is the same in each run
 * and on each machine.
 *
 * Without a pattern a result that has its source's format has its source's name, and one that has
 * another has its source's whole name and the extension: a.bmp becomes a.bmp.jpg, so that it cannot
 * meet the result of a.jpg.
 *
 * The fields of a pattern, for the source 2024/rome/a.jpeg and a result in JPEG:
 *
 *   {dir}    2024/rome        the slash behind it is left out where there is no folder
 *   {flat}   2024__rome__     the same as a prefix to a name
 *   {stem}   a                {name} a.jpeg
 *   {suffix}                  of --suffix
 *   {ext}    jpeg             the source's, as it is written, where the format is the same
 *   {hash}   8 hexadecimal digits of the source's name: what makes any two names differ
 *
 * "{{" and "}}" stand for a brace.
 */
#ifndef BT_STORE_NAMING_H
#define BT_STORE_NAMING_H

#include "base/error.h"
#include "base/format.h"

typedef struct BtNaming {
    const char *pattern; /* lent; NULL: as above */
    const char *suffix;  /* lent; NULL: none */
    bool flat;           /* all results in the output folder itself; without a pattern */
} BtNaming;

/* Whether names can be made of it: known fields, {stem}, {name} or {hash} among them, and no way
 * out of the output folder. One sentence in *error where not. */
BT_MUST_CHECK bool bt_naming_check(const BtNaming *self, GError **error);

/* Whether no two sources of a batch can come to one name by their folders or stems: as they can
 * where a pattern without {hash}, or flat, is. */
bool bt_naming_is_apart(const BtNaming *self);

/* The name, below the output folder, of the result of the source `name` (no part of it empty, "."
 * or ".."). from: the source's format by its extension; to: the result's. NULL with a sentence
 * where it would be none: empty, or one that is kept for our own files. Owned (g_free). */
char *bt_naming_result(const BtNaming *self, const char *name, BtFormat from, BtFormat to,
                       GError **error);

#endif
