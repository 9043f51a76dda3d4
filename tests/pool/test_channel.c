/* SPDX-License-Identifier: MIT */
#include "fixture.h"
#include "pool/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define RAW_BYTES_MAX (BT_FRAME_BYTES_MAX + 64)

typedef struct Pair {
    BtFd supervisor_fd, worker_fd;
} Pair;

static void
pair_clear(Pair *self)
{
    bt_fd_clear(&self->supervisor_fd);
    bt_fd_clear(&self->worker_fd);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Pair, pair_clear)

static Pair
make_pair(void)
{
    Pair pair = {-1, -1};
    GError *error = NULL;

    g_assert_true(bt_channel_pair(&pair.supervisor_fd, &pair.worker_fd, &error));
    g_assert_no_error(error);
    return pair;
}

static unsigned char buffer[BT_FRAME_BYTES_MAX];

static BtChannelState
receive(int fd, BtFrameKind kind, BtFrame *out_frame)
{
    return bt_channel_receive(fd, kind, false, buffer, out_frame);
}

static void
test_bytes(void)
{
    static const size_t sizes[] = {0, 1, 23, 24, 25, 4096, BT_FRAME_BYTES_MAX};
    static const BtFrameKind kinds[] = {BT_FRAME_TASK, BT_FRAME_READY, BT_FRAME_REPLY};
    g_auto(Pair) pair = make_pair();
    g_autofree unsigned char *bytes = g_malloc(BT_FRAME_BYTES_MAX);

    for (size_t i = 0; i < BT_FRAME_BYTES_MAX; i++)
        bytes[i] = (unsigned char)(i * 31 + i / 256);
    for (size_t k = 0; k < G_N_ELEMENTS(kinds); k++) {
        for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
            BtFrame sent = {.kind = kinds[k],
                            .id = UINT64_MAX - i,
                            .attempt = 3,
                            .bytes = bytes,
                            .size = sizes[i]};
            BtFrame got;

            g_assert_cmpint(bt_channel_send(pair.worker_fd, &sent, false), ==, BT_CHANNEL_OK);
            g_assert_cmpint(receive(pair.supervisor_fd, kinds[k], &got), ==, BT_CHANNEL_OK);
            g_assert_cmpint(got.kind, ==, kinds[k]);
            g_assert_cmpuint(got.id, ==, UINT64_MAX - i);
            g_assert_cmpint(got.attempt, ==, 3);
            g_assert_cmpint(got.n_fds, ==, 0);
            g_assert_cmpmem(got.bytes, got.size, bytes, sizes[i]);
        }
    }
}

static void
test_descriptors(void)
{
    for (int n = 1; n <= BT_FRAME_FDS_MAX; n++) {
        g_auto(Pair) pair = make_pair();
        int n_before = count_fds();
        int ends[2];
        BtFrame sent = {.kind = BT_FRAME_TASK, .id = 1, .attempt = 1, .n_fds = n}, got;
        char text[BT_FRAME_FDS_MAX + 1] = "";

        g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
        for (int i = 0; i < n; i++)
            sent.fds[i] = ends[1];
        g_assert_cmpint(bt_channel_send(pair.supervisor_fd, &sent, false), ==, BT_CHANNEL_OK);
        close(ends[1]);
        g_assert_cmpint(receive(pair.worker_fd, BT_FRAME_TASK, &got), ==, BT_CHANNEL_OK);
        g_assert_cmpint(got.n_fds, ==, n);
        for (int i = 0; i < n; i++) {
            g_assert_cmpint(fcntl(got.fds[i], F_GETFD) & FD_CLOEXEC, !=, 0);
            g_assert_cmpint(write(got.fds[i], &"abcd"[i], 1), ==, 1);
            close(got.fds[i]);
        }
        g_assert_cmpint(read(ends[0], text, sizeof text), ==, n);
        g_assert_cmpmem(text, n, "abcd", n);
        g_assert_cmpint(read(ends[0], text, 1), ==, 0); /* nobody holds the other end */
        close(ends[0]);
        g_assert_cmpint(count_fds(), ==, n_before);
    }
}

static void
test_empty_full_closed(void)
{
    g_auto(Pair) pair = make_pair();
    BtFrame frame = {.kind = BT_FRAME_REPLY, .id = 1}, got;
    BtChannelState state;
    uint64_t n = 0;

    g_assert_cmpint(receive(pair.supervisor_fd, BT_FRAME_REPLY, &got), ==, BT_CHANNEL_EMPTY);
    while ((state = bt_channel_send(pair.worker_fd, &frame, false)) == BT_CHANNEL_OK && n < 100000)
        frame.id = ++n + 1;
    g_assert_cmpint(state, ==, BT_CHANNEL_EMPTY);

    /* What was sent before closing comes first. */
    bt_fd_clear(&pair.worker_fd);
    for (uint64_t i = 1; i <= n; i++) {
        g_assert_cmpint(receive(pair.supervisor_fd, BT_FRAME_REPLY, &got), ==, BT_CHANNEL_OK);
        g_assert_cmpuint(got.id, ==, i);
    }
    g_assert_cmpint(receive(pair.supervisor_fd, BT_FRAME_REPLY, &got), ==, BT_CHANNEL_CLOSED);
    /* No SIGPIPE. */
    g_assert_cmpint(bt_channel_send(pair.supervisor_fd, &frame, false), ==, BT_CHANNEL_CLOSED);
    g_assert_cmpint(bt_channel_send(pair.supervisor_fd, &frame, true), ==, BT_CHANNEL_CLOSED);
}

/* The other side closes with something unread: said once, and what it had sent is not lost. */
static void
test_reset(void)
{
    g_auto(Pair) pair = make_pair();
    BtFrame task = {.kind = BT_FRAME_TASK, .id = 8, .attempt = 1};
    BtFrame reply = {.kind = BT_FRAME_REPLY, .id = 7}, got;

    g_assert_cmpint(bt_channel_send(pair.worker_fd, &reply, false), ==, BT_CHANNEL_OK);
    g_assert_cmpint(bt_channel_send(pair.supervisor_fd, &task, false), ==, BT_CHANNEL_OK);
    bt_fd_clear(&pair.worker_fd);
    g_assert_cmpint(receive(pair.supervisor_fd, BT_FRAME_REPLY, &got), ==, BT_CHANNEL_RESET);
    g_assert_cmpint(receive(pair.supervisor_fd, BT_FRAME_REPLY, &got), ==, BT_CHANNEL_OK);
    g_assert_cmpuint(got.id, ==, 7);
    g_assert_cmpint(receive(pair.supervisor_fd, BT_FRAME_REPLY, &got), ==, BT_CHANNEL_CLOSED);
}

/* The bytes of frame on the wire. */
static size_t
make_raw(const BtFrame *frame, unsigned char *raw)
{
    g_auto(Pair) pair = make_pair();
    ssize_t n;

    g_assert_cmpint(bt_channel_send(pair.worker_fd, frame, false), ==, BT_CHANNEL_OK);
    n = recv(pair.supervisor_fd, raw, RAW_BYTES_MAX, MSG_DONTWAIT);
    g_assert_cmpint(n, >=, 0);
    return (size_t)n;
}

/* Sends raw bytes, and after them a good frame: the first is what is judged, and must not harm the
 * second. */
static BtChannelState
judge(const unsigned char *raw, size_t size, BtFrameKind expected)
{
    g_auto(Pair) pair = make_pair();
    BtFrame good = {.kind = expected, .id = 99}, got = {0};
    BtChannelState state;

    g_assert_cmpint(send(pair.worker_fd, raw, size, 0), ==, size);
    g_assert_cmpint(bt_channel_send(pair.worker_fd, &good, false), ==, BT_CHANNEL_OK);
    state = receive(pair.supervisor_fd, expected, &got);
    if (state != BT_CHANNEL_OK)
        g_assert_cmpuint(got.id, ==, 0);
    g_assert_cmpint(receive(pair.supervisor_fd, expected, &got), ==, BT_CHANNEL_OK);
    g_assert_cmpuint(got.id, ==, 99);
    return state;
}

/* It comes in place of READY, and of nothing else. */
static void
test_unfit(void)
{
    static const BtFrameKind kinds[] = {BT_FRAME_TASK, BT_FRAME_READY, BT_FRAME_REPLY,
                                        BT_FRAME_UNFIT};

    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        bool good = kinds[i] == BT_FRAME_READY || kinds[i] == BT_FRAME_UNFIT;
        g_auto(Pair) pair = make_pair();
        BtFrame unfit = {.kind = BT_FRAME_UNFIT, .bytes = "no", .size = 2}, got = {0};

        g_assert_cmpint(bt_channel_send(pair.worker_fd, &unfit, false), ==, BT_CHANNEL_OK);
        g_assert_cmpint(receive(pair.supervisor_fd, kinds[i], &got), ==,
                        good ? BT_CHANNEL_OK : BT_CHANNEL_NONSENSE);
        g_assert_cmpint(got.kind, ==, good ? BT_FRAME_UNFIT : 0);
    }
}

static void
test_nonsense(void)
{
    g_autofree unsigned char *raw = g_malloc0(RAW_BYTES_MAX);
    BtFrame frame = {.kind = BT_FRAME_REPLY, .id = 1, .bytes = "payload", .size = 7};
    size_t size = make_raw(&frame, raw);

    g_assert_cmpint(judge(raw, size, BT_FRAME_REPLY), ==, BT_CHANNEL_OK);
    for (size_t n = 1; n < RAW_BYTES_MAX; n += n < 2 * size ? 1 : 1021)
        if (n != size)
            g_assert_cmpint(judge(raw, n, BT_FRAME_REPLY), ==, BT_CHANNEL_NONSENSE);
    g_assert_cmpint(judge(raw, RAW_BYTES_MAX, BT_FRAME_REPLY), ==, BT_CHANNEL_NONSENSE);
    g_assert_cmpint(judge(raw, size, BT_FRAME_TASK), ==, BT_CHANNEL_NONSENSE);
    g_assert_cmpint(judge(raw, size, BT_FRAME_READY), ==, BT_CHANNEL_NONSENSE);
}

/* Changing any bit of a frame changes what is received, or makes it nonsense; never both the same
 * frame and a good one. */
static void
test_every_bit_counts(void)
{
    g_autofree unsigned char *raw = g_malloc(RAW_BYTES_MAX);
    BtFrame frame = {.kind = BT_FRAME_REPLY, .id = 5, .attempt = 1, .bytes = "xyz", .size = 3};
    size_t size = make_raw(&frame, raw);

    for (size_t bit = 0; bit < 8 * size; bit++) {
        g_auto(Pair) pair = make_pair();
        BtFrame got;
        BtChannelState state;

        raw[bit / 8] ^= (unsigned char)(1U << (bit % 8));
        g_assert_cmpint(send(pair.worker_fd, raw, size, 0), ==, size);
        raw[bit / 8] ^= (unsigned char)(1U << (bit % 8));
        state = receive(pair.supervisor_fd, BT_FRAME_REPLY, &got);
        if (state == BT_CHANNEL_OK)
            g_assert_true(got.id != 5 || got.attempt != 1 || memcmp(got.bytes, "xyz", 3) != 0);
        else
            g_assert_cmpint(state, ==, BT_CHANNEL_NONSENSE);
    }
}

/* Descriptors that come with anything but a task, or with a broken one, do not stay open. */
static void
test_unwanted_descriptors(void)
{
    g_auto(Pair) pair = make_pair();
    BtFrame reply = {.kind = BT_FRAME_REPLY, .id = 1, .fds = {0, 1, 2, 0}, .n_fds = 4}, got;
    int n_fds = count_fds();

    g_assert_cmpint(bt_channel_send(pair.worker_fd, &reply, false), ==, BT_CHANNEL_OK);
    g_assert_cmpint(receive(pair.supervisor_fd, BT_FRAME_REPLY, &got), ==, BT_CHANNEL_NONSENSE);
    g_assert_cmpint(count_fds(), ==, n_fds);
    g_assert_cmpint(bt_channel_send(pair.worker_fd, &reply, false), ==, BT_CHANNEL_OK);
    g_assert_cmpint(receive(pair.supervisor_fd, BT_FRAME_TASK, &got), ==, BT_CHANNEL_NONSENSE);
    g_assert_cmpint(count_fds(), ==, n_fds);
}

/* More descriptors than a frame may have. */
static void
test_too_many_descriptors(void)
{
    g_auto(Pair) pair = make_pair();
    union {
        struct cmsghdr header;
        unsigned char bytes[CMSG_SPACE((BT_FRAME_FDS_MAX + 1) * sizeof(int))];
    } control = {.header = {.cmsg_level = SOL_SOCKET,
                            .cmsg_type = SCM_RIGHTS,
                            .cmsg_len = CMSG_LEN((BT_FRAME_FDS_MAX + 1) * sizeof(int))}};
    g_autofree unsigned char *raw = g_malloc(RAW_BYTES_MAX);
    BtFrame frame = {.kind = BT_FRAME_TASK, .id = 1, .attempt = 1}, got;
    struct iovec part = {.iov_base = raw, .iov_len = make_raw(&frame, raw)};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    int n_fds = count_fds();

    memset(CMSG_DATA(&control.header), 0, (BT_FRAME_FDS_MAX + 1) * sizeof(int));
    g_assert_cmpint(sendmsg(pair.worker_fd, &message, 0), ==, part.iov_len);
    g_assert_cmpint(receive(pair.supervisor_fd, BT_FRAME_TASK, &got), ==, BT_CHANNEL_NONSENSE);
    g_assert_cmpint(count_fds(), ==, n_fds);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/channel/bytes", test_bytes);
    g_test_add_func("/channel/descriptors", test_descriptors);
    g_test_add_func("/channel/empty-full-closed", test_empty_full_closed);
    g_test_add_func("/channel/reset", test_reset);
    g_test_add_func("/channel/unfit", test_unfit);
    g_test_add_func("/channel/nonsense", test_nonsense);
    g_test_add_func("/channel/every-bit-counts", test_every_bit_counts);
    g_test_add_func("/channel/unwanted-descriptors", test_unwanted_descriptors);
    g_test_add_func("/channel/too-many-descriptors", test_too_many_descriptors);
    return g_test_run();
}
