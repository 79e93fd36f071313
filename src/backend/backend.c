/* The backends there are, best first. */
#include "backend/backend.h"

#include <string.h>

static const Backend *const backends[] = {
#ifdef __x86_64__
    &backend_x86_64,
#endif
    &backend_interp,
};

const Backend *backend_find(const char *name)
{
    if (!name) return backends[0];
    for (unsigned i = 0; i < sizeof backends / sizeof *backends; i++)
        if (!strcmp(backends[i]->name, name)) return backends[i];
    return NULL;
}
