/* SPDX-License-Identifier: MIT */
/*
 * The least that any program can do that decodes with libjpeg: no blur, no checks, no names.
 *
 *   floor JOBS OUTPUT SHRINK PICTURE...
 *
 * JOBS processes take the next PICTURE by a shared counter, read the file, decode it at 1/SHRINK to
 * RGB, and encode a result of the size that fits 1200 x 1200 at quality 75 into OUTPUT. What is
 * encoded is not the decoded picture, which stretched by repetition would have steps that cost the
 * encoder more than a blur does, but smooth waves whose results take about the bytes of blurthumb's
 * own on the camera set.
 */
#include <err.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jpeglib.h>

#define BOX     1200
#define QUALITY 75

static unsigned char waves[BOX][BOX][3];

/* Amplitudes in levels and the wave's length in pixels are chosen for the bytes. */
static void
draw_waves(void)
{
    static const double amplitude[3] = {25, 40, 35};
    signed char wave[BOX][3];

    for (int i = 0; i < BOX; i++)
        for (int band = 0; band < 3; band++)
            wave[i][band] = (signed char)(amplitude[band] * sin(2 * M_PI * i / 164));
    for (int y = 0; y < BOX; y++)
        for (int x = 0; x < BOX; x++)
            for (int band = 0; band < 3; band++)
                waves[y][x][band] = (unsigned char)(128 + wave[x][band] + wave[y][band]);
}

static unsigned char *
read_file(const char *path, size_t *out_bytes)
{
    struct stat status;
    unsigned char *bytes;
    FILE *file = fopen(path, "rb");

    if (file == NULL || fstat(fileno(file), &status) != 0)
        err(1, "%s", path);
    *out_bytes = (size_t)status.st_size;
    bytes = malloc(*out_bytes);
    if (bytes == NULL || fread(bytes, 1, *out_bytes, file) != *out_bytes)
        err(1, "%s", path);
    fclose(file);
    return bytes;
}

/* Sizes are those of the source at full size. */
static void
decode(const char *path, unsigned shrink, unsigned *out_width, unsigned *out_height)
{
    struct jpeg_error_mgr errors;
    struct jpeg_decompress_struct jpeg = {.err = jpeg_std_error(&errors)};
    size_t n_bytes;
    unsigned char *bytes = read_file(path, &n_bytes), *row;

    jpeg_create_decompress(&jpeg);
    jpeg_mem_src(&jpeg, bytes, n_bytes);
    jpeg_read_header(&jpeg, TRUE);
    jpeg.scale_denom = shrink;
    jpeg.out_color_space = JCS_RGB;
    jpeg_start_decompress(&jpeg);
    row = malloc(jpeg.output_width * sizeof waves[0][0]);
    while (jpeg.output_scanline < jpeg.output_height)
        jpeg_read_scanlines(&jpeg, &row, 1);
    *out_width = jpeg.image_width;
    *out_height = jpeg.image_height;
    jpeg_finish_decompress(&jpeg);
    jpeg_destroy_decompress(&jpeg);
    free(row);
    free(bytes);
}

static void
encode(const char *path, unsigned width, unsigned height)
{
    struct jpeg_error_mgr errors;
    struct jpeg_compress_struct jpeg = {.err = jpeg_std_error(&errors)};
    FILE *file = fopen(path, "wb");

    if (file == NULL)
        err(1, "%s", path);
    jpeg_create_compress(&jpeg);
    jpeg_stdio_dest(&jpeg, file);
    jpeg.image_width = width;
    jpeg.image_height = height;
    jpeg.input_components = 3;
    jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, QUALITY, TRUE);
    jpeg_start_compress(&jpeg, TRUE);
    while (jpeg.next_scanline < jpeg.image_height) {
        JSAMPROW row = waves[jpeg.next_scanline][0];

        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    if (fclose(file) != 0)
        err(1, "%s", path);
}

static void
process(const char *picture, const char *output, unsigned shrink)
{
    const char *slash = strrchr(picture, '/');
    char result[4096];
    unsigned width, height;
    double scale;

    decode(picture, shrink, &width, &height);
    scale = fmax(1, fmax(width, height) / (double)BOX);
    snprintf(result, sizeof result, "%s/%s", output, slash != NULL ? slash + 1 : picture);
    encode(result, (unsigned)fmax(1, round(width / scale)),
           (unsigned)fmax(1, round(height / scale)));
}

int
main(int argc, char **argv)
{
    atomic_int *next =
        mmap(NULL, sizeof *next, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int status, result = 0;

    if (argc < 5)
        errx(2, "usage: floor JOBS OUTPUT SHRINK PICTURE...");
    if (next == MAP_FAILED)
        err(1, "mmap");
    draw_waves();
    *next = 4;
    for (int job = 0; job < atoi(argv[1]); job++) {
        if (fork() == 0) {
            for (int i; (i = (*next)++) < argc;)
                process(argv[i], argv[2], (unsigned)atoi(argv[3]));
            return 0;
        }
    }
    while (wait(&status) > 0)
        result |= status != 0;
    return result;
}
