/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The account of one scenario: what was logged and checked, as a readable text or as TAP, and the list of
 * checks for JUnit and for the exit status.
 */
#ifndef FLTVM_HOST_ACCOUNT_H
#define FLTVM_HOST_ACCOUNT_H

#include <glib.h>
#include <stdio.h>

typedef enum {
    FLTVM_CHECK_PASS,
    FLTVM_CHECK_FAIL,
    FLTVM_CHECK_SKIP,
} FltvmVerdict;

typedef struct {
    FltvmVerdict verdict;
    char *name;
    char *detail; /* why it failed or was skipped, where; NULL when it passed */
} FltvmCheck;

/* A line that a guest logged. */
typedef struct {
    gconstpointer source; /* whose; compared only */
    char *text;
} FltvmLine;

typedef struct {
    FILE *out;
    gboolean tap;
    gboolean verbose;
    gboolean show_log; /* FALSE: guest lines are kept for expect_log only */
    char *name;        /* of the scenario */
    GPtrArray *checks; /* FltvmCheck */
    GPtrArray *lines;  /* every guest log line so far: FltvmLine */
    gsize guest_bytes; /* of lines and checks that a guest sent */
    guint dropped;     /* lines and checks that were too many */
    gboolean dropped_told;
    guint failed;
    guint skipped;
    guint planned;    /* checks that a guest test announced; 0: none is under way */
    guint guest_made; /* checks it has made since; the script's own do not count */
    int status;       /* exit status so far */
    double seconds;
} FltvmAccount;

FltvmAccount *fltvm_account_new(const char *name, FILE *out, gboolean tap, gboolean verbose);
void fltvm_account_free(FltvmAccount *account);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FltvmAccount, fltvm_account_free)

/* What all guests of one scenario may log and check; what is more is dropped, and that is a failed check. */
#define FLTVM_ACCOUNT_GUEST_LIMIT (32u << 20)

/* What a guest logged, one line or several. */
void fltvm_account_log(FltvmAccount *account, gconstpointer source, guint64 time_ns, guint cpu, guint irql,
                       const char *text);

/* Lines of the host's own; the first kind is about what a guest did, and bounded as that is. */
void fltvm_account_guest_note(FltvmAccount *account, const char *format, ...) G_GNUC_PRINTF(2, 3);
void fltvm_account_note(FltvmAccount *account, const char *format, ...) G_GNUC_PRINTF(2, 3);
void fltvm_account_detail(FltvmAccount *account, const char *format, ...) G_GNUC_PRINTF(2, 3); /* --verbose only */
void fltvm_account_block(FltvmAccount *account, const char *text);

/* One check; takes no ownership. */
void fltvm_account_check(FltvmAccount *account, FltvmVerdict verdict, const char *name, const char *detail);
/* One that a guest test made: it counts against the plan and the limit. */
void fltvm_account_guest_check(FltvmAccount *account, FltvmVerdict verdict, const char *name, const char *detail);

/*
 * A guest test announces how many checks it will make; fltvm_account_settle() tells whether it did.  Checks that nobody
 * announced are a failure, too: what would have come behind them may be missing.
 */
void fltvm_account_plan(FltvmAccount *account, guint count);
void fltvm_account_settle(FltvmAccount *account);

/* The scenario could not go on: print the reason and settle the exit status. */
void fltvm_account_error(FltvmAccount *account, const GError *error);

/* Whether it ended well without having checked anything: said everywhere in the same words, and no failure. */
gboolean fltvm_account_checked_nothing(const FltvmAccount *account);
#define FLTVM_ACCOUNT_NO_CHECKS "no checks were made"

/* Last line(s): the plan in TAP, the sum otherwise. */
void fltvm_account_finish(FltvmAccount *account);

/* The account's checks across a pipe from a worker process. */
GVariant *fltvm_account_pack(const FltvmAccount *account);
void fltvm_account_unpack(FltvmAccount *account, GVariant *packed);

/* Write a JUnit file of all accounts. */
gboolean fltvm_account_write_junit(GPtrArray *accounts, const char *path, GError **error);

#endif
