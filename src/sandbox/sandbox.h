/* SPDX-License-Identifier: MIT */
/*
 * A process that is about to decode hostile files locks itself in, for good: what it has open it
 * keeps, and nothing else can be had. Worker.
 *
 *   bt_sandbox_forget_environment();
 *   if (!bt_sandbox_enter(BT_SANDBOX_AUTO, memory, file_bytes, lacking, &error)) ...
 *
 * Afterwards it can read and write its open descriptors, receive further ones over a socket that it
 * has, use memory up to its limit, and start threads. Layers, each of which would do for most:
 *
 *   - rlimits: no core file, few descriptors, bounded memory, stack and files;
 *   - no capabilities, should root run the program: limits and the like cannot be moved back;
 *   - no_new_privs: no set-user-ID program gives anything back;
 *   - Landlock without a single rule: no file, folder or TCP port can be opened, no signal or
 *     abstract socket leaves the sandbox (as far as the kernel's version of Landlock goes);
 *   - seccomp: a list of the system calls that codecs use. Opening and looking up paths is answered
 *     with EACCES, since C libraries try that now and then (time zone, locale, memory settings) and
 *     live without; what no codec has a use for (execve, socket, ptrace, signals to others, seals,
 *     executable memory, memory that the limit does not count, calls of another ABI ...) kills the
 *     process. The fstat() of glibc before 2.39 looks up an empty path, and fails too: lseek()
 *     tells a size.
 *
 * What stays possible:
 *
 *   - to write anything into the target, up to the limit of files, and to send any message to the
 *     supervisor;
 *   - to map the target shared and read-only, then make the mapping writable with mprotect(), whose
 *     arguments do not show what is mapped. A memfd with such a mapping cannot be sealed against
 *     writing (EBUSY), so whoever seals it finds out;
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

/* Locks the calling process in, which must have one thread: those of before would stay free. In
 * every mode: memory is bytes of private writable memory that it may have from here on, what it has
 * included; file_bytes is the largest size of a file that it writes: beyond it a write fails with
 * EFBIG (SIGXFSZ is ignored). 0: no limit. A layer that is refused, by the kernel or by a filter
 * around this process, is left out in AUTO, and its name appended to lacking (NULL allowed)
 * with the reason: "seccomp filters (this build has none)". On failure (with REQUIRE
 * BT_ERROR_SYSTEM, and a sentence that names the layer and the cause) the process may be half
 * locked in and has to end. */
BT_MUST_CHECK bool bt_sandbox_enter(BtSandboxMode mode, uint64_t memory, uint64_t file_bytes,
                                    GString *lacking, GError **error);

/* Overwrites every byte of the environment's strings and empties it: secrets come that way, and a
 * worker that was taken over could read them. */
void bt_sandbox_forget_environment(void);

#endif
