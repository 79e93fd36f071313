#include "ui/screendump.h"

#include <errno.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Three bytes a pixel, red first. */
static uint8_t *to_rgb(const DisplaySurface *s)
{
    size_t n = (size_t)s->width * (size_t)s->height;
    uint8_t *rgb = malloc(n * 3);
    if (!rgb) return NULL;
    for (size_t i = 0; i < n; i++) {
        rgb[3 * i] = (uint8_t)(s->pixels[i] >> 16);
        rgb[3 * i + 1] = (uint8_t)(s->pixels[i] >> 8);
        rgb[3 * i + 2] = (uint8_t)s->pixels[i];
    }
    return rgb;
}

static bool write_ppm(FILE *f, const DisplaySurface *s, const uint8_t *rgb)
{
    size_t bytes = (size_t)s->width * (size_t)s->height * 3;
    return fprintf(f, "P6\n%d %d\n255\n", s->width, s->height) > 0 && fwrite(rgb, 1, bytes, f) == bytes;
}

static bool write_png(FILE *f, const DisplaySurface *s, const uint8_t *rgb)
{
    png_image image = { .version = PNG_IMAGE_VERSION,
                        .width = (png_uint_32)s->width,
                        .height = (png_uint_32)s->height,
                        .format = PNG_FORMAT_RGB };
    bool good = png_image_write_to_stdio(&image, f, 0, rgb, 0, NULL);
    png_image_free(&image);
    return good;
}

static bool is_png(const char *path)
{
    size_t n = strlen(path);
    return n >= 4 && strcasecmp(path + n - 4, ".png") == 0;
}

static bool failed(const char *path, const char *why, char *error, size_t error_size)
{
    snprintf(error, error_size, "screendump: cannot write %s: %s", path, why);
    return false;
}

bool screendump_surface(const DisplaySurface *s, const char *path, char *error, size_t error_size)
{
    FILE *f = fopen(path, "wb");
    if (!f) return failed(path, strerror(errno), error, error_size);
    uint8_t *rgb = to_rgb(s);
    errno = 0;
    bool good = rgb && (is_png(path) ? write_png(f, s, rgb) : write_ppm(f, s, rgb));
    int why = rgb ? errno : ENOMEM;
    free(rgb);
    if (fclose(f) != 0 && good) {
        good = false;
        why = errno;
    }
    return good || failed(path, strerror(why ? why : EIO), error, error_size);
}

bool screendump(Display *d, const char *path, char *error, size_t error_size)
{
    display_refresh(d);
    return screendump_surface(display_surface(d), path, error, error_size);
}
