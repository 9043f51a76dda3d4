/* SPDX-License-Identifier: MIT */
/*
 * The machine, and who else is busy on it. Supervisor.
 */
#ifndef BT_BENCH_MACHINE_H
#define BT_BENCH_MACHINE_H

#include <stdint.h>

typedef struct BtMachine {
    char *processor; /* the kernel's name of it; owned: bt_machine_clear() */
    char *system;    /* "Linux 6.1.0 x86_64" */
    int n_processors;
    int n_usable; /* of them by this process */
    uint64_t memory_bytes;
} BtMachine;

BtMachine bt_machine_look(void);
void bt_machine_clear(BtMachine *self);

/* Seconds of all processors since the start of the machine. */
typedef struct BtMachineTime {
    double total;
    double busy;   /* of anybody */
    double own;    /* of this process and the children it has reaped */
    double stolen; /* by the hypervisor */
} BtMachineTime;

/* All zero where /proc/stat cannot be read. */
BtMachineTime bt_machine_time(void);

#endif
