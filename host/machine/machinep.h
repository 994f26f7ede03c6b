/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the machine's files share. */
#ifndef FLTVM_HOST_MACHINEP_H
#define FLTVM_HOST_MACHINEP_H

#include "heard.h"
#include "link.h"
#include "machine.h"
#include "qemu.h"

struct FltvmMachine {
    FltvmSession *session;
    FltvmConfig *config;
    FltvmMachineState state;
    FltvmLink *link;
    FltvmQemu qemu;
    guint32 next_id;
    guint64 time_ns;
    gboolean heard;  /* the guest has said something */
    gboolean parked; /* the guest halts; bytes on the link wake it, and it asks once more */
    guint failures;  /* records of that kind */
    gboolean hung;   /* as was expected */
    gboolean exit_seen;
    guint32 exit_status;
    FltvmSymbols *symbols;
    FltvmHeard *heard_of; /* its stacks and verifier reports */
    FltvmBugcheck *bugcheck;
    gboolean cut;          /* its power was cut */
    gboolean cut_as_asked; /* by the script, and not by a choice */
    char *cut_problem;     /* why what is left of a disk is not known; NULL: it is */
    int *medium_fds;       /* for each disk what that has left of it; 0: nothing */
    gboolean borrowed;     /* the process is our parent's, who puts the machine back when we are done with it */
};

/*
 * Read records, and deal with them, until one of this kind comes, whose payload is then the caller's until the next is read.
 * FALSE when the machine is lost.
 */
gboolean fltvm_machine_until(FltvmMachine *machine, guint kind, gint64 deadline, const char *doing,
                             struct fltvm_link_frame *frame, const guint8 **payload, GError **error);

/* powercut.c: the device tells what is left of the disks, then that it is over. */
void fltvm_machine_on_medium(FltvmMachine *machine, const guint8 *payload, gsize length);
void fltvm_machine_on_power_cut(FltvmMachine *machine, const char *problem);
void fltvm_machine_free_media(FltvmMachine *machine);

/* The guest has gone, or does not listen any more: find out why and say so.  Always FALSE. */
gboolean fltvm_machine_ended_badly(FltvmMachine *machine, GError **error);

#endif
