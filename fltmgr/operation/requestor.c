/* SPDX-License-Identifier: GPL-2.0-or-later */
/* requestor.c: who asked for an operation, and waits that end when they give up.  IRQL: <= APC_LEVEL. */
#include "operation.h"

NTKERNELAPI PVOID NTAPI PsGetProcessWow64Process(PEPROCESS Process);

PEPROCESS FLTAPI FltGetRequestorProcess(PFLT_CALLBACK_DATA CallbackData)
{
    return CallbackData->Thread != NULL ? IoThreadToProcess(CallbackData->Thread) : NULL;
}

HANDLE FLTAPI FltGetRequestorProcessIdEx(PFLT_CALLBACK_DATA CallbackData)
{
    PEPROCESS Process = FltGetRequestorProcess(CallbackData);

    return Process != NULL ? PsGetProcessId(Process) : NULL;
}

ULONG FLTAPI FltGetRequestorProcessId(PFLT_CALLBACK_DATA CallbackData)
{
    return HandleToUlong(FltGetRequestorProcessIdEx(CallbackData));
}

/* STATUS_UNSUCCESSFUL: no thread is known to have asked. */
NTSTATUS FLTAPI FltGetRequestorSessionId(PFLT_CALLBACK_DATA CallbackData, PULONG SessionId)
{
    PEPROCESS Process = FltGetRequestorProcess(CallbackData);
    PACCESS_TOKEN Token;

    *SessionId = MAXULONG;
    if (Process == NULL)
        return STATUS_UNSUCCESSFUL;
    Token = PsReferencePrimaryToken(Process);
    SeQuerySessionIdToken(Token, SessionId);
    PsDereferencePrimaryToken(Token);
    return STATUS_SUCCESS;
}

/* A request's own process where there is a request, else the caller's. */
BOOLEAN FLTAPI FltIs32bitProcess(PFLT_CALLBACK_DATA CallbackData)
{
    PEPROCESS Process = PsGetCurrentProcess();

    if (CallbackData != NULL && FLT_IS_IRP_OPERATION(CallbackData)) {
        if (CallbackData->RequestorMode == KernelMode)
            return FALSE;
        Process = FltGetRequestorProcess(CallbackData);
    }
    return Process != NULL && PsGetProcessWow64Process(Process) != NULL;
}

/* --- Waiting --- */

static PIRP FltpCancellableIrp(PFLT_CALLBACK_DATA Data)
{
    if (Data == NULL || !FLT_IS_IRP_OPERATION(Data))
        return NULL;
    return FltpCheckAnyData(Data, "rule=A cancellable wait was given no callback data\n")->Irp;
}

/* Also STATUS_CANCELLED: the operation was; STATUS_THREAD_IS_TERMINATING: the thread is to end. */
NTSTATUS FLTAPI FltCancellableWaitForSingleObject(PVOID Object, PLARGE_INTEGER Timeout, PFLT_CALLBACK_DATA CallbackData)
{
    return FsRtlCancellableWaitForSingleObject(Object, Timeout, FltpCancellableIrp(CallbackData));
}

NTSTATUS FLTAPI FltCancellableWaitForMultipleObjects(ULONG Count, PVOID ObjectArray[], WAIT_TYPE WaitType,
                                                     PLARGE_INTEGER Timeout, PKWAIT_BLOCK WaitBlockArray,
                                                     PFLT_CALLBACK_DATA CallbackData)
{
    return FsRtlCancellableWaitForMultipleObjects(Count, ObjectArray, WaitType, Timeout, WaitBlockArray,
                                                  FltpCancellableIrp(CallbackData));
}
