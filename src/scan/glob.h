/* SPDX-License-Identifier: MIT */
/*
 * Patterns for names in a tree. Pure; any process. Inside the room only.
 *
 *   g_autoptr(BtGlob) glob = bt_glob_new("raw/?[0-9]*.jpg", &error);
 *   if (bt_glob_matches(glob, name, strlen(name), false)) ...
 *
 * `*` is any number of characters, `?` one, `[a-c]` one of these, `[!a-c]` (or `[^a-c]`) one of the
 * others, `\` takes the next one as it is; none of them is a slash. `**` as a whole part is any
 * number of parts, at the end one or more. A slash at the beginning or inside makes the pattern one
 * for the whole name; without one it may begin at any part. A slash at the end: only folders. What
 * matches a folder matches all below it.
 *
 * A character is one of UTF-8, or a byte that is none: names may be any bytes. Case counts.
 *
 * Time is at most the product of the lengths: a star that fails moves on by one, and those before
 * it are not asked again, for they have taken as little as they could.
 *
 * Follows: gitignore(5). Unlike there, `!` is nothing particular at the beginning, classes like
 * [:alpha:] are refused, and "." parts are passed over.
 */
#ifndef BT_SCAN_GLOB_H
#define BT_SCAN_GLOB_H

#include "base/error.h"

typedef struct BtGlob BtGlob;

/* NULL with a sentence when it is no pattern: empty, with a [ that is not closed, ... */
BT_MUST_CHECK BtGlob *bt_glob_new(const char *pattern, GError **error);
void bt_glob_free(BtGlob *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BtGlob, bt_glob_free)

/* Whether it matches the `length` bytes of name, or a folder on the way there. A name is not empty
 * and has no empty part. */
bool bt_glob_matches(const BtGlob *self, const char *name, size_t length, bool is_folder);

#endif
