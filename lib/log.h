/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * log -- what a program says while it works, on stderr.
 *
 *	log_warn("counter", "cpu %d went offline; its counts end here", cpu);
 *
 * prints `sensor: warning: counter: cpu 3 went offline; …`.  Errors are not
 * logged: they travel in a struct err and the program prints them once.
 * Warnings are shown unless -q, notes by default, details with -v.
 *
 * A progress line on the terminal is wiped before a message and drawn again by
 * the next update (see progress.h).
 */
#ifndef LIB_LOG_H
#define LIB_LOG_H

enum log_level { LOG_QUIET, LOG_WARN, LOG_NOTE, LOG_DETAIL };

/* Once, at start. */
void log_start(const char *program, enum log_level level);
enum log_level log_level(void);

void log_warn(const char *where, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* A line for the reader, without any prefix ("meter    model, class 7, …"). */
void log_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_detail(const char *where, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
