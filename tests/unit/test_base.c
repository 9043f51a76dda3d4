/* SPDX-License-Identifier: MIT */
/* Errors, descriptors, formats, and text for people. */
#include "base/error.h"
#include "base/fd.h"
#include "base/format.h"
#include "base/human.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static void
test_error(void)
{
    g_autoptr(GError) own = NULL, system = NULL;

    g_assert_false(bt_error_set(&own, BT_ERROR_TAKEN, "%s is taken", "a\nb"));
    g_assert_error(own, BT_ERROR, BT_ERROR_TAKEN);
    g_assert_cmpstr(own->message, ==, "a\nb is taken");
    g_assert_false(bt_error_set_system(&system, ENOSPC, "disk %d", 7));
    g_assert_error(system, BT_ERROR_SYSTEM, ENOSPC);
    g_assert_true(g_str_has_prefix(system->message, "disk 7: "));
    g_assert_cmpstr(system->message + strlen("disk 7: "), ==, g_strerror(ENOSPC));
    g_assert_false(bt_error_set(NULL, BT_ERROR_FAILED, "nobody asks"));
    g_assert_false(bt_error_set_system(NULL, ENOENT, "nobody asks"));
}

static void
test_fd(void)
{
    BtFd fd = open("/dev/null", O_RDONLY | O_CLOEXEC), taken;
    int number = fd;

    g_assert_cmpint(fd, >=, 0);
    taken = g_steal_fd(&fd);
    g_assert_cmpint(fd, ==, -1);
    g_assert_cmpint(taken, ==, number);
    bt_fd_clear(&fd);
    g_assert_cmpint(fcntl(taken, F_GETFD), >=, 0);
    errno = EILSEQ;
    bt_fd_clear(&taken);
    g_assert_cmpint(errno, ==, EILSEQ);
    g_assert_cmpint(taken, ==, -1);
    g_assert_cmpint(bt_fd_read_at(taken, &number, 1, 0), ==, -1); /* and is not tried again */
    g_assert_cmpint(fcntl(number, F_GETFD), ==, -1);
    {
        g_auto(BtFd) scoped = open("/dev/null", O_RDONLY | O_CLOEXEC);

        number = scoped;
        g_assert_cmpint(number, >=, 0);
    }
    g_assert_cmpint(fcntl(number, F_GETFD), ==, -1);
}

static void
test_format_names(void)
{
    for (BtFormat format = BT_FORMAT_JPEG; format < BT_FORMAT_RAW; format++) /* which has many */
        g_assert_cmpint(bt_format_of_name(bt_format_name(format)), ==, format);
    g_assert_cmpint(bt_format_of_name("none"), ==, BT_FORMAT_NONE);
    g_assert_cmpint(bt_format_of_name(""), ==, BT_FORMAT_NONE);
    g_assert_cmpint(bt_format_of_name("j"), ==, BT_FORMAT_NONE);
    g_assert_cmpint(bt_format_of_name("jpg jpeg"), ==, BT_FORMAT_NONE);
    g_assert_cmpint(bt_format_of_name("JPEG"), ==, BT_FORMAT_JPEG);
    g_assert_cmpint(bt_format_of_name("heif"), ==, BT_FORMAT_HEIC);
    g_assert_cmpstr(bt_format_name(BT_FORMAT_COUNT), ==, "none");
    g_assert_false(bt_format_is_trusted(BT_FORMAT_NONE));
    g_assert_true(bt_format_is_trusted(BT_FORMAT_JPEG));
}

static void
test_format_extensions(void)
{
    static const struct {
        const char *name;
        BtFormat format;
    } cases[] = {
        {"a.jpg", BT_FORMAT_JPEG},    {"a.JPEG", BT_FORMAT_JPEG},    {"a.b.PnG", BT_FORMAT_PNG},
        {"\xff.tif", BT_FORMAT_TIFF}, {"a.jpg.txt", BT_FORMAT_NONE}, {"jpg", BT_FORMAT_NONE},
        {"a.", BT_FORMAT_NONE},       {"a.jp", BT_FORMAT_NONE},      {"a.jpgx", BT_FORMAT_NONE},
        {"a.jpg/b", BT_FORMAT_NONE},  {"a/b.jxl", BT_FORMAT_JXL},    {"", BT_FORMAT_NONE},
        {"a. ", BT_FORMAT_NONE},      {"a.jpg ", BT_FORMAT_NONE},    {"a.jpg jpeg", BT_FORMAT_NONE},
        {"a.jpg]", BT_FORMAT_NONE},   {".jpg", BT_FORMAT_JPEG},      {"a.hif", BT_FORMAT_HEIC},
        {"a.CR2", BT_FORMAT_RAW},     {"a.dng", BT_FORMAT_RAW},      {"a.raf", BT_FORMAT_RAW},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpint(bt_format_of_extension(cases[i].name), ==, cases[i].format);
}

/* Every prefix of a magic number lies in its own heap block: a read past it is seen by the
 * sanitizers, and only the whole of it decides. */
static void
test_format_bytes(void)
{
    static const struct {
        BtFormat format;
        size_t size;
        const char *bytes;
    } cases[] = {
        {BT_FORMAT_JPEG, 3, "\xff\xd8\xff"},
        {BT_FORMAT_PNG, 8, "\x89PNG\r\n\x1a\n"},
        {BT_FORMAT_GIF, 6, "GIF89a"},
        {BT_FORMAT_TIFF, 4, "II*\0"},
        {BT_FORMAT_TIFF, 4, "MM\0*"},
        {BT_FORMAT_RAW, 4, "IIRO"},
        {BT_FORMAT_RAW, 4, "IIU\0"},
        {BT_FORMAT_RAW, 12,
         "\0\0\0\x18"
         "ftypcrx "},
        {BT_FORMAT_RAW, 16, "FUJIFILMCCD-RAW "},
        {BT_FORMAT_WEBP, 12, "RIFF\x10\0\0\0WEBP"},
        {BT_FORMAT_AVIF, 12,
         "\0\0\0\x20"
         "ftypavif"},
        {BT_FORMAT_HEIC, 12,
         "\0\0\0\x20"
         "ftypheic"},
        {BT_FORMAT_JXL, 12, "\0\0\0\x0cJXL \r\n\x87\n"},
        {BT_FORMAT_JP2, 4, "\xff\x4f\xff\x51"},
        {BT_FORMAT_BMP, 18, "BM\x36\x10\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_assert_cmpuint(cases[i].size, <=, BT_FORMAT_MAGIC_BYTES);
        for (size_t size = 0; size <= cases[i].size; size++) {
            g_autofree char *bytes = g_malloc(size + (size == 0));
            BtFormat expected = size == cases[i].size ? cases[i].format : BT_FORMAT_NONE;

            memcpy(bytes, cases[i].bytes, size);
            g_assert_cmpint(bt_format_of_bytes(bytes, size), ==, expected);
        }
    }
    g_assert_cmpint(bt_format_of_bytes("\0\0\0\x20"
                                       "ftypisom",
                                       12),
                    ==, BT_FORMAT_NONE);
    g_assert_cmpint(bt_format_of_bytes("BM, said the text file", 22), ==, BT_FORMAT_NONE);
}

static void
test_human_bytes(void)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } cases[] = {
        {0, "0 bytes"},
        {1, "1 byte"},
        {999, "999 bytes"},
        {1000, "1.0 kB"},
        {1049, "1.0 kB"},
        {1050, "1.1 kB"},
        {999949, "999.9 kB"},
        {999950, "1.0 MB"},
        {51200000, "51.2 MB"},
        {3000000000, "3.0 GB"},
        {UINT64_C(999949999999999999), "999.9 PB"},
        {UINT64_MAX, "18.4 EB"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = bt_human_bytes(cases[i].bytes);

        g_assert_cmpstr(text, ==, cases[i].text);
    }
}

static void
test_human_figure(void)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {0.41, "0.41"},
        {34, "34"},
        {470, "470"},
        {12345, "12300"},
        {12351, "12400"},
        {999.4, "999"},
        {999.6, "1000"},
        {1, "1"},
        {1.005e6, "1000000"},
        {9.999, "10"},
        {0.09996, "0.1"},
        {0.012345, "0.0123"},
        {100, "100"},
        {3.14159, "3.14"},
        {99.96, "100"},
        {2.5e9, "2500000000"},
        {1e-5, "0.00001"},
        {-1.25, "-1.25"},
        {10.04, "10"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = bt_human_figure(cases[i].value);

        g_assert_cmpstr(text, ==, cases[i].text);
    }
}

/* Three digits mean an error of at most half a unit of the third: 5e-3 of the first digit. */
static void
test_human_figure_error(void)
{
    for (int i = 0; i < 10000; i++) {
        double value = g_test_rand_double_range(1, 10);
        g_autofree char *text = NULL;

        for (int power = g_test_rand_int_range(-6, 12); power != 0; power += power < 0 ? 1 : -1)
            value *= power < 0 ? 0.1 : 10;
        text = bt_human_figure(value);
        g_assert_cmpfloat_with_epsilon(g_ascii_strtod(text, NULL), value, value * 5.0001e-3);
        g_assert_cmpuint(strspn(text, "0123456789."), ==, strlen(text));
    }
}

static void
test_human_text(void)
{
    static const struct {
        const char *bytes, *text;
    } cases[] = {
        {"", ""},
        {"plain name.jpg", "plain name.jpg"},
        {"gr\xc3\xbc\xc3\x9f \xe6\x97\xa5 \xf0\x9f\x98\x80",
         "gr\xc3\xbc\xc3\x9f \xe6\x97\xa5 \xf0\x9f\x98\x80"},
        {"a\nb\tc\\d", "a\\nb\\tc\\\\d"},
        {"\x1b[31mred\x1b]0;title\x07", "\\x1b[31mred\\x1b]0;title\\x07"},
        {"\x01\x7f\r", "\\x01\\x7f\\x0d"},
        {"\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa1", "\\xc2\\x80\\xc2\\x9b\\xc2\\x9f\xc2\xa1"},
        {"\xe2\x80\xa8\xe2\x80\xa9", "\\xe2\\x80\\xa8\\xe2\\x80\\xa9"},
        {"\xe2\x80\xae"
         "gpj.exe",
         "\\xe2\\x80\\xaegpj.exe"},
        {"\xe2\x81\xa6\xd8\x9c\xe2\x80\x8f", "\\xe2\\x81\\xa6\\xd8\\x9c\\xe2\\x80\\x8f"},
        {"\x9b\xff\xc3", "\\x9b\\xff\\xc3"}, /* bytes that begin or continue nothing */
        {"\xc0\xaf\xed\xa0\x80", "\\xc0\\xaf\\xed\\xa0\\x80"}, /* overlong, surrogate */
        {"\xe6\x97"
         "a",
         "\\xe6\\x97"
         "a"}, /* cut short */
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = bt_human_text(cases[i].bytes);

        g_assert_cmpstr(text, ==, cases[i].text);
    }
}

/* Any bytes come out as one line of valid UTF-8 without controls, and can be had back: the escapes
 * are those that g_strcompress() undoes, but for \x, which is undone here. */
static void
test_human_text_maps_back(void)
{
    for (int i = 0; i < 2000; i++) {
        char bytes[40];
        gsize size = (gsize)g_test_rand_int_range(0, (int)sizeof bytes);
        g_autofree char *text = NULL;
        g_autoptr(GString) back = g_string_new(NULL);

        for (gsize at = 0; at < size; at++)
            bytes[at] = (char)g_test_rand_int_range(1, 256);
        bytes[size] = '\0';
        text = bt_human_text(bytes);
        g_assert_true(g_utf8_validate(text, -1, NULL));
        for (const char *at = text; *at != '\0';) {
            g_assert_cmpint((unsigned char)*at, >=, ' ');
            if (*at != '\\') {
                g_string_append_c(back, *at++);
            } else if (at[1] == 'x') {
                g_string_append_c(
                    back, (char)(g_ascii_xdigit_value(at[2]) * 16 + g_ascii_xdigit_value(at[3])));
                at += 4;
            } else {
                g_string_append_c(back, at[1] == 'n' ? '\n' : at[1] == 't' ? '\t' : at[1]);
                at += 2;
            }
        }
        g_assert_cmpstr(back->str, ==, bytes);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/error", test_error);
    g_test_add_func("/fd", test_fd);
    g_test_add_func("/format/names", test_format_names);
    g_test_add_func("/format/extensions", test_format_extensions);
    g_test_add_func("/format/bytes", test_format_bytes);
    g_test_add_func("/human/bytes", test_human_bytes);
    g_test_add_func("/human/figure", test_human_figure);
    g_test_add_func("/human/figure/error", test_human_figure_error);
    g_test_add_func("/human/text", test_human_text);
    g_test_add_func("/human/text/maps-back", test_human_text_maps_back);
    return g_test_run();
}
