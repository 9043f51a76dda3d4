/* SPDX-License-Identifier: MIT */
/* Whole pictures, by each decoder: what is processed and what is only checked come to the same
 * verdict, within the same limits; and whether libvips is needed is known before. */
#include "base/fd.h"
#include "image/codecs.h"
#include "image/image.h"
#include "kernel/kernel.h"

#include <fcntl.h>
#include <malloc.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* One of each decoder: JPEG as planes and as pixels, PNG, and libvips. */
static const char *const sources[] = {"photos/balloons.jpg", "formats/rgb.jpg", "formats/rgb.png",
                                      "formats/lossy.webp"};

static BtFd
open_source(const char *name)
{
    g_autofree char *path = g_build_filename(g_getenv("BT_TESTDATA"), name, NULL);
    BtFd fd = open(path, O_RDONLY | O_CLOEXEC);

    g_assert_cmpint(fd, >=, 0);
    return fd;
}

static BtFd
new_file(void)
{
    BtFd fd = memfd_create("result", MFD_CLOEXEC);

    g_assert_cmpint(fd, >=, 0);
    return fd;
}

static BtImage *
new_image(uint64_t max_pixels)
{
    BtImageSettings settings = {
        .sigma = 15,
        .box_width = 1200,
        .box_height = 1200,
        .max_pixels = max_pixels,
        .level = bt_kernel_level(),
    };
    BtImage *image = bt_image_new(&settings);

    g_assert_nonnull(image);
    return image;
}

/* Both ways; out_outcome is that of the check. */
static void
assert_reason(int fd, uint64_t max_pixels, uint64_t memory, BtReason expected,
              BtOutcome *out_outcome)
{
    g_autoptr(BtImage) image = new_image(max_pixels);
    g_auto(BtFd) out = new_file();

    bt_image_process(image, fd, false, out, BT_FORMAT_JPEG, memory, 1, out_outcome);
    g_assert_cmpstr(bt_reason_name(out_outcome->reason), ==, bt_reason_name(expected));
    bt_image_check(image, fd, memory, out_outcome);
    g_assert_cmpstr(bt_reason_name(out_outcome->reason), ==, bt_reason_name(expected));
}

static void
test_limits(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(sources); i++) {
        g_auto(BtFd) fd = open_source(sources[i]);
        BtOutcome outcome;
        uint64_t px, memory;

        assert_reason(fd, G_MAXUINT64, 0, BT_REASON_OK, &outcome);
        g_assert_cmpint(outcome.n_pages, ==, 1);
        g_assert_cmpint(outcome.out_width, ==, outcome.source_width);
        px = (uint64_t)outcome.source_width * (uint64_t)outcome.source_height;
        memory = outcome.memory;
        assert_reason(fd, px, 0, BT_REASON_OK, &outcome);
        assert_reason(fd, px - 1, 0, BT_REASON_TOO_LARGE, &outcome);
        assert_reason(fd, px, memory - 1, BT_REASON_HEAVY, &outcome);
        g_assert_cmpuint(outcome.memory, ==, memory);
    }
}

/* A result is checked by what it is made into, and has the size that it was said to have. */
static void
test_result(void)
{
    static const BtFormat formats[] = {BT_FORMAT_JPEG, BT_FORMAT_PNG, BT_FORMAT_WEBP};
    g_autoptr(BtImage) image = new_image(G_MAXUINT64);

    for (size_t i = 0; i < G_N_ELEMENTS(sources) * G_N_ELEMENTS(formats); i++) {
        g_auto(BtFd) fd = open_source(sources[i / G_N_ELEMENTS(formats)]), out = new_file();
        BtFormat format = formats[i % G_N_ELEMENTS(formats)];
        BtOutcome made, checked;

        bt_image_process(image, fd, false, out, format, 0, 1, &made);
        bt_image_check(image, out, 0, &checked);
        g_assert_cmpint(made.format, ==, format);
        g_assert_cmpint(checked.format, ==, format);
        g_assert_cmpint(checked.source_width, ==, made.out_width);
        g_assert_cmpint(checked.out_height, ==, made.out_height);
    }
}

static bool
needs_vips(const char *name, BtFormat format)
{
    g_auto(BtFd) fd = open_source(name);

    return bt_image_needs_vips(fd, false, format);
}

static void
test_needs_vips(void)
{
    static const char *const without[] = {"formats/rgb.jpg", "formats/grey.jpeg", "formats/p3.jpg",
                                          "photos/balloons.jpg"};
    static const char *const with[] = {"formats/cmyk.jpg", "formats/interlaced.png",
                                       "formats/lossy.webp", "formats/rgb.ppm", "broken/text.jpg"};

    for (size_t i = 0; i < G_N_ELEMENTS(without); i++) {
        g_assert_false(needs_vips(without[i], BT_FORMAT_JPEG));
        g_assert_true(needs_vips(without[i], BT_FORMAT_WEBP));
    }
    for (size_t i = 0; i < G_N_ELEMENTS(with); i++)
        g_assert_true(needs_vips(with[i], BT_FORMAT_JPEG));
    g_assert_true(needs_vips("broken/png_called.jpg", BT_FORMAT_JPEG) ==
                  needs_vips("formats/palette.png", BT_FORMAT_NONE)); /* not without ISA-L */
    g_assert_false(needs_vips("broken/empty.jpg", BT_FORMAT_JPEG));
    g_assert_true(needs_vips("broken/cut10.jpg", BT_FORMAT_GIF));
}

/* No picture that was said to need no libvips meets its lack: this process has not loaded it. */
static void
test_said_in_time(void)
{
    static const char *const folders[] = {"formats", "broken", "orientation", "sizes"};
    static const BtFormat formats[] = {BT_FORMAT_NONE, BT_FORMAT_JPEG, BT_FORMAT_PNG};
    g_autoptr(BtImage) image = new_image(1000000000);

    g_assert_null(bt_codecs_loaded());
    for (size_t i = 0; i < G_N_ELEMENTS(folders) * G_N_ELEMENTS(formats); i++) {
        const char *folder = folders[i / G_N_ELEMENTS(formats)];
        g_autofree char *path = g_build_filename(g_getenv("BT_TESTDATA"), folder, NULL);
        g_autoptr(GDir) files = g_dir_open(path, 0, NULL);

        for (const char *file; (file = g_dir_read_name(files)) != NULL;) {
            g_autofree char *name = g_build_filename(folder, file, NULL);
            g_auto(BtFd) fd = open_source(name), out = new_file();
            BtFormat format = formats[i % G_N_ELEMENTS(formats)];
            BtOutcome outcome;

            bt_image_process(image, fd, false, out, format, 0, 1, &outcome);
            if (!bt_image_needs_vips(fd, false, format))
                g_assert_true(outcome.reason == BT_REASON_EMPTY || *outcome.loader != '\0');
        }
    }
}

/* A WebP of 4000 x 4000 px, whose decoder holds them all. */
static BtFd
make_large(void)
{
    const BtCodecs *codecs = bt_codecs_loaded();
    BtMetadata none = {0};
    BtRaster raster = {0};
    BtOutcome outcome = {0};
    BtFd fd = new_file();
    g_autoptr(GBytes) bytes = NULL;

    g_assert_true(bt_raster_reshape(&raster, 4000, 4000, 3, false));
    memset(raster.pixels, 0, bt_raster_size(&raster));
    bytes = codecs->encode(&raster, BT_FORMAT_WEBP, 10, &none, &outcome);
    g_assert_nonnull(bytes);
    bt_raster_clear(&raster);
    g_assert_cmpint(write(fd, g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes)), ==,
                    g_bytes_get_size(bytes));
    return fd;
}

/* From here on there is little memory beyond what the process has. */
static void
limit_memory(void)
{
    struct rlimit limit;
    g_autofree char *status = NULL;
    const char *data;

    g_assert_true(g_file_get_contents("/proc/self/status", &status, NULL, NULL));
    data = strstr(status, "VmData:");
    g_assert_nonnull(data);
    g_assert_cmpint(getrlimit(RLIMIT_DATA, &limit), ==, 0);
    limit.rlim_cur = 1024 * g_ascii_strtoull(data + strlen("VmData:"), NULL, 10) + (10 << 20);
    g_assert_cmpint(setrlimit(RLIMIT_DATA, &limit), ==, 0);
}

/* It is said to be short, and nothing is said of the file. */
static void
test_memory(void)
{
#ifdef __SANITIZE_ADDRESS__
    g_test_skip("AddressSanitizer has memory of its own");
#else
    pid_t child = fork();
    int status;

    if (child == 0) {
        g_autoptr(BtImage) image = new_image(G_MAXUINT64);
        g_auto(BtFd) fd = make_large(), out = new_file();
        BtOutcome outcome;

        g_log_set_always_fatal(G_LOG_FATAL_MASK); /* libvips warns of it */
        malloc_trim(0);
        limit_memory();
        bt_image_process(image, fd, false, out, BT_FORMAT_JPEG, 0, 1, &outcome);
        g_assert_cmpstr(bt_reason_name(outcome.reason), ==, "memory");
        g_assert_true(g_str_has_prefix(outcome.sentence, "not enough memory"));
        _exit(0);
    }
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_cmpint(status, ==, 0);
#endif
}

static void
prepare(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(bt_codecs_load(&error));
    g_assert_no_error(error);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/image/needs-vips", test_needs_vips);
    g_test_add_func("/image/said-in-time", test_said_in_time);
    g_test_add_func("/image/prepare", prepare);
    g_test_add_func("/image/memory", test_memory);
    g_test_add_func("/image/limits", test_limits);
    g_test_add_func("/image/result", test_result);
    return g_test_run();
}
