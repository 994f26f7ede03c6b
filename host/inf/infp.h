/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the INF reader share: see inf.h. */
#ifndef FLTVM_HOST_INFP_H
#define FLTVM_HOST_INFP_H

#include "inf.h"

#define INF_FIELD_MAX      4095 /* characters in a field, before and after strings are put in, as documented */
#define INF_SECTION_MAX    255  /* characters in a section's name, as documented */
#define INF_FILE_MAX       (4u << 20)
#define INF_STRINGS_MAX    (16u << 20) /* bytes that strings may grow a file to */
#define INF_OPERATIONS_MAX 65536u
#define INF_SERVICES_MAX   64u

#define INF_SERVICES "\\Registry\\Machine\\System\\CurrentControlSet\\Services\\"

void fltvm_inf_problem(FltvmInf *inf, FltvmInfLevel level, guint line, const char *format, ...) G_GNUC_PRINTF(4, 5);
#define inf_error(inf, line, ...)   fltvm_inf_problem((inf), FLTVM_INF_ERROR, (line), __VA_ARGS__)
#define inf_warning(inf, line, ...) fltvm_inf_problem((inf), FLTVM_INF_WARNING, (line), __VA_ARGS__)
#define inf_note(inf, line, ...)    fltvm_inf_problem((inf), FLTVM_INF_NOTE, (line), __VA_ARGS__)

/* decode.c: the file's text as UTF-8 with an LF behind each line, without a byte-order mark; NULL: it has
 * none. */
char *fltvm_inf_decode(FltvmInf *inf, const guint8 *bytes, gsize length);

/* lex.c: fills `sections`; what %...% stands for is not put in yet. */
void fltvm_inf_lex(FltvmInf *inf, const char *text);

/* strings.c: puts what %...% stands for into names, keys and fields. */
void fltvm_inf_substitute(FltvmInf *inf);

/* names.c: letters' case does not matter anywhere. */
char *fltvm_inf_fold(const char *text);
gboolean fltvm_inf_equal(const char *one, const char *other);
FltvmInfSection *fltvm_inf_section(FltvmInf *inf, const char *name);
/* The last entry with that key, or NULL; its first field, or NULL. */
FltvmInfEntry *fltvm_inf_entry(const FltvmInfSection *section, const char *key);
const char *fltvm_inf_value(const FltvmInfSection *section, const char *key);
/* A field that may be left out: "". */
const char *fltvm_inf_field(const FltvmInfEntry *entry, guint index);
/* Hexadecimal behind 0x, else decimal, with a sign or not. */
gboolean fltvm_inf_number(const char *text, guint32 *number);
/* The section that an entry refers to, which is used then; an error if there is none. */
FltvmInfSection *fltvm_inf_follow(FltvmInf *inf, const FltvmInfEntry *entry, const char *name);

/* decorate.c: the best for our target of the sections NAME and NAME.nt…; NULL: none of them. */
FltvmInfSection *fltvm_inf_best(FltvmInf *inf, const char *name);
/* What a decoration is worth for our target: the higher the better; 0: it is for another, -1: it is none. */
gint64 fltvm_inf_decoration(const char *text);

/* registry.c: what AddReg and DelReg of `section` do, relative to `root` (NULL: HKR means nothing there). */
void fltvm_inf_registry(FltvmInf *inf, FltvmInfSection *section, const char *root);
void fltvm_inf_set(FltvmInf *inf, guint line, const char *key, const char *value, guint32 type, guint32 flags,
                   gconstpointer data, gsize length);
void fltvm_inf_set_text(FltvmInf *inf, guint line, const char *key, const char *value, guint32 type, guint32 flags,
                        const char *text);
void fltvm_inf_set_number(FltvmInf *inf, guint line, const char *key, const char *value, guint32 flags, guint32 number);

/* install.c: finds the section to install and gathers services and operations. */
void fltvm_inf_install(FltvmInf *inf);

#endif
