/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flight.c: filters' own I/O that has not come back, for reports of what lasts too long.  With the verifier on.
 *
 * What is told of it is kept apart from it, since it may be over while it is looked at.  The table is bounded; what finds no
 * room is not told.
 */
#include <hold.h>
#include "issue.h"

#define FLTP_FLIGHTS 64

static FLTP_FLIGHT FltpFlights[FLTP_FLIGHTS];

PFLTP_FLIGHT FltpBeginFlight(PFLTP_ISSUED Issued, PVOID Thread)
{
    ULONG_PTR Start = (ULONG_PTR)Issued >> 6;

    if (!FltpVerify)
        return NULL;
    for (ULONG Index = 0; Index < FLTP_FLIGHTS; Index++) {
        PFLTP_FLIGHT Flight = &FltpFlights[(Start + Index) % FLTP_FLIGHTS];

        if (Flight->Taken || InterlockedCompareExchange(&Flight->Taken, TRUE, FALSE))
            continue;
        FltpCaptureCaller(Flight->Caller);
        Flight->Since = FltpNow();
        Flight->Data = &Issued->Operation.Data;
        Flight->Thread = Thread;
        Flight->MajorFunction = Issued->Operation.Iopb.MajorFunction;
        InterlockedExchangePointer((PVOID volatile *)&Flight->Instance, Issued->Initiator);
        return Flight;
    }
    return NULL;
}

VOID FltpEndFlight(PFLTP_FLIGHT Flight)
{
    if (Flight == NULL)
        return;
    InterlockedExchangePointer((PVOID volatile *)&Flight->Instance, NULL);
    Flight->Taken = FALSE;
}

const FLTP_FLIGHT *FltpNextFlight(const FLTP_FLIGHT *Flight, PFLT_INSTANCE Instance)
{
    for (Flight = Flight == NULL ? FltpFlights : Flight + 1; Flight < FltpFlights + FLTP_FLIGHTS; Flight++) {
        if (Flight->Instance == Instance)
            return Flight;
    }
    return NULL;
}
