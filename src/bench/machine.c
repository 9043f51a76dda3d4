/* SPDX-License-Identifier: MIT */
#include "bench/machine.h"

#include "base/limit.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

/* The text after "model name" in the first block of /proc/cpuinfo. */
static char *
read_processor(void)
{
    g_autofree char *text = NULL;
    const char *at, *end;

    if (!g_file_get_contents("/proc/cpuinfo", &text, NULL, NULL) ||
        (at = strstr(text, "model name")) == NULL || (at = strchr(at, ':')) == NULL ||
        (end = strchr(at, '\n')) == NULL)
        return g_strdup("unnamed processor");
    return g_strstrip(g_strndup(at + 1, (gsize)(end - at - 1)));
}

BtMachine
bt_machine_look(void)
{
    struct utsname name = {0};

    uname(&name);
    return (BtMachine){
        .processor = read_processor(),
        .system = g_strdup_printf("%s %s %s", name.sysname, name.release, name.machine),
        .n_processors = (int)sysconf(_SC_NPROCESSORS_ONLN),
        .n_usable = bt_limit_cpus(),
        .memory_bytes = bt_limit_memory(),
    };
}

void
bt_machine_clear(BtMachine *self)
{
    g_clear_pointer(&self->processor, g_free);
    g_clear_pointer(&self->system, g_free);
}

static double
used_by(int who)
{
    struct rusage usage;

    getrusage(who, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

BtMachineTime
bt_machine_time(void)
{
    g_autofree char *text = NULL;
    double user, nice, system, idle, wait, irq, soft_irq, stolen;
    double tick = 1.0 / (double)sysconf(_SC_CLK_TCK), busy;

    if (!g_file_get_contents("/proc/stat", &text, NULL, NULL) ||
        sscanf(text, "cpu %lf %lf %lf %lf %lf %lf %lf %lf", &user, &nice, &system, &idle, &wait,
               &irq, &soft_irq, &stolen) != 8)
        return (BtMachineTime){0};
    busy = user + nice + system + irq + soft_irq;
    return (BtMachineTime){
        .total = tick * (busy + idle + wait + stolen),
        .busy = tick * busy,
        .own = used_by(RUSAGE_SELF) + used_by(RUSAGE_CHILDREN),
        .stolen = tick * stolen,
    };
}
