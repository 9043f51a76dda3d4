/* SPDX-License-Identifier: MIT */
#include "base/option_table.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#define HELP_COLUMN    28
#define NAME_MAX_BYTES 64 /* a longer word is no option that was mistyped */

char *
bt_option_help(const BtOptionTable *table)
{
    GString *text = g_string_new(table->head);

    for (size_t i = 0; i < table->n_options; i++) {
        const BtOption *option = &table->options[i];
        gsize start = text->len;

        if (option->name == NULL) {
            g_string_append_printf(text, "\n%s:\n", option->help);
            continue;
        }
        if (option->letter != 0)
            g_string_append_printf(text, "  -%c, --%s", option->letter, option->name);
        else
            g_string_append_printf(text, "      --%s", option->name);
        if (option->argument != NULL)
            g_string_append_printf(text, " %s", option->argument);
        g_string_append_printf(text, "%*s%s\n", MAX(1, HELP_COLUMN - (int)(text->len - start)), "",
                               option->help);
    }
    g_string_append_printf(text, "\n%s", table->foot);
    return g_string_free(text, FALSE);
}

static const BtOption *
find_option(const BtOptionTable *table, int found)
{
    for (size_t i = 0; i < table->n_options; i++) {
        const BtOption *option = &table->options[i];

        if (option->name != NULL && (option->id == found || option->letter == found))
            return option;
    }
    return NULL;
}

static void
make_getopt(const BtOptionTable *table, struct option *long_options, char *letters)
{
    *letters++ = ':';
    for (size_t i = 0; i < table->n_options; i++) {
        const BtOption *option = &table->options[i];

        if (option->name == NULL)
            continue;
        *long_options++ = (struct option){
            option->name, option->argument != NULL ? required_argument : no_argument, NULL,
            option->id};
        if (option->letter == 0)
            continue;
        *letters++ = option->letter;
        if (option->argument != NULL)
            *letters++ = ':';
    }
    *long_options = (struct option){0};
    *letters = '\0';
}

/* How many letters must be put in, left out, changed or swapped with the next to make one word of
 * the other. Follows: Damerau 1964, as "optimal string alignment". */
static size_t
distance(const char *one, const char *other)
{
    size_t width = strlen(other) + 1;
    g_autofree size_t *table = g_new(size_t, (strlen(one) + 1) * width);
    size_t *at = table;

    for (size_t i = 0; i <= strlen(one); i++) {
        for (size_t k = 0; k < width; k++, at++) {
            if (i == 0 || k == 0) {
                *at = i + k;
                continue;
            }
            *at = MIN(*(at - 1), *(at - width)) + 1;
            *at = MIN(*at, *(at - width - 1) + (one[i - 1] != other[k - 1]));
            if (i > 1 && k > 1 && one[i - 1] == other[k - 2] && one[i - 2] == other[k - 1])
                *at = MIN(*at, *(at - 2 * width - 2) + 1);
        }
    }
    return table[(strlen(one) + 1) * width - 1];
}

/* The option that was meant, where a third of its letters at most is wrong; else NULL. */
static const char *
find_nearest(const BtOptionTable *table, const char *name)
{
    const char *nearest = NULL;
    size_t least = SIZE_MAX;

    for (size_t i = 0; i < table->n_options && strlen(name) <= NAME_MAX_BYTES; i++) {
        const char *other = table->options[i].name;
        size_t n = other != NULL ? distance(name, other) : SIZE_MAX;

        if (n < least && n <= MAX(1, strlen(other) / 3)) {
            nearest = other;
            least = n;
        }
    }
    return nearest;
}

/* "--max-depth, --max-size": the options that a shortened name may stand for. */
static char *
list_candidates(const BtOptionTable *table, const char *name)
{
    GString *list = g_string_new(NULL);

    for (size_t i = 0; i < table->n_options; i++)
        if (table->options[i].name != NULL && g_str_has_prefix(table->options[i].name, name))
            g_string_append_printf(list, "%s--%s", list->len > 0 ? ", " : "",
                                   table->options[i].name);
    return g_string_free(list, FALSE);
}

/* An argument that getopt did not take: it has put an offending letter, if it was one, into optopt,
 * and the id of a long option that got a value and takes none. */
static bool
fail_option(const BtOptionTable *table, const char *argument, bool needs_value, GError **error)
{
    const BtOption *known = find_option(table, optopt);
    g_autofree char *name = NULL, *candidates = NULL;
    const char *nearest;

    if (optopt != 0 && optopt < BT_OPTION_FIRST_ID)
        return bt_error_set(error, BT_ERROR_INVALID,
                            needs_value ? "-%c needs a value; see %s --help"
                                        : "unknown option -%c; see %s --help",
                            optopt, table->program);
    name = g_strndup(argument + 2, strcspn(argument + 2, "="));
    if (needs_value)
        return bt_error_set(error, BT_ERROR_INVALID, "--%s needs a value; see %s --help",
                            known->name, table->program);
    if (optopt != 0)
        return bt_error_set(error, BT_ERROR_INVALID, "--%s takes no value", known->name);
    candidates = list_candidates(table, name);
    if (name[0] != '\0' && candidates[0] != '\0')
        return bt_error_set(error, BT_ERROR_INVALID, "--%s may be one of %s", name, candidates);
    nearest = find_nearest(table, name);
    if (nearest != NULL)
        return bt_error_set(error, BT_ERROR_INVALID, "unknown option --%s; did you mean --%s?",
                            name, nearest);
    return bt_error_set(error, BT_ERROR_INVALID, "unknown option --%s; see %s --help", name,
                        table->program);
}

bool
bt_option_read(const BtOptionTable *table, int argc, char **argv, void *user, int *out_first,
               GError **error)
{
    g_autofree struct option *long_options = g_new(struct option, table->n_options + 1);
    g_autofree char *letters = g_new(char, 2 * table->n_options + 2);
    int found;

    make_getopt(table, long_options, letters);
    opterr = 0;
    optind = 0; /* begins anew, also after another command line */
    while ((found = getopt_long(argc, argv, letters, long_options, NULL)) != -1) {
        const BtOption *option = find_option(table, found);
        const char *wanted = NULL;

        if (found == ':' || option == NULL)
            return fail_option(table, argv[optind - 1], found == ':', error);
        if (table->apply(user, option->id, optarg, &wanted, error))
            continue;
        if (wanted != NULL)
            return bt_error_set(error, BT_ERROR_INVALID, "--%s takes %s, not '%s'", option->name,
                                wanted, optarg);
        g_prefix_error(error, "--%s: ", option->name);
        return false;
    }
    *out_first = optind;
    return true;
}

bool
bt_option_int(const char *text, int least, int most, int *out)
{
    gint64 value;

    if (!g_ascii_isdigit(text[0]) || !g_ascii_string_to_signed(text, 10, least, most, &value, NULL))
        return false;
    *out = (int)value;
    return true;
}

bool
bt_option_number(const char *text, double most, double *out)
{
    char *end;
    double value = g_ascii_strtod(text, &end);

    if (!(g_ascii_isdigit(text[0]) || text[0] == '.') || strpbrk(text, "xX") != NULL ||
        *end != '\0' || !(value >= 0 && value <= most))
        return false;
    *out = value;
    return true;
}

int
bt_option_word(const char *text, ...)
{
    int index = 0;
    va_list words;
    const char *word;

    va_start(words, text);
    while ((word = va_arg(words, const char *)) != NULL && g_ascii_strcasecmp(text, word) != 0)
        index++;
    va_end(words);
    return word != NULL ? index : -1;
}
