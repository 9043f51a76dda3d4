/* SPDX-License-Identifier: MIT */
/* The sandbox of a build without libseccomp, whatever this build has: it says what is missing. */
#include "sandbox/sandbox.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS "seccomp filters"
#define WHY   "this build has none"

#define SKIPPED 77

static bool
says(const char *text)
{
    return strstr(text, WORDS) != NULL && strstr(text, WHY) != NULL;
}

/* What a process that locks itself in is told: 0 where it is true, SKIPPED where another layer is
 * missing before. */
static int
check_told(BtSandboxMode mode)
{
    g_autoptr(GString) lacking = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    bool entered = bt_sandbox_enter(mode, 0, 0, lacking, &error);

    if (!entered && strstr(error->message, "Landlock") != NULL)
        return SKIPPED;
    return entered != (mode == BT_SANDBOX_AUTO) || !says(entered ? lacking->str : error->message);
}

static void
test_is_told(const void *data)
{
    BtSandboxMode mode = (BtSandboxMode)GPOINTER_TO_INT(data);
    int status;
    pid_t pid;

    if ((pid = fork()) == 0)
        _exit(check_told(mode));
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED)
        g_test_skip("the kernel has no Landlock, which is asked for first");
    else
        g_assert_cmpint(status, ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_data_func("/null/auto", GINT_TO_POINTER(BT_SANDBOX_AUTO), test_is_told);
    g_test_add_data_func("/null/require", GINT_TO_POINTER(BT_SANDBOX_REQUIRE), test_is_told);
    return g_test_run();
}
