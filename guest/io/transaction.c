// SPDX-License-Identifier: GPL-2.0-or-later
/* Transactions: their type is there, to compare with and to open by; none of them ever is. */
#include "iop.h"

POBJECT_TYPE IopTransactionType;

NTSTATUS IopInitializeTransactions(VOID)
{
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"TmTx");
    OBJECT_TYPE_INITIALIZER Type;

    RtlZeroMemory(&Type, sizeof(Type));
    Type.Length = sizeof(Type);
    Type.PoolType = NonPagedPoolNx;
    Type.WaitOffset = OB_NOT_WAITABLE;
    Type.ValidAccessMask = TRANSACTION_ALL_ACCESS;
    Type.GenericMapping = (GENERIC_MAPPING){TRANSACTION_GENERIC_READ, TRANSACTION_GENERIC_WRITE,
                                            TRANSACTION_GENERIC_EXECUTE, TRANSACTION_ALL_ACCESS};
    return ObCreateObjectType(&Name, &Type, NULL, &IopTransactionType);
}

/* PASSIVE_LEVEL.  STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH: no handle is one of a transaction. */
NTSTATUS NTAPI ZwQueryInformationTransaction(HANDLE TransactionHandle,
                                             TRANSACTION_INFORMATION_CLASS TransactionInformationClass,
                                             PVOID TransactionInformation, ULONG TransactionInformationLength,
                                             PULONG ReturnLength)
{
    NTSTATUS Status;
    PVOID Object;

    UNREFERENCED_PARAMETER(TransactionInformationClass);
    UNREFERENCED_PARAMETER(TransactionInformation);
    UNREFERENCED_PARAMETER(TransactionInformationLength);
    UNREFERENCED_PARAMETER(ReturnLength);
    PAGED_CODE();
    Status = ObReferenceObjectByHandle(TransactionHandle, TRANSACTION_QUERY_INFORMATION, IopTransactionType, KernelMode,
                                       &Object, NULL);
    if (NT_SUCCESS(Status)) {
        ObDereferenceObject(Object);
        Status = STATUS_NOT_IMPLEMENTED;
    }
    return Status;
}
