/* SPDX-License-Identifier: MIT */
/*
 * What is let in and what is kept out, by name. Pure; any process.
 *
 *   g_autoptr(BtRules) rules = bt_rules_new();
 *   bt_rules_add(rules, BT_RULE_EXCLUDE, "drafts/", &error);       in the order of the command line
 *   bt_rules_add(rules, BT_RULE_INCLUDE, "*.jpg", &error);
 *
 * Patterns are those of gitignore(5); scan/glob.h has them in full. Names are relative to the PATH
 * that they were found under.
 *
 * The last rule that matches a file, or a folder on the way to it, decides. When none does, the
 * file is in, unless there is a rule that includes: then what is not asked for is out. A folder is
 * entered unless the last rule that matches it excludes it; so nothing in there can be let in
 * again.
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

/* False with a sentence when it is no pattern. */
BT_MUST_CHECK bool bt_rules_add(BtRules *self, BtRule rule, const char *pattern, GError **error);

/* Whether a file is in that was found in a folder that was entered. */
bool bt_rules_take(const BtRules *self, const char *name);

/* Whether the last rule that matches it excludes it. */
bool bt_rules_exclude(const BtRules *self, const char *name, bool is_folder);

/* Whether a folder on the way to a name is one that is not entered. */
bool bt_rules_bar(const BtRules *self, const char *name);

#endif
