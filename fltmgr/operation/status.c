/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * status.c: filters that want to know what the call of the lower driver returned (FltRequestOperationStatusCallback).
 *
 * A request for it hangs on the operation while pre-callbacks are called; who sends the operation takes them all off
 * first, as the operation may be over when the lower driver returns.  Each holds its instance.
 */
#include "operation.h"

#define FLTP_TAG_STATUS 'sStF'

typedef struct _FLTP_STATUS_REQUEST {
    struct _FLTP_STATUS_REQUEST *Next;
    PFLT_GET_OPERATION_STATUS_CALLBACK Callback;
    PVOID Context;
    FLT_RELATED_OBJECTS Objects;
    FLT_IO_PARAMETER_BLOCK Snapshot;
} FLTP_STATUS_REQUEST;

/* IRQL: <= APC_LEVEL.  STATUS_INVALID_PARAMETER: not in a pre-callback, not by a request, or of a close. */
NTSTATUS FLTAPI FltRequestOperationStatusCallback(PFLT_CALLBACK_DATA Data,
                                                  PFLT_GET_OPERATION_STATUS_CALLBACK CallbackRoutine,
                                                  PVOID RequesterContext)
{
    PFLTP_OPERATION Operation =
        FltpCheckData(Data, "rule=FltRequestOperationStatusCallback was given no operation under way\n");
    PFLTP_STATUS_REQUEST Request;
    PFLTP_NODE Node;

    if (!FLT_IS_IRP_OPERATION(Data) || Operation->Iopb.MajorFunction == IRP_MJ_CLOSE || Operation->Completed ||
        Operation->Magic != FLTP_MAGIC_OPERATION || Operation->Current >= Operation->Count)
        return STATUS_INVALID_PARAMETER;
    Node = &Operation->Nodes[Operation->Current];
    if (Node->State != FltpNodePre)
        return STATUS_INVALID_PARAMETER;
    if (Node->Instance->TearingDown || !FltpAcquireRundown(&Node->Instance->Io))
        return STATUS_FLT_DELETING_OBJECT;
    Request = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Request), FLTP_TAG_STATUS);
    if (Request == NULL) {
        FltpLeaveInstance(Node->Instance);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Request->Callback = CallbackRoutine;
    Request->Context = RequesterContext;
    Request->Snapshot = Operation->Iopb;
    FltpFillObjects(&Request->Objects, Node->Instance, Operation->Iopb.TargetFileObject);
    Request->Next = Operation->StatusRequests;
    Operation->StatusRequests = Request;
    return STATUS_SUCCESS;
}

/* The last that asked is the lowest, and told first. */
VOID FltpTellStatus(PFLTP_STATUS_REQUEST Request, NTSTATUS Status)
{
    while (Request != NULL) {
        PFLTP_STATUS_REQUEST Next = Request->Next;
        PFLT_GET_OPERATION_STATUS_CALLBACK Callback = Request->Callback;
        FV_CALL Call;

        FvBeginCall(&Call);
        Callback(&Request->Objects, &Request->Snapshot, Status, Request->Context);
        FvEndCall(&Call, (PVOID)Callback, "operation status callback", (ULONG_PTR)&Request->Snapshot);
        FltpLeaveInstance(Request->Objects.Instance);
        ExFreePoolWithTag(Request, FLTP_TAG_STATUS);
        Request = Next;
    }
}
