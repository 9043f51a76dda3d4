/* SPDX-License-Identifier: MIT */
/*
 * Command lines of our programs. One table of a program holds every option with its letter,
 * argument and help, and apply() is one switch over an enum without a default, so that an option
 * without a case does not compile.
 */
#ifndef BT_BASE_OPTION_TABLE_H
#define BT_BASE_OPTION_TABLE_H

#include "base/error.h"

#include <stddef.h>

#define BT_OPTION_FIRST_ID 256 /* beyond all letters */

typedef struct BtOption {
    int id;
    char letter;          /* 0: none */
    const char *name;     /* NULL: a heading, in `help` */
    const char *argument; /* NULL: takes none */
    const char *help;
} BtOption;

/* Takes an option that was read. False with what its value should be in *out_wanted, or with one
 * sentence in *error. */
typedef bool (*BtOptionApply)(void *user, int id, const char *value, const char **out_wanted,
                              GError **error);

typedef struct BtOptionTable {
    const char *program;
    const char *head, *foot; /* of --help */
    const BtOption *options;
    size_t n_options;
    BtOptionApply apply;
} BtOptionTable;

/* Reads argv, in which options go to the front; the first of the rest is *out_first. False with one
 * sentence. */
BT_MUST_CHECK bool bt_option_read(const BtOptionTable *table, int argc, char **argv, void *user,
                                  int *out_first, GError **error);

/* The text of --help. Owned (g_free). */
char *bt_option_help(const BtOptionTable *table);

/* Values: a whole number in plain digits; a number from 0. */
BT_MUST_CHECK bool bt_option_int(const char *text, int least, int most, int *out);
BT_MUST_CHECK bool bt_option_number(const char *text, double most, double *out);

/* The index of text, in capitals or not, among the words that follow, the last of which is NULL;
 * -1: it is not there. */
int bt_option_word(const char *text, ...) G_GNUC_NULL_TERMINATED;

#endif
