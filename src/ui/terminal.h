/* The user's terminal in raw mode, and back, however the program ends. */
#ifndef CALQUE_UI_TERMINAL_H
#define CALQUE_UI_TERMINAL_H

#include <stdbool.h>

/* Makes the terminal on stdin, if it is one, pass every key through unechoed; with keep_signals Ctrl-C still
 * interrupts.  From now on exit(), and signals that mean a crash, put it back. */
void terminal_raw(bool keep_signals);
/* On the thread that will run guest code: a stack for handling those signals. */
void terminal_handler_stack(void);
/* After SIGCONT: the shell has set its own modes meanwhile. */
void terminal_raw_again(void);
/* Safe in signal handlers and any number of times. */
void terminal_restore(void);

#endif
