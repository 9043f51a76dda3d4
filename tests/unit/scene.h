/* SPDX-License-Identifier: MIT */
/*
 * Real states of the disk, and real faults, for tests.
 *
 * Faults that outlast a test (a mount, a system call that the kernel now refuses) are made in a
 * child process, where assertions work as everywhere.
 */
#ifndef TESTS_UNIT_SCENE_H
#define TESTS_UNIT_SCENE_H

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

/* The exit status of a child that may not do what it must. */
#define SCENE_SKIPPED 77

/* A new empty folder. scene_free() removes it with all below it, at any depth. */
char *scene_new(void);
void scene_free(char *folder);

typedef char Scene;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Scene, scene_free)

/* Writes a file, making the folders on the way. */
void scene_write(const char *folder, const char *name, const void *bytes, size_t size);

/* The content of a file, NUL-terminated. Owned (g_free). */
char *scene_read(const char *folder, const char *name);

/* The names in a folder, sorted and with a space between them. Owned (g_free). */
char *scene_list(const char *folder);

/* Runs a function in a child process: true when it returned, false when it called
 * scene_skip(), and a failed test when it did neither. */
gboolean scene_run(void (*function)(const char *folder), const char *folder);
void scene_skip(void) G_GNUC_NORETURN;

/* From here on this process mounts for itself alone. False where it may not. */
gboolean scene_own_mounts(void);

/* Puts an empty file system of a type that lives in memory onto a folder, with options as for
 * mount(8), until this process ends. False where it may not. */
gboolean scene_mount(const char *folder, const char *type, const char *options);

/* From here on the kernel answers a system call of this process with errnum when the bits `mask`
 * are set in the low half of argument number `argument` (mask 0: always). */
void scene_refuse(long number, unsigned argument, uint32_t mask, int errnum);

#endif
