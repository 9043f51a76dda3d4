/* SPDX-License-Identifier: MIT */
#include "base/option_table.h"

#include <getopt.h>
#include <stdarg.h>
#include <string.h>

#define HELP_COLUMN 28

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

/* By its id or its letter. */
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

/* getopt's own form of the table. */
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

/* getopt has put an offending letter, if it was one, into optopt. */
static bool
fail_option(const BtOptionTable *table, const char *argument, bool known, GError **error)
{
    char letter[] = {'-', (char)optopt, '\0'};
    const char *name = argument[0] == '-' && argument[1] == '-' ? argument : letter;

    return bt_error_set(error, BT_ERROR_INVALID, "%s %s; see %s --help", name,
                        known ? "needs a value" : "is not an option", table->program);
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
    while ((word = va_arg(words, const char *)) != NULL && strcmp(text, word) != 0)
        index++;
    va_end(words);
    return word != NULL ? index : -1;
}
