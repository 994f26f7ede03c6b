/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hold.h: who holds filters, instances and volumes, so that a wait for their end that cannot end is told.
 *
 * With the verifier on, two things are kept: threads that run something which holds an object until it returns (a work
 * routine, a setup callback, a teardown), and the calls by which filters took references that they have not given back.
 * Both tables are bounded; what finds no room is not told, and nothing else changes.
 */
#ifndef FLTMGR_HOLD_H
#define FLTMGR_HOLD_H

#include "core.h"

/* A thread that holds an object as long as it runs Routine.  The thread's own, others only look. */
typedef struct _FLTP_HOLD {
    PVOID volatile Thread; /* NULL: a free slot */
    PVOID Object;
    PVOID Filter, Volume; /* those it holds through an instance */
    const VOID *Since;    /* an address in the filter's code */
} FLTP_HOLD, *PFLTP_HOLD;

#define FLTP_HOLDS              256
#define FLTP_FIRST_HOLD(Thread) (((ULONG_PTR)(Thread) >> 5) % FLTP_HOLDS)
extern FLTP_HOLD FltpHolds[FLTP_HOLDS];

PFLTP_HOLD FltpFindSlot(PVOID Thread);

/* IRQL: any.  The call's stack without our own frames above the filter's, and the image it comes from. */
PVOID FltpCaptureCaller(PVOID *Stack);

/* IRQL: <= DISPATCH_LEVEL.  Object is a filter or an instance that the caller holds.  NULL: not kept. */
static inline PFLTP_HOLD FltpBeginHold(PFLTP_OBJECT Object, const VOID *Since)
{
    PFLTP_HOLD Hold;

    if (!FltpVerify)
        return NULL;
    Hold = &FltpHolds[FLTP_FIRST_HOLD(KeGetCurrentThread())];
    if (InterlockedCompareExchangePointer(&Hold->Thread, KeGetCurrentThread(), NULL) != NULL)
        Hold = FltpFindSlot(KeGetCurrentThread());
    if (Hold != NULL) {
        Hold->Filter = Object->Magic == FLTP_MAGIC_INSTANCE ? ((PFLT_INSTANCE)Object)->Filter : NULL;
        Hold->Volume = Object->Magic == FLTP_MAGIC_INSTANCE ? ((PFLT_INSTANCE)Object)->Volume : NULL;
        Hold->Since = Since;
        Hold->Object = Object;
    }
    return Hold;
}

/* The same for who ends an instance: not that itself, but what it holds until then. */
static inline PFLTP_HOLD FltpBeginEnd(PFLT_INSTANCE Instance, const VOID *Since)
{
    PFLTP_HOLD Hold = FltpBeginHold(&Instance->Object, Since);

    if (Hold != NULL)
        Hold->Object = NULL;
    return Hold;
}

/* Before what it holds is given back. */
static inline VOID FltpEndHold(PFLTP_HOLD Hold)
{
    if (Hold != NULL) {
        Hold->Object = Hold->Filter = Hold->Volume = NULL;
        Hold->Thread = NULL;
    }
}

VOID FltpInitializeHolds(VOID);
/* A reference that we hold becomes a filter's; it is a filter's no more, or FALSE: no filter had one.  IRQL: <=
 * DISPATCH_LEVEL. */
VOID FltpHandOut(PVOID FltObject);
BOOLEAN FltpTakeBack(PVOID FltObject);

/*
 * IRQL: PASSIVE_LEVEL.  Begins the rundown of the object (Io: of an instance's operations) and waits for its end; what
 * can never end, or has not after FLTP_PATIENCE, is a bugcheck with the verifier on.
 */
VOID FltpWaitForObject(PFLTP_OBJECT Object, PCSTR What);
VOID FltpWaitForIo(PFLT_INSTANCE Instance);
/* The same for the end of its setup callback. */
VOID FltpWaitForSetup(PFLT_INSTANCE Instance);

/* hang.c: for FvRegisterHolder. */
VOID NTAPI FltpTellHeld(PFV_TELL Tell, BOOLEAN Frozen);

/* The image goes: a reference that its code never gave back is a bugcheck.  Verifier only. */
VOID FltpCheckReferencesAtUnload(PVOID Image);

#endif
