/* Whole files in memory, with errors a user can act on. */
#ifndef CALQUE_UTIL_FILE_H
#define CALQUE_UTIL_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct FileData {
    uint8_t *bytes; /* owned; one zero byte follows the last */
    size_t size;    /* never 0 */
} FileData;

/* Reads all of path (a regular file, or anything that can be read to its end).  False with error set,
 * naming `what` ("-kernel") and the path, when it is missing, unreadable, a directory, empty, or has
 * more than max bytes. */
bool file_load(const char *what, const char *path, size_t max, FileData *out, char *error, size_t error_size);
void file_free(FileData *f);

#endif
