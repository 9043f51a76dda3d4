/* SPDX-License-Identifier: MIT */
/* Answers that are not true, and workers that do not answer. */
#include "hostile.h"

#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char escapes[] =
    "\x1b]0;owned\x07\x1b[31m\x9b\x32J\xc2\x9b\x32J\xff\xfe\r\nblurthumb: "
    "fine <script>\xe2\x80\xae";

static void
answer_format(Turn *turn)
{
    turn->outcome.format = (BtFormat)turn->number;
}

static void
answer_reason(Turn *turn)
{
    turn->outcome.reason = (BtReason)turn->number;
    strcpy(turn->outcome.sentence, "unasked");
}

static void
answer_heavy(Turn *turn)
{
    hostile_say(turn, "heavy");
    turn->outcome.reason = BT_REASON_HEAVY;
    turn->outcome.memory = turn->number;
}

static void
answer_source(Turn *turn)
{
    turn->outcome.source_width = turn->outcome.source_height = (int32_t)turn->number;
}

static void
answer_out(Turn *turn)
{
    turn->outcome.out_width = turn->outcome.out_height = (int32_t)turn->number;
}

static void
answer_shrink(Turn *turn)
{
    turn->outcome.shrink = (int32_t)turn->number;
}

static void
answer_pages(Turn *turn)
{
    turn->outcome.n_pages = (int32_t)turn->number;
}

static void
answer_decode(Turn *turn)
{
    turn->outcome.decode_ns = turn->number;
}

static void
answer_kernel(Turn *turn)
{
    turn->outcome.kernel_ns = turn->number;
}

static void
answer_encode(Turn *turn)
{
    turn->outcome.encode_ns = turn->number;
}

static void
answer_memory(Turn *turn)
{
    turn->outcome.memory = turn->number;
}

static void
answer_loader(Turn *turn)
{
    memset(turn->outcome.loader, 'x', sizeof turn->outcome.loader);
}

static void
answer_sentence(Turn *turn)
{
    memset(turn->outcome.sentence, 'x', sizeof turn->outcome.sentence);
}

static void
answer_escapes(Turn *turn)
{
    if (turn->number == 0)
        hostile_say(turn, "%s", escapes);
    memcpy(turn->outcome.loader, escapes, sizeof turn->outcome.loader - 1);
}

static void
answer_size(Turn *turn)
{
    turn->size = (size_t)turn->number;
}

static void
answer_zeros(Turn *turn)
{
    memset(&turn->outcome, 0, sizeof turn->outcome);
}

static void
answer_ones(Turn *turn)
{
    memset(&turn->outcome, 0xff, sizeof turn->outcome);
}

static void
take_over(Turn *turn)
{
    turn->self->spoils = true;
}

static void
sleep_long(Turn *turn)
{
    struct timespec left = {.tv_sec = (time_t)turn->number / 1000,
                            .tv_nsec = (long)(turn->number % 1000) * 1000000};

    nanosleep(&left, NULL);
}

static void
stop_itself(Turn *turn)
{
    (void)turn;
    raise(SIGSTOP);
}

static void
leave(Turn *turn)
{
    _exit((int)turn->number);
}

static void
crash(Turn *turn)
{
    raise((int)turn->number);
}

/* Deaf to all that can be ignored. */
static void
spin(Turn *turn)
{
    (void)turn;
    for (int i = 1; i < 32; i++)
        signal(i, SIG_IGN);
    for (;;)
        (void)getpid();
}

const Attack hostile_answers[] = {
    {"format", answer_format, false},
    {"reason", answer_reason, false},
    {"heavy", answer_heavy, false},
    {"source", answer_source, false},
    {"out", answer_out, false},
    {"shrink", answer_shrink, false},
    {"pages", answer_pages, false},
    {"decode", answer_decode, false},
    {"kernel", answer_kernel, false},
    {"encode", answer_encode, false},
    {"memory", answer_memory, false},
    {"loader", answer_loader, false},
    {"sentence", answer_sentence, false},
    {"escapes", answer_escapes, false},
    {"size", answer_size, false},
    {"zeros", answer_zeros, true},
    {"ones", answer_ones, true},
    {"take-over", take_over, false},
    {"sleep", sleep_long, false},
    {"stop", stop_itself, false},
    {"exit", leave, false},
    {"crash", crash, false},
    {"spin", spin, true},
    {NULL, NULL, false},
};
