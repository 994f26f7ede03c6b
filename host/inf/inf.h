/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * INF files: what SetupAPI would read in them, and what it would write into the registry of our target,
 * Windows 10 build 19041 on amd64.
 *
 * A file is anybody's: nothing in it is trusted, and whatever is wrong or not understood is a problem with
 * its line, never an end of the reader.  An error is what Windows refuses; a warning what it, or InfVerif,
 * complains of or takes otherwise than its writer seems to mean; a note what Windows does and fltvm does not.
 *
 * The rules are those of the documentation's pages "General syntax rules for INF files", "INF Strings
 * section", "INF AddService directive", "INF AddReg directive" and "Creating an INF file for a minifilter
 * driver".
 */
#ifndef FLTVM_HOST_INF_H
#define FLTVM_HOST_INF_H

#include <glib.h>

typedef enum { FLTVM_INF_NOTE, FLTVM_INF_WARNING, FLTVM_INF_ERROR } FltvmInfLevel;

typedef struct {
    FltvmInfLevel level;
    guint line; /* 0: of the file as a whole */
    char *text;
} FltvmInfProblem;

typedef struct {
    guint line;        /* where it begins */
    char *key;         /* before the '='; NULL: there is none */
    GPtrArray *fields; /* of char *, never NULL; without what is empty at the end */
} FltvmInfEntry;

typedef struct {
    char *name;
    guint line;         /* of its first header */
    gboolean used;      /* something leads to it */
    GPtrArray *entries; /* of FltvmInfEntry */
} FltvmInfSection;

/* What is done to the registry, in this order. */
typedef struct {
    guint line;
    char *key;     /* full path */
    char *value;   /* "" is the key's default value */
    guint32 type;  /* REG_* */
    guint32 flags; /* FLTVM_REGISTRY_* (abi/command.h) */
    GByteArray *data;
} FltvmInfOperation;

typedef struct {
    guint line; /* of its AddService */
    char *name;
    guint32 type; /* SERVICE_*; 0: not said */
    guint32 start;
    char *image_path; /* as the registry has it */
    char *file;       /* the image's own name; NULL: not said */
    char *group;
    FltvmInfSection *section;
    guint first, behind; /* its operations */
} FltvmInfService;

typedef struct {
    char *name;          /* of the file, for messages */
    char *store;         /* its folder in the driver store, as dirid 13 has it */
    GPtrArray *problems; /* of FltvmInfProblem */
    guint left_off;      /* problems that were too many to keep */
    guint errors;
    GPtrArray *sections;   /* of FltvmInfSection, as they come */
    GHashTable *by_name;   /* folded name -> FltvmInfSection */
    GHashTable *strings;   /* folded name -> what %name% stands for */
    gsize put_in;          /* bytes that strings have become so far */
    guint lines;           /* of AddReg and DelReg sections that were followed */
    char *chosen;          /* the install section that is taken */
    GPtrArray *services;   /* of FltvmInfService */
    GPtrArray *operations; /* of FltvmInfOperation */
} FltvmInf;

/* Reads and understands a file whose bytes these are; all that is wrong is in its problems. */
FltvmInf *fltvm_inf_parse(const char *name, gconstpointer bytes, gsize length);
/* The same of a file; FLTVM_ERROR_USAGE when it cannot be read, or is no plain file, or longer than 4 MiB. */
FltvmInf *fltvm_inf_read(const char *path, GError **error);
void fltvm_inf_free(FltvmInf *inf);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FltvmInf, fltvm_inf_free)

/* Looks for what Windows would warn of; may add problems.  For `fltvm inf-check`. */
void fltvm_inf_check(FltvmInf *inf);

/* "FILE:LINE: error: TEXT", newly allocated. */
char *fltvm_inf_problem_text(const FltvmInf *inf, const FltvmInfProblem *problem);

/*
 * The file on this machine that is the service's image: beside the INF at `path`, or in the folder that its
 * SourceDisksNames and SourceDisksFiles say; letters' case does not matter.  NULL: there is none.
 */
char *fltvm_inf_find_image(FltvmInf *inf, const char *path, const FltvmInfService *service);

#endif
