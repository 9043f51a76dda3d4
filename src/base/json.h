/* SPDX-License-Identifier: MIT */
/*
 * JSON, as much of it as our reports need: objects on one line, written and read. Pure; any
 * process.
 *
 *   BtJson json = {text};                                 a GString, lent; the object is appended
 *   bt_json_begin(&json, NULL);
 *   bt_json_put_text(&json, "path", path);
 *   bt_json_put_number(&json, "seconds", 0.25);
 *   bt_json_end(&json);
 *
 *   g_autoptr(BtJsonObject) object = bt_json_parse(line, length, &error);
 *   path = bt_json_text(object, "path");
 *
 * What is written is valid UTF-8: a byte that is none becomes U+FFFD. What is read is not trusted:
 * objects in objects go one deep, and arrays are not known. Follows: RFC 8259.
 */
#ifndef BT_BASE_JSON_H
#define BT_BASE_JSON_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#define BT_JSON_LINE_MAX (1 << 20) /* bytes that bt_json_parse() takes */

typedef struct BtJson {
    GString *text;
    bool follows; /* a member was written to the object that is open */
} BtJson;

/* Opens an object; name NULL: the outermost. */
void bt_json_begin(BtJson *self, const char *name);
void bt_json_end(BtJson *self);

/* Members of the open object. Names need no escapes. */
void bt_json_put_text(BtJson *self, const char *name, const char *value); /* any bytes */
void bt_json_put_count(BtJson *self, const char *name, uint64_t value);
void bt_json_put_int(BtJson *self, const char *name, int64_t value);
void bt_json_put_number(BtJson *self, const char *name, double value); /* finite, else null */
void bt_json_put_bool(BtJson *self, const char *name, bool value);

/* Its members by name. */
typedef GHashTable BtJsonObject;

/* One object, with white space around it at most. NULL with a sentence. */
BT_MUST_CHECK BtJsonObject *bt_json_parse(const char *text, size_t length, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BtJsonObject, g_hash_table_unref)

/* The member's value, of the last of several; NULL, or `missing`, where it is not there or of
 * another kind. Lent. A member of an object in the object is called "settings.sigma". */
const char *bt_json_text(BtJsonObject *self, const char *name);
double bt_json_number(BtJsonObject *self, const char *name, double missing);

/* The names of all members that begin so, in any order. Lent until the object is freed; the list is
 * owned (g_ptr_array_unref). */
GPtrArray *bt_json_names(BtJsonObject *self, const char *prefix);

#endif
