/* SPDX-License-Identifier: MIT */
/*
 * A process that is about to decode hostile files locks itself in, for good: what it has open it
 * keeps, and nothing else can be had. Worker.
 *
 *   if (!bt_sandbox_enter(BT_SANDBOX_AUTO, memory, &error)) ...    before anything is decoded
 *
 * Afterwards it can read and write its open descriptors, receive further ones over a socket that it
 * has, use memory up to its limit, and start threads. Layers, each of which would do for most:
 *
 *   - rlimits: no core file, few descriptors, bounded memory;
 *   - no capabilities, should root run the program: limits and the like cannot be moved back;
 *   - no_new_privs: no set-user-ID program gives anything back;
 *   - Landlock without a single rule: no file, folder or TCP port can be opened, no signal or
 *     abstract socket leaves the sandbox (as far as the kernel's version of Landlock goes);
 *   - seccomp: a list of the system calls that codecs use. Opening and looking up paths is answered
 *     with EACCES, since C libraries try that now and then (time zone, locale, memory settings) and
 *     live without; what no codec has a use for (execve, socket, ptrace, signals to others,
 *     executable memory, calls of another ABI ...) kills the process. The fstat() of glibc before
 *     2.39 looks up an empty path, and fails too: lseek() tells a size.
 *
 * What stays possible:
 *
 *   - to write anything into the target, as much as the disk takes, and to send any message to the
 *     supervisor, which gives no place to descriptors in it and believes nothing of it;
 *   - to use up a processor, and start threads, until the pool's time limit; its own signal
 *     handlers, priorities and CPU time, but nobody else's;
 *   - to learn the time, the machine's name, load and memory, and its own and its parent's PID.
 *
 * A build with AddressSanitizer has all layers but the limit of memory.
 *
 * Follows: OpenSSH's sandbox-seccomp-filter.c; landlock(7); seccomp_rule_add(3).
 */
#ifndef BT_SANDBOX_SANDBOX_H
#define BT_SANDBOX_SANDBOX_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

/* Whether this build keeps a limit of memory: AddressSanitizer takes terabytes at the start. */
#if defined __has_feature
#define BT_SANDBOX_LIMITS_MEMORY (!__has_feature(address_sanitizer))
#elif defined __SANITIZE_ADDRESS__
#define BT_SANDBOX_LIMITS_MEMORY 0
#else
#define BT_SANDBOX_LIMITS_MEMORY 1
#endif

typedef enum BtSandboxMode {
    BT_SANDBOX_OFF,     /* limits alone */
    BT_SANDBOX_AUTO,    /* as much as the kernel has */
    BT_SANDBOX_REQUIRE, /* all of it, or an error */
} BtSandboxMode;

/* What the running kernel lacks of the layers, as words for people: "Landlock", "seccomp filters",
 * "Landlock and seccomp filters"; NULL when it has all. Any process; no side effects. */
const char *bt_sandbox_lacking(void);

/* Locks the calling process in, which must have one thread: those of before would stay free.
 * memory: bytes of private writable
 * memory that it may have from here on, what it has included; 0: no limit. On failure (FAILED) the
 * process may be half locked in and has to end. */
BT_MUST_CHECK bool bt_sandbox_enter(BtSandboxMode mode, uint64_t memory, GError **error);

#endif
