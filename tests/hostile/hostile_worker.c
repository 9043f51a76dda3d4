/* SPDX-License-Identifier: MIT */
#include "hostile.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ORDER_BYTES 65536 /* of a picture, in which an order is looked for */
#define ORDER       "hostile:"

void *__real_bt_worker_start(void *data, GString *notice, GError **error);
size_t __real_bt_worker_serve(void *state, const BtTaskView *task, void *reply);
void *__wrap_bt_worker_start(void *data, GString *notice, GError **error);
size_t __wrap_bt_worker_serve(void *state, const BtTaskView *task, void *reply);

static Hostile hostile;

void
hostile_say(Turn *turn, const char *format, ...)
{
    char text[400];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    turn->outcome = (BtOutcome){0};
    bt_outcome_fail(&turn->outcome, BT_REASON_BROKEN, "tried: %s", text);
}

static void
find_channel(void)
{
    for (int fd = STDERR_FILENO + 1; fd < 1024; fd++) {
        int type;
        socklen_t size = sizeof type;

        if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET)
            hostile.channel_fd = fd;
    }
}

static void
find_memory(void)
{
    FILE *file = fopen("/proc/self/maps", "re");
    char line[512];

    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        unsigned long begin, end;

        if (strstr(line, " rw") != NULL && hostile.n_regions < HOSTILE_REGIONS_MAX &&
            sscanf(line, "%lx-%lx", &begin, &end) == 2) {
            hostile.regions[hostile.n_regions].begin = begin;
            hostile.regions[hostile.n_regions++].end = end;
        }
    }
    if (file != NULL)
        fclose(file);
}

/* So that this copy is not what is found later. */
static void
mask_secret(void)
{
    const char *secret = getenv("BT_HOSTILE_SECRET");

    if (secret == NULL)
        return;
    hostile.secret_size = MIN(strlen(secret), sizeof hostile.secret);
    for (size_t i = 0; i < hostile.secret_size; i++)
        hostile.secret[i] = (unsigned char)secret[i] ^ HOSTILE_MASK;
}

void *
__wrap_bt_worker_start(void *data, GString *notice, GError **error)
{
    find_channel();
    find_memory();
    mask_secret();
    return __real_bt_worker_start(data, notice, error);
}

static const Attack *
find_attack(const char *name, size_t size)
{
    static const Attack *const tables[] = {hostile_answers, hostile_files, hostile_memory,
                                           hostile_calls, hostile_frames};

    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++)
        for (const Attack *attack = tables[i]; attack->name != NULL; attack++)
            if (strlen(attack->name) == size && memcmp(attack->name, name, size) == 0)
                return attack;
    return NULL;
}

/* The order in a picture; NULL where there is none, or one that nobody knows. */
static const Attack *
read_order(int fd, uint64_t *out_number)
{
    g_autofree char *bytes = g_malloc0(ORDER_BYTES + 1);
    ssize_t n = pread(fd, bytes, ORDER_BYTES, 0);
    char *order = n > 0 ? memmem(bytes, (size_t)n, ORDER, strlen(ORDER)) : NULL, *end;

    if (order == NULL || (end = strchr(order += strlen(ORDER), ':')) == NULL)
        return NULL;
    *out_number = strtoull(end + 1, NULL, 0);
    return find_attack(order, (size_t)(end - order));
}

static void
spoil(Turn *turn)
{
    static const char text[] = "spoiled";

    if (ftruncate(turn->task->fds[1], 0) != 0 ||
        pwrite(turn->task->fds[1], text, strlen(text), 0) < 0)
        hostile_say(turn, "spoil: %s", g_strerror(errno));
}

size_t
__wrap_bt_worker_serve(void *state, const BtTaskView *task, void *reply)
{
    uint64_t number = 0;
    const Attack *attack = read_order(task->fds[0], &number);
    Turn turn = {.self = &hostile, .task = task, .state = state, .number = number};

    turn.size = sizeof turn.outcome;
    hostile.id = task->id;
    if (attack != NULL && attack->first)
        attack->attack(&turn);
    else
        turn.size = __real_bt_worker_serve(state, task, &turn.outcome);
    if (attack != NULL && !attack->first)
        attack->attack(&turn);
    else if (attack == NULL && hostile.spoils && task->n_fds == 2)
        spoil(&turn);
    memset(reply, 0, MAX(turn.size, sizeof turn.outcome));
    memcpy(reply, &turn.outcome, sizeof turn.outcome);
    return turn.size;
}
