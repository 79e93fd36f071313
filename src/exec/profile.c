/* -d stats: what the machine thread's processor time goes to, by samples.  Measuring instead, at each entry to generated
 * code and each way out, would cost more than many of them. */
#include "exec/tb.h"
#include "util/log.h"
#include "util/sampler.h"

#include <stdlib.h>

enum { SAMPLE_NS = 1000000 };
enum Place { IN_CODE, IN_CALLOUT, IN_TRANSLATION, IN_LOOP, PLACES };

struct Profile {
    Sampler sampler;
    const Exec *ex;
    uint64_t n[PLACES];
};

/* The portable backend has no code that could be interrupted: there all but translation counts as the loop. */
static enum Place place_of(const Exec *ex, const void *pc)
{
    const uint8_t *code = ex->arena.rw + ex->arena.exec_delta, *p = pc;
    if (ex->backend->native && p >= code && p < code + arena_room(&ex->arena)) return IN_CODE;
    if (ex->translating) return IN_TRANSLATION;
    return ex->backend->native && ex->cpu->host_pc ? IN_CALLOUT : IN_LOOP;
}

static void on_sample(void *opaque, const void *pc)
{
    struct Profile *p = opaque;
    p->n[place_of(p->ex, pc)]++;
}

void profile_start(Exec *ex)
{
    if (!log_on(LOG_STATS)) return;
    if (!ex->profile && !(ex->profile = calloc(1, sizeof *ex->profile))) return;
    ex->profile->ex = ex;
    ex->profile->sampler.fn = on_sample;
    ex->profile->sampler.opaque = ex->profile;
    sampler_start(&ex->profile->sampler, CLOCK_THREAD_CPUTIME_ID, SAMPLE_NS);
}

void profile_stop(Exec *ex)
{
    if (ex->profile) sampler_stop(&ex->profile->sampler);
}

bool profile_shares(const Exec *ex, ProfileShares *out)
{
    const struct Profile *p = ex->profile;
    *out = (ProfileShares){ 0 };
    for (unsigned i = 0; p && i < PLACES; i++) out->samples += p->n[i];
    if (!out->samples) return false;
    double percent = 100 / (double)out->samples;
    out->code = percent * (double)p->n[IN_CODE];
    out->callouts = percent * (double)p->n[IN_CALLOUT];
    out->translation = percent * (double)p->n[IN_TRANSLATION];
    out->loop = percent * (double)p->n[IN_LOOP];
    return true;
}

/* The last signal may still be under way to a machine thread that has just stopped; it is not after the thread's end. */
void profile_free(Exec *ex)
{
    profile_stop(ex);
    free(ex->profile);
    ex->profile = NULL;
}
