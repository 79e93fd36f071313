#include "ui/audio.h"

#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <time.h>

#include <SDL.h>

#include "ui/tone.h"
#include "util/die.h"
#include "util/host_time.h"
#include "util/thread.h"

enum { RATE = 44100, SAMPLES = 512 };
/* Between a sound's making and its hearing; the machine may be late by a bit less without a gap. */
#define LATENCY_NS UINT64_C(40000000)
/* The sound card's clock is not the host's: beyond this they are brought together again. */
#define DRIFT_NS UINT64_C(40000000)
/* Silence after which the device rests. */
#define REST_NS UINT64_C(2000000000)

static struct {
    Tone tone;
    pthread_t thread;
    bool running;
    sem_t wake;
    atomic_bool awake, quit;
    SDL_AudioDeviceID device;
    /* The callback's. */
    uint64_t play_at; /* the next sample's time; 0: not known */
    uint64_t silent_since;
} au;

/* --- the machine thread ------------------------------------------------------------------------------------------ */

static void on_wave(void *opaque, const SpeakerWave *w)
{
    (void)opaque;
    uint64_t now = host_ns();
    tone_alive(&au.tone, now + 3 * SPEAKER_ALIVE_NS);
    tone_put(&au.tone, now, w);
    if (!atomic_exchange(&au.awake, true)) sem_post(&au.wake);
}

static void on_alive(void *opaque)
{
    (void)opaque;
    tone_alive(&au.tone, host_ns() + 3 * SPEAKER_ALIVE_NS);
}

/* --- SDL's audio thread -------------------------------------------------------------------------------------------- */

static void rest(uint64_t now)
{
    if (!au.silent_since) au.silent_since = now;
    if (now - au.silent_since < REST_NS) return;
    atomic_store(&au.awake, false);
    if (!tone_is_empty(&au.tone)) { /* just then */
        atomic_store(&au.awake, true);
        return;
    }
    au.silent_since = au.play_at = 0;
    SDL_PauseAudioDevice(au.device, 1);
}

static void on_samples(void *opaque, Uint8 *stream, int len)
{
    (void)opaque;
    unsigned n = (unsigned)len / sizeof(int16_t);
    uint64_t now = host_ns(), length = (uint64_t)n * 1000000000u / RATE, want = now - LATENCY_NS - length;
    if (au.play_at + DRIFT_NS < want || au.play_at > want + DRIFT_NS) au.play_at = want;
    bool any = tone_render(&au.tone, au.play_at, RATE, (int16_t *)(void *)stream, n);
    au.play_at += length;
    if (any)
        au.silent_since = 0;
    else
        rest(now);
}

/* --- our thread: what may take long ---------------------------------------------------------------------------------- */

static void open_device(void)
{
    SDL_AudioSpec want = {
        .freq = RATE, .format = AUDIO_S16SYS, .channels = 1, .samples = SAMPLES, .callback = on_samples
    };
    if (SDL_InitSubSystem(SDL_INIT_AUDIO) == 0) au.device = SDL_OpenAudioDevice(NULL, 0, &want, NULL, 0);
    if (!au.device) warn_line("-audiodev sdl: the PC speaker stays silent: %s", SDL_GetError());
}

static void *wait_for_sound(void *opaque)
{
    (void)opaque;
    bool tried = false;
    for (;;) {
        while (sem_wait(&au.wake) < 0) {
        }
        if (atomic_load(&au.quit)) break;
        if (!tried) open_device();
        tried = true;
        if (au.device) SDL_PauseAudioDevice(au.device, 0);
    }
    if (au.device) SDL_CloseAudioDevice(au.device);
    if (tried) SDL_QuitSubSystem(SDL_INIT_AUDIO);
    return NULL;
}

bool audio_start(SpeakerSink *sink)
{
    sem_init(&au.wake, 0, 0);
    au.running = thread_start(&au.thread, wait_for_sound, NULL);
    if (au.running) *sink = (SpeakerSink){ .wave = on_wave, .alive = on_alive };
    return au.running;
}

void audio_stop(void)
{
    if (!au.running) return;
    atomic_store(&au.quit, true);
    sem_post(&au.wake);
    pthread_join(au.thread, NULL);
    sem_destroy(&au.wake);
    au.running = false;
}
