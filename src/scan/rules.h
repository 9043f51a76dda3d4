/* SPDX-License-Identifier: MIT */
/*
 * What is let in and what is kept out, by name. Pure; any process.
 *
 *   g_autoptr(BtRules) rules = bt_rules_new();
 *   bt_rules_add(rules, BT_RULE_EXCLUDE, "drafts/", &error);       in the order of the command line
 *   bt_rules_add(rules, BT_RULE_INCLUDE, "*.jpg", &error);
 *
 * Names are relative to the PATH that they were found under; they are not empty and have no empty
 * part. The last rule that matches a file, or a folder on the way to it, decides. When none does,
 * the file is in, unless there is a rule that includes: then what is not asked for is out. A folder
 * is entered unless the last rule that matches it excludes it; so nothing in there can be let in
 * again.
 *
 * Patterns: `*` is any number of characters, `?` one, `[a-c]` one of these, `[!a-c]` (or `[^a-c]`)
 * one of the others, `\` takes the next one as it is; none of them is a slash. `**` as a whole part
 * is any number of parts, at the end one or more. A slash at the beginning or inside makes the
 * pattern one for the whole name; without one it may begin at any part. A slash at the end: only
 * folders. What matches a folder matches all below it. A character is one of UTF-8, or a byte that
 * is none: names may be any bytes. Case counts.
 *
 * Follows: gitignore(5). Unlike there, `!` is nothing particular at the beginning, classes like
 * [:alpha:] are refused, and "." parts are passed over.
 *
 * NULL stands for no rules.
 */
#ifndef BT_SCAN_RULES_H
#define BT_SCAN_RULES_H

#include "base/error.h"

typedef struct BtRules BtRules;

typedef enum BtRule {
    BT_RULE_EXCLUDE,
    BT_RULE_INCLUDE
} BtRule;

BtRules *bt_rules_new(void);
void bt_rules_free(BtRules *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(BtRules, bt_rules_free)

/* False with a sentence when it is no pattern: empty, with a [ that is not closed, ... */
BT_MUST_CHECK bool bt_rules_add(BtRules *self, BtRule rule, const char *pattern, GError **error);

/* Whether a file is in that was found in a folder that was entered. */
bool bt_rules_take(const BtRules *self, const char *name);

/* Whether the last rule that matches it excludes it. */
bool bt_rules_exclude(const BtRules *self, const char *name, bool is_folder);

/* Whether a folder on the way to a name is one that is not entered. */
bool bt_rules_bar(const BtRules *self, const char *name);

#endif
