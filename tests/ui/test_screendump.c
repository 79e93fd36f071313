/* Pictures written and read back. */
#include <png.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ui/screendump.h"
#include "../tap.h"

enum { W = 37, H = 11 };
static uint32_t pixels[W * H];
static DisplaySurface surface = { W, H, pixels };

static bool same(const uint8_t *rgb)
{
    for (int i = 0; i < W * H; i++)
        if ((uint32_t)(rgb[3 * i] << 16 | rgb[3 * i + 1] << 8 | rgb[3 * i + 2]) != pixels[i]) return false;
    return true;
}

static void test_ppm(const char *path)
{
    static uint8_t file[W * H * 3 + 64];
    char error[300];
    ok(screendump_surface(&surface, path, error, sizeof error), "PPM written");
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(file, 1, sizeof file, f) : 0, head = strlen("P6\n37 11\n255\n");
    if (f) fclose(f);
    ok(n == head + W * H * 3 && memcmp(file, "P6\n37 11\n255\n", head) == 0, "with its header");
    ok(same(file + head), "and pixels");
}

static void test_png(const char *path)
{
    static uint8_t rgb[W * H * 3];
    char error[300];
    ok(screendump_surface(&surface, path, error, sizeof error), "PNG written");
    png_image image = { .version = PNG_IMAGE_VERSION };
    ok(png_image_begin_read_from_file(&image, path) && image.width == W && image.height == H, "it is one");
    image.format = PNG_FORMAT_RGB;
    ok(png_image_finish_read(&image, NULL, rgb, 0, NULL) && same(rgb), "with the pixels");
}

int main(void)
{
    char dir[] = "/tmp/screendump-XXXXXX", path[64], error[300] = "";
    for (int i = 0; i < W * H; i++) pixels[i] = (uint32_t)i * 2654435761u >> 8;
    if (!mkdtemp(dir)) return 1;
    snprintf(path, sizeof path, "%s/a.ppm", dir);
    test_ppm(path);
    unlink(path);
    snprintf(path, sizeof path, "%s/a.PNG", dir);
    test_png(path);
    unlink(path);
    snprintf(path, sizeof path, "%s/no/a.png", dir);
    ok(!screendump_surface(&surface, path, error, sizeof error) && strstr(error, path), "no such folder: %s", error);
    ok(!screendump_surface(&surface, "/dev/full", error, sizeof error), "full disk: %s", error);
    rmdir(dir);
    return tap_done();
}
