/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * absent.c: what belongs to objects that this machine does not have: kernel transactions.  Each routine is there with its
 * documented refusal.  IRQL: <= APC_LEVEL.
 */
#include <context.h>

/* --- Transactions: there is none that this could be --- */

static NTSTATUS FltpNoTransaction(PCSTR Routine, NTSTATUS Status)
{
    DbgPrint("fltmgr: %s: this machine has no transactions\n", Routine);
    return Status;
}

NTSTATUS FLTAPI FltSetTransactionContext(PFLT_INSTANCE Instance, PKTRANSACTION Transaction,
                                         FLT_SET_CONTEXT_OPERATION Operation, PFLT_CONTEXT NewContext,
                                         PFLT_CONTEXT *OldContext)
{
    UNREFERENCED_PARAMETER(Instance);
    UNREFERENCED_PARAMETER(Transaction);
    UNREFERENCED_PARAMETER(Operation);
    UNREFERENCED_PARAMETER(NewContext);
    if (OldContext != NULL)
        *OldContext = NULL_CONTEXT;
    return FltpNoTransaction("FltSetTransactionContext", STATUS_NOT_SUPPORTED);
}

NTSTATUS FLTAPI FltGetTransactionContext(PFLT_INSTANCE Instance, PKTRANSACTION Transaction, PFLT_CONTEXT *Context)
{
    UNREFERENCED_PARAMETER(Instance);
    UNREFERENCED_PARAMETER(Transaction);
    *Context = NULL_CONTEXT;
    return STATUS_NOT_FOUND;
}

NTSTATUS FLTAPI FltDeleteTransactionContext(PFLT_INSTANCE Instance, PKTRANSACTION Transaction, PFLT_CONTEXT *OldContext)
{
    UNREFERENCED_PARAMETER(Instance);
    UNREFERENCED_PARAMETER(Transaction);
    if (OldContext != NULL)
        *OldContext = NULL_CONTEXT;
    return STATUS_NOT_FOUND;
}

/* STATUS_INVALID_PARAMETER: the filter takes no notifications; STATUS_INVALID_PARAMETER_4: no such notification. */
NTSTATUS FLTAPI FltEnlistInTransaction(PFLT_INSTANCE Instance, PKTRANSACTION Transaction,
                                       PFLT_CONTEXT TransactionContext, ULONG NotificationMask)
{
    UNREFERENCED_PARAMETER(Transaction);
    UNREFERENCED_PARAMETER(TransactionContext);
    if (Instance->Filter->Registration.TransactionNotificationCallback == NULL)
        return STATUS_INVALID_PARAMETER;
    if (NotificationMask == 0 || (NotificationMask & ~FLT_MAX_TRANSACTION_NOTIFICATIONS) != 0)
        return STATUS_INVALID_PARAMETER_4;
    if (Instance->TearingDown)
        return STATUS_FLT_DELETING_OBJECT;
    return FltpNoTransaction("FltEnlistInTransaction", STATUS_NOT_SUPPORTED);
}

/* Documented where the filter has no context on the transaction, which is everywhere. */
#define FLTP_NOT_ENLISTED(Routine_)                                                                                    \
    NTSTATUS FLTAPI Routine_(PFLT_INSTANCE Instance, PKTRANSACTION Transaction, PFLT_CONTEXT TransactionContext)       \
    {                                                                                                                  \
        UNREFERENCED_PARAMETER(Instance);                                                                              \
        UNREFERENCED_PARAMETER(Transaction);                                                                           \
        UNREFERENCED_PARAMETER(TransactionContext);                                                                    \
        return FltpNoTransaction(#Routine_, STATUS_NOT_FOUND);                                                         \
    }

FLTP_NOT_ENLISTED(FltRollbackEnlistment)
FLTP_NOT_ENLISTED(FltPrePrepareComplete)
FLTP_NOT_ENLISTED(FltPrepareComplete)
FLTP_NOT_ENLISTED(FltCommitComplete)
FLTP_NOT_ENLISTED(FltCommitFinalizeComplete)
FLTP_NOT_ENLISTED(FltRollbackComplete)
