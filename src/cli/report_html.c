/* calque report -o FILE.html: the page (src/report) with the data in it.
 *
 * The page is one file, so that it opens from a disk: the JSON object goes in as text, by way of zlib, whose streams browsers
 * can inflate, and base64. */
#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "cli/report.h"
#include "util/die.h"

#ifdef HAVE_REPORT_PAGE
#include "src/report/page_html.h"
#else
static const unsigned char page_html[] = { 0 };
#endif

static const char marker[] = "<!--calque-data-->";

/* NULL: there is no page, or no place in it. */
static const unsigned char *find_marker(void)
{
    return memmem(page_html, sizeof page_html, marker, sizeof marker - 1);
}

bool report_html_possible(void)
{
    return find_marker() != NULL;
}

/* Base64 (RFC 4648) of bytes that come in pieces. */
typedef struct Base64 {
    FILE *out;
    unsigned char kept[3];
    unsigned n;
} Base64;

static void put_group(Base64 *b)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned v = (unsigned)b->kept[0] << 16 | (unsigned)b->kept[1] << 8 | b->kept[2];
    char text[4] = { digit[v >> 18], digit[v >> 12 & 63], digit[v >> 6 & 63], digit[v & 63] };
    for (unsigned i = b->n + 1; i < 4; i++) text[i] = '=';
    fwrite(text, 1, sizeof text, b->out);
    memset(b->kept, 0, sizeof b->kept);
    b->n = 0;
}

static void put_bytes(Base64 *b, const unsigned char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        b->kept[b->n++] = bytes[i];
        if (b->n == 3) put_group(b);
    }
}

static void put_deflated(const char *text, size_t size, FILE *out)
{
    enum { PIECE = 1 << 20 };
    static unsigned char buffer[1 << 16];
    Base64 b = { .out = out };
    z_stream z = { 0 };
    int state = Z_OK;
    if (deflateInit(&z, 6) != Z_OK) die("report: out of memory");
    for (size_t at = 0; state != Z_STREAM_END;) {
        if (!z.avail_in && at < size) {
            z.next_in = (unsigned char *)(uintptr_t)text + at;
            z.avail_in = (unsigned)(size - at < PIECE ? size - at : PIECE);
            at += z.avail_in;
        }
        z.next_out = buffer;
        z.avail_out = sizeof buffer;
        state = deflate(&z, at < size ? Z_NO_FLUSH : Z_FINISH);
        put_bytes(&b, buffer, sizeof buffer - z.avail_out);
    }
    deflateEnd(&z);
    if (b.n) put_group(&b);
}

void report_html(Report *r, const ReportOptions *o, FILE *out)
{
    const unsigned char *at = find_marker(), *rest = at + sizeof marker - 1;
    char *json = NULL;
    size_t size;
    FILE *memory = open_memstream(&json, &size);
    if (!memory) die("report: out of memory");
    report_json(r, o, memory);
    if (fclose(memory)) die("report: out of memory");
    fwrite(page_html, 1, (size_t)(at - page_html), out);
    fputs("<script id=\"data\" type=\"application/octet-stream;base64\">", out);
    put_deflated(json, size, out);
    fputs("</script>", out);
    fwrite(rest, 1, (size_t)(page_html + sizeof page_html - rest), out);
    free(json);
}
