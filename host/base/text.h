/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text of strangers on its way out: what a guest logged, what a driver file calls things, what a script made of it.
 *
 * Whatever reaches a terminal, a TAP stream, a JUnit file or a trace passes through one of these.  The result is
 * always valid UTF-8, and new.
 */
#ifndef FLTVM_HOST_TEXT_H
#define FLTVM_HOST_TEXT_H

#include <glib.h>

/*
 * For a terminal: bytes that are not UTF-8 become U+FFFD; control characters (C0, DEL, C1), format characters (text
 * direction and the like), line separators and what is no character at all become '?'.  Tabs and newlines stay.
 * `length` may be -1: up to the NUL.
 */
char *fltvm_text_clean(const char *text, gssize length);

/* The same in one line: newlines become spaces. */
char *fltvm_text_clean_line(const char *text);

/* A description or a reason in TAP: one clean line in which '#' begins no directive. */
char *fltvm_text_tap(const char *text);

/* Clean text for an XML attribute or element; newlines and tabs survive as references. */
char *fltvm_text_xml(const char *text);

/* A JSON string with its quotes.  The characters are kept, those that would disturb a terminal as escapes. */
char *fltvm_text_json(const char *text);

#endif
