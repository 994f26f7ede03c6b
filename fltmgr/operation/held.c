/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * held.c: since when a filter holds an operation, for reports of what lasts too long.
 *
 * A callback that has given its operation away, or has kept it, leaves nothing of it to whoever called the callback: it may be
 * over.  So the time is not noted in the operation but in a small table beside it, at the place of its block, where a later one
 * takes it.  What is read there of another block is passed over.
 */
#include "operation.h"

#define FLTP_NOTES 128

typedef struct _FLTP_NOTE {
    const VOID *volatile Operation;
    volatile ULONG64 Since;
} FLTP_NOTE;

static FLTP_NOTE FltpNotes[FLTP_NOTES];

static FLTP_NOTE *FltpNoteOf(const FLTP_OPERATION *Operation)
{
    return &FltpNotes[((ULONG_PTR)Operation >> 6 ^ (ULONG_PTR)Operation >> 13) % FLTP_NOTES];
}

VOID FltpNoteHeld(const FLTP_OPERATION *Operation)
{
    FLTP_NOTE *Note = FltpNoteOf(Operation);

    Note->Operation = NULL;
    Note->Since = FltpNow();
    Note->Operation = Operation;
}

ULONG64 FltpHeldSince(const FLTP_OPERATION *Operation)
{
    const FLTP_NOTE *Note = FltpNoteOf(Operation);

    return Note->Operation == Operation ? Note->Since : 0;
}

/*
 * The frame that called the node's callback says whose it is until the callback has returned.  Its stack may be gone, or
 * another's; but no frame names an operation that it does not call back for.
 */
BOOLEAN FltpIsInCallback(const FLTP_OPERATION *Operation, const FLTP_NODE *Node)
{
    const FLTP_CALL *Call = Node->Call;

    return MmIsAddressValid((PVOID)&Call->Operation) && Call->Operation == Operation;
}
