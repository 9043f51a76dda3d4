/* SPDX-License-Identifier: MIT */
/*
 * A harness for one parser of hostile bytes. It is linked with libFuzzer, which makes up the bytes,
 * or with replay.c, which takes them from files.
 *
 * What must hold of any bytes is asserted; what must not happen is seen by the sanitizers.
 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Called any number of times. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#endif
