/* SPDX-License-Identifier: MIT */
#include "sandbox/sandbox.h"

#include "base/fd.h"
#include "sandbox/layers.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A worker has seven, and libvips duplicates one now and then. */
#define DESCRIPTORS_MAX 64

/* Of the stack, which grows without counting as memory. */
#define STACK_BYTES (8u << 20)

/* Addresses beyond the memory that a worker may have: stacks and arenas that are mapped and hardly
 * used. Without a limit the tables that the kernel keeps for addresses would be memory that no
 * limit counts: 2 MB for each GB. */
#define ADDRESSES_SPARE (UINT64_C(4) << 30)

/* Too short for any core. With 0 the kernel would still hand one to a program that collects them,
 * and 1 is how it is told not to. */
#define CORE_BYTES 1

/* The kernel's own: Debian 12's <linux/landlock.h> is older than the kernels it may run on. */
#define CREATE_VERSION 1u
#define FS_RIGHTS_1    UINT64_C(0x1fff) /* EXECUTE to MAKE_SYM */
#define FS_REFER       (UINT64_C(1) << 13)
#define FS_TRUNCATE    (UINT64_C(1) << 14)
#define FS_IOCTL_DEV   (UINT64_C(1) << 15)
#define NET_RIGHTS     UINT64_C(3) /* BIND_TCP, CONNECT_TCP */
#define SCOPES         UINT64_C(3) /* ABSTRACT_UNIX_SOCKET, SIGNAL */

typedef struct Ruleset {
    uint64_t fs, net, scoped;
} Ruleset;

int
bt_landlock_version(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_VERSION);

    return version > 0 ? (int)version : 0;
}

bool
bt_landlock_enter(void)
{
    const int version = bt_landlock_version();
    Ruleset rules = {.fs = FS_RIGHTS_1};
    size_t size = version >= 6   ? sizeof rules
                  : version >= 4 ? 2 * sizeof(uint64_t)
                                 : sizeof rules.fs;
    g_auto(BtFd) fd = -1;

    rules.fs |= version >= 2 ? FS_REFER : 0;
    rules.fs |= version >= 3 ? FS_TRUNCATE : 0;
    rules.fs |= version >= 5 ? FS_IOCTL_DEV : 0;
    rules.net = version >= 4 ? NET_RIGHTS : 0;
    rules.scoped = version >= 6 ? SCOPES : 0;
    fd = (int)syscall(SYS_landlock_create_ruleset, &rules, size, 0);
    return fd >= 0 && syscall(SYS_landlock_restrict_self, fd, 0) == 0;
}

static bool
limit(int resource, rlim_t most, GError **error)
{
    struct rlimit limits;

    if (getrlimit(resource, &limits) != 0)
        return bt_error_set_system(error, errno, "cannot read a resource limit");
    limits.rlim_max = limits.rlim_max < most ? limits.rlim_max : most;
    limits.rlim_cur = limits.rlim_max;
    if (setrlimit(resource, &limits) != 0)
        return bt_error_set_system(error, errno, "cannot set a resource limit");
    return true;
}

static bool
is_alone(void)
{
    /* Does nothing, and only a process with threads may not do it. */
    return unshare(CLONE_THREAD) == 0 || errno != EINVAL;
}

/* Those of root could move a hard limit, say. */
static bool
drop_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};

    return syscall(SYS_capset, &header, none) == 0;
}

static bool
forbid_new_privileges(void)
{
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

/* The later ones need those before. */
static const struct {
    const char *name;
    bool (*enter)(void); /* false with errno */
    const char *missing; /* "": errno says why */
} layers[] = {
    {"dropped capabilities", drop_capabilities, ""},
    {"no_new_privs", forbid_new_privileges, ""},
    {"Landlock", bt_landlock_enter, ""},
    {"seccomp filters", bt_filter_enter, bt_filter_missing},
};

static bool
enter_layers(bool require, GString *lacking, GError **error)
{
    if (!is_alone())
        return bt_error_set(error, BT_ERROR_FAILED,
                            "cannot confine workers: other threads are running");
    for (size_t i = 0; i < G_N_ELEMENTS(layers); i++) {
        const char *why;

        if (layers[i].enter())
            continue;
        why = *layers[i].missing != '\0' ? layers[i].missing : g_strerror(errno);
        if (require) {
            g_set_error(error, BT_ERROR_SYSTEM, errno,
                        "cannot confine workers: %s: %s (use --sandbox=auto or off)",
                        layers[i].name, why);
            return false;
        }
        if (lacking != NULL)
            g_string_append_printf(lacking, "%s%s (%s)", lacking->len > 0 ? ", " : "",
                                   layers[i].name, why);
    }
    return true;
}

/* Bytes of addresses that the process has mapped; 0 where /proc cannot say. */
static uint64_t
count_addresses(void)
{
    g_autofree char *text = NULL;

    if (!g_file_get_contents("/proc/self/statm", &text, NULL, NULL))
        return 0;
    return g_ascii_strtoull(text, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

bool
bt_sandbox_enter(BtSandboxMode mode, uint64_t memory, uint64_t file_bytes, GString *lacking,
                 GError **error)
{
    uint64_t addresses = count_addresses() + memory + ADDRESSES_SPARE;

    signal(SIGXFSZ, SIG_IGN);
    if (!limit(RLIMIT_CORE, CORE_BYTES, error) || !limit(RLIMIT_NOFILE, DESCRIPTORS_MAX, error) ||
        !limit(RLIMIT_STACK, STACK_BYTES, error) ||
        (file_bytes > 0 && !limit(RLIMIT_FSIZE, file_bytes, error)) ||
        (memory > 0 && BT_SANDBOX_LIMITS_MEMORY &&
         (!limit(RLIMIT_DATA, memory, error) || !limit(RLIMIT_AS, addresses, error))))
        return false;
    return mode == BT_SANDBOX_OFF || enter_layers(mode == BT_SANDBOX_REQUIRE, lacking, error);
}

void
bt_sandbox_forget_environment(void)
{
    for (char **entry = environ; entry != NULL && *entry != NULL; entry++)
        explicit_bzero(*entry, strlen(*entry));
    clearenv();
}
