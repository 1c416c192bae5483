/* Starting a program that inherits nothing: the GNU extensions of posix_spawn are not visible from Swift. Tests only. */
#ifndef CSPAWN_H
#define CSPAWN_H

#include <sys/types.h>

/* Starts the program that PATH finds, in the folder "/", with the two files as standard input and as standard output and
 * error (appended), and with no other descriptor. Returns 0 or an error number. */
int cspawn(pid_t *identifier, const char *program, char *const arguments[], const char *input_file, const char *output_file);

#endif
