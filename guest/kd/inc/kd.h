/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kd: the kernel's voice, log text, traces and reports, over fltvm-link or, without one, port 0xE9.
 *
 * Everything here may be called at any IRQL, before any other component is initialized, and from NMI or
 * bugcheck context (KdEnterBugCheck makes the lock give way).
 */
#ifndef FLTVM_KD_H
#define FLTVM_KD_H

#include <link.h>
#include <trace.h>
#include <tracepoint.h>
#include <fltvm.h>

struct fltvm_loader_block;

typedef struct _KD_SEGMENT {
    const VOID *Buffer;
    ULONG Length;
} KD_SEGMENT;

/* Finds the link, says hello and keeps the options.  Processor 0, interrupts off. */
VOID KdInitSystem(struct fltvm_loader_block *LoaderBlock);

/* Whether a host listens. */
BOOLEAN KdLinkPresent(VOID);

/* Sends the concatenation of Count segments as one record.  FALSE when nothing was sent. */
BOOLEAN KdLinkSend(USHORT Kind, ULONG Count, const KD_SEGMENT *Segments);

/*
 * Sends a record and waits for its answer (no virtual time passes).  Returns the answer's kind
 * (FLTVM_ANSWER_*, >= 0) or why there is none (FLTVM_LINK_S_*, < 0).
 */
LONG KdLinkCall(USHORT Kind, const VOID *Out, ULONG OutLength, PVOID In, ULONG InCapacity, PULONG InLength);

/* Tells the host of an image (FLTVM_MODULE_LOADED / _UNLOADED); the host's symbols follow it. */
VOID KdReportModule(PVOID Base, ULONG Size, ULONG What, PCSTR Name);

/* What KdExit tells of a bugcheck, should its report not come through.  Calls nothing, as KdExit does. */
VOID KdSetLastWords(ULONG Code, const ULONG_PTR *Parameters);

/*
 * Tells the host of something that failed and that nobody may have asked about: the run fails with it.  The text is
 * "what should have been: what was".
 */
VOID __cdecl KdReportFailure(PCSTR Format, ...);

/* Sends Status (FLTVM_EXIT_*) with OP_EXIT and turns the machine off. */
DECLSPEC_NORETURN VOID KdExit(ULONG Status);

/* How to turn the machine off without a host: hal's, set by ke. */
extern VOID (*KdPowerOff)(VOID);

/* From here on this processor alone speaks, whoever held the lock. */
VOID KdEnterBugCheck(VOID);

/* TRUE when the host has something for a guest that was told to park; the news is taken. */
BOOLEAN KdLinkAcknowledge(VOID);

#endif
