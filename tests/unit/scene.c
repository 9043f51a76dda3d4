/* SPDX-License-Identifier: MIT */
#include "unit/scene.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

char *
scene_new(void)
{
    g_autoptr(GError) error = NULL;
    char *folder = g_dir_make_tmp("blurthumb-test-XXXXXX", &error);

    g_assert_no_error(error);
    return folder;
}

void
scene_free(char *folder)
{
    char rm[] = "rm", force[] = "-rf", end[] = "--";
    char *argv[] = {rm, force, end, folder, NULL};

    g_assert_true(
        g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL));
    g_free(folder);
}

void
scene_write(const char *folder, const char *name, const void *bytes, size_t size)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *parent = g_path_get_dirname(path);
    FILE *file;

    g_assert_cmpint(g_mkdir_with_parents(parent, 0777), ==, 0);
    g_assert_nonnull(file = fopen(path, "wbe"));
    g_assert_cmpuint(fwrite(bytes, 1, size, file), ==, size);
    g_assert_cmpint(fclose(file), ==, 0);
}

char *
scene_read(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    char *text = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    return text;
}

static int
compare(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

char *
scene_list(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    const char *name;

    g_assert_nonnull(dir);
    while ((name = g_dir_read_name(dir)) != NULL)
        g_ptr_array_add(names, g_strdup(name));
    g_ptr_array_sort(names, compare);
    g_ptr_array_add(names, NULL);
    return g_strjoinv(" ", (char **)names->pdata);
}

gboolean
scene_run(void (*function)(const char *folder), const char *folder)
{
    pid_t child = fork();
    int status;

    g_assert_cmpint(child, >=, 0);
    if (child == 0) {
        function(folder);
        _exit(0);
    }
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) != SCENE_SKIPPED)
        g_assert_cmpint(WEXITSTATUS(status), ==, 0);
    return WEXITSTATUS(status) == 0;
}

void
scene_skip(void)
{
    _exit(SCENE_SKIPPED);
}

gboolean
scene_own_mounts(void)
{
    return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

gboolean
scene_mount(const char *folder, const char *type, const char *options)
{
    return scene_own_mounts() && mount(type, folder, type, 0, options) == 0;
}

void
scene_refuse(long number, unsigned argument, uint32_t mask, int errnum)
{
    size_t low = G_BYTE_ORDER == G_LITTLE_ENDIAN ? 0 : sizeof(uint32_t);
    uint32_t at = (uint32_t)(offsetof(struct seccomp_data, args) + 8 * argument + low);
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 4),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, mask, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)errnum),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = G_N_ELEMENTS(code), .filter = code};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
        scene_skip();
}
