/* SPDX-License-Identifier: MIT */
/*
 * Stores, sources and results for tests, on file systems of every kind.
 */
#ifndef TESTS_STORE_RESULTS_H
#define TESTS_STORE_RESULTS_H

#include "store/store.h"
#include "unit/scene.h"

#define SETTINGS BT_STORE_KEY_START "1\nsigma 15\n"
#define OTHER    BT_STORE_KEY_START "1\nsigma 3\n"

/* A way that a file system may leave us. */
typedef struct Fault {
    const char *name;
    void (*refuse)(void);
    bool nameless;   /* whether a temporary has no name */
    bool attributes; /* whether records are attributes */
} Fault;

void refuse_attributes(void);

/* Runs a function with a new folder under each fault, as tests PREFIX/FAULT/NAME. */
void add_faulty_test(const char *prefix, const char *name, void (*check)(const char *folder));

/* In such a test: what it runs under. */
const Fault *current_fault(void);

/* Runs a function in a child process with an empty exFAT on a new folder, which has neither
 * attributes, nor links, nor nameless files; skips the test where there can be none. */
void run_on_exfat(void (*check)(const char *folder));

/* A store that has only looked, and one that is made. */
BtStore *look_only(const char *folder, const char *settings, unsigned flags);
BtStore *open_store(const char *folder, const char *settings, unsigned flags);

struct stat stat_of(const char *folder, const char *name);

/* A source of this size and time, mode 0644. */
struct stat source_of(off_t bytes, time_t seconds, long nanoseconds);

/* Publishes a text as the result of a source. */
bool try_put(BtStore *store, const char *name, const char *text, const struct stat *source,
             GError **error);
void put(BtStore *store, const char *name, const char *text, const struct stat *source);

BtStoreState state_of(BtStore *store, const char *name, const struct stat *source);
#define assert_state(store, name, source, expected)                                                \
    g_assert_cmpint(state_of(store, name, source), ==, expected)

void assert_content(const char *folder, const char *name, const char *expected);

/* What is in a folder, but for a ledger. */
void assert_listed(const char *folder, const char *expected);

void remove_name(const char *folder, const char *name);
void set_time(const char *folder, const char *name, struct timespec time);

#endif
