/* Threads of our own. */
#ifndef CALQUE_UTIL_THREAD_H
#define CALQUE_UTIL_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/* Starts a thread that takes no signals: those are for the threads that were there before.  False: the host has none to spare. */
bool thread_start(pthread_t *thread, void *(*run)(void *), void *arg);

#endif
