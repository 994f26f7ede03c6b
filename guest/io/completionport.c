/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Completion ports: queues of what I/O on files came to.
 *
 * A port is a KQUEUE.  A packet of I/O that a file object's port is told of is queued as it is, so completion needs no
 * memory; its second stage is over then, and it is freed when somebody takes it, or with the port.  What NtSetIoCompletion
 * posts is a small packet of its own, whose head lies as the I/O packet's does.
 */
#include "iop.h"

#define IO_COMPLETION_QUERY_STATE  0x1
#define IO_COMPLETION_MODIFY_STATE 0x2
#define IO_COMPLETION_ALL_ACCESS   (STANDARD_RIGHTS_REQUIRED | SYNCHRONIZE | 0x3)

#define IOP_TAG_PORT     'tPoI'
#define IOP_MOST_PACKETS 64 /* that one call takes */
#define IOP_FROM_IRP     0  /* PacketType */
#define IOP_FROM_CALLER  1

POBJECT_TYPE IopCompletionPortType;

/* A posted packet. */
typedef struct _IOP_PACKET {
    LIST_ENTRY ListEntry;
    ULONG PacketType;
    FILE_IO_COMPLETION_INFORMATION Information;
} IOP_PACKET, *PIOP_PACKET;
C_ASSERT(FIELD_OFFSET(IOP_PACKET, PacketType) - FIELD_OFFSET(IOP_PACKET, ListEntry) ==
         FIELD_OFFSET(IRP, Tail.Overlay.PacketType) - FIELD_OFFSET(IRP, Tail.Overlay.ListEntry));

/* What the packet tells; it is gone afterwards. */
static VOID IopTakePacket(PLIST_ENTRY Entry, PFILE_IO_COMPLETION_INFORMATION Information)
{
    PIOP_PACKET Packet = CONTAINING_RECORD(Entry, IOP_PACKET, ListEntry);
    PIRP Irp = CONTAINING_RECORD(Entry, IRP, Tail.Overlay.ListEntry);

    if (Packet->PacketType == IOP_FROM_CALLER) {
        *Information = Packet->Information;
        ExFreePoolWithTag(Packet, IOP_TAG_PORT);
    } else {
        Information->KeyContext = Irp->Tail.CompletionKey;
        Information->ApcContext = Irp->Overlay.AsynchronousParameters.UserApcContext;
        Information->IoStatusBlock = Irp->IoStatus;
        IoFreeIrp(Irp);
    }
}

/* Sends away who waits, and frees what nobody took.  PASSIVE_LEVEL. */
static VOID IopRunDownPort(PKQUEUE Port)
{
    PLIST_ENTRY First = KeRundownQueue(Port), Entry = First;
    FILE_IO_COMPLETION_INFORMATION Information;

    while (Entry != NULL) {
        PLIST_ENTRY Next = Entry->Flink != First ? Entry->Flink : NULL;

        IopTakePacket(Entry, &Information);
        Entry = Next;
    }
}

/* The last handle is closed: who waits is told, and nobody may wait any more. */
static VOID IopClosePort(PEPROCESS Process, PVOID Object, ULONG_PTR ProcessHandleCount, ULONG_PTR SystemHandleCount)
{
    UNREFERENCED_PARAMETER(Process);
    UNREFERENCED_PARAMETER(ProcessHandleCount);
    if (SystemHandleCount == 1) {
        IopRunDownPort(Object);
    }
}

/* No file object has it any more. */
static VOID IopDeletePort(PVOID Object)
{
    IopRunDownPort(Object);
}

NTSTATUS IopInitializePorts(VOID)
{
    static const GENERIC_MAPPING Mapping = {STANDARD_RIGHTS_READ | IO_COMPLETION_QUERY_STATE,
                                            STANDARD_RIGHTS_WRITE | IO_COMPLETION_MODIFY_STATE,
                                            STANDARD_RIGHTS_EXECUTE | SYNCHRONIZE, IO_COMPLETION_ALL_ACCESS};
    UNICODE_STRING Name = RTL_CONSTANT_STRING(L"IoCompletion");
    OBJECT_TYPE_INITIALIZER Type;

    RtlZeroMemory(&Type, sizeof(Type));
    Type.Length = sizeof(Type);
    Type.Secured = TRUE;
    Type.GenericMapping = Mapping;
    Type.ValidAccessMask = IO_COMPLETION_ALL_ACCESS;
    Type.MaintainHandleCount = TRUE;
    Type.PoolType = NonPagedPoolNx;
    Type.CloseProcedure = IopClosePort;
    Type.DeleteProcedure = IopDeletePort;
    return ObCreateObjectType(&Name, &Type, NULL, &IopCompletionPortType);
}

static NTSTATUS IopReferencePort(HANDLE Handle, ACCESS_MASK Access, PKQUEUE *Port)
{
    return ObReferenceObjectByHandle(Handle, Access, IopCompletionPortType, ExGetPreviousMode(), (PVOID *)Port, NULL);
}

/* ---- files ----------------------------------------------------------------------------------------------- */

NTSTATUS IopSetPort(PFILE_OBJECT FileObject, HANDLE PortHandle, PVOID Key)
{
    PIO_COMPLETION_CONTEXT Context;
    PKQUEUE Port;
    NTSTATUS Status;

    if (IopIsSynchronous(FileObject)) {
        return STATUS_INVALID_PARAMETER;
    }
    Status = IopReferencePort(PortHandle, IO_COMPLETION_MODIFY_STATE, &Port);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Context = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Context), IOP_TAG_PORT);
    if (Context == NULL) {
        ObDereferenceObject(Port);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Context->Port = Port;
    Context->Key = Key;
    if (InterlockedCompareExchangePointer((PVOID *)&FileObject->CompletionContext, Context, NULL) != NULL) {
        ExFreePoolWithTag(Context, IOP_TAG_PORT);
        ObDereferenceObject(Port);
        return STATUS_INVALID_PARAMETER; /* it has one */
    }
    return STATUS_SUCCESS;
}

VOID IopReleasePort(PFILE_OBJECT FileObject)
{
    PIO_COMPLETION_CONTEXT Context = FileObject->CompletionContext;

    if (Context != NULL) {
        FileObject->CompletionContext = NULL;
        ObDereferenceObject(Context->Port);
        ExFreePoolWithTag(Context, IOP_TAG_PORT);
    }
}

BOOLEAN IopTellPort(PIRP Irp, PFILE_OBJECT FileObject)
{
    PIO_COMPLETION_CONTEXT Context = FileObject != NULL ? FileObject->CompletionContext : NULL;

    if (Context == NULL || (Irp->Flags & (IRP_CREATE_OPERATION | IRP_SYNCHRONOUS_API)) != 0 ||
        Irp->Overlay.AsynchronousParameters.UserApcContext == NULL) {
        return FALSE;
    }
    Irp->Tail.CompletionKey = Context->Key;
    Irp->Tail.Overlay.PacketType = IOP_FROM_IRP;
    KeInsertQueue(Context->Port, &Irp->Tail.Overlay.ListEntry);
    return TRUE;
}

static NTSTATUS IopPost(PKQUEUE Port, PVOID Key, PVOID ApcContext, NTSTATUS IoStatus, ULONG_PTR Bytes)
{
    PIOP_PACKET Packet = ExAllocatePoolWithTag(NonPagedPoolNx, sizeof(*Packet), IOP_TAG_PORT);

    if (Packet == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Packet->PacketType = IOP_FROM_CALLER;
    Packet->Information.KeyContext = Key;
    Packet->Information.ApcContext = ApcContext;
    Packet->Information.IoStatusBlock.Status = IoStatus;
    Packet->Information.IoStatusBlock.Information = Bytes;
    KeInsertQueue(Port, &Packet->ListEntry);
    return STATUS_SUCCESS;
}

VOID IopTellPortOfFast(PFILE_OBJECT FileObject, PVOID ApcContext, const IO_STATUS_BLOCK *Result)
{
    PIO_COMPLETION_CONTEXT Context = FileObject->CompletionContext;

    if (Context != NULL && ApcContext != NULL && !NT_ERROR(Result->Status)) {
        IopPost(Context->Port, Context->Key, ApcContext, Result->Status, Result->Information);
    }
}

/* ---- services, all at PASSIVE_LEVEL ----------------------------------------------------------------------- */

/* Threads: how many may run at once; 0: as many as there are processors. */
NTSTATUS NTAPI NtCreateIoCompletion(PHANDLE PortHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES Attributes,
                                    ULONG Threads)
{
    KPROCESSOR_MODE Mode = ExGetPreviousMode();
    OB_CAPTURED Captured;
    HANDLE Handle = NULL;
    PKQUEUE Port;
    NTSTATUS Status = ObCapture(Attributes, PortHandle, &Captured);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Status = ObCreateObject(Mode, IopCompletionPortType, Captured.Attributes, Mode, NULL, sizeof(KQUEUE), 0, 0,
                            (PVOID *)&Port);
    if (NT_SUCCESS(Status)) {
        KeInitializeQueue(Port, Threads);
        Status = ObInsertObject(Port, NULL, DesiredAccess, 0, NULL, &Handle);
    }
    ObReleaseCaptured(&Captured);
    return ObTellHandle(Status, Handle, PortHandle);
}

/* Posts a packet. */
NTSTATUS NTAPI NtSetIoCompletion(HANDLE PortHandle, PVOID Key, PVOID ApcContext, NTSTATUS IoStatus, ULONG_PTR Bytes)
{
    PKQUEUE Port;
    NTSTATUS Status = IopReferencePort(PortHandle, IO_COMPLETION_MODIFY_STATE, &Port);

    if (NT_SUCCESS(Status)) {
        Status = IopPost(Port, Key, ApcContext, IoStatus, Bytes);
        ObDereferenceObject(Port);
    }
    return Status;
}

/* The depth of the queue is all that can be asked. */
NTSTATUS NTAPI NtQueryIoCompletion(HANDLE PortHandle, ULONG Class, PVOID Buffer, ULONG Length, PULONG ReturnLength)
{
    PKQUEUE Port;
    NTSTATUS Status;
    LONG Depth;

    if (Class != 0 /* IoCompletionBasicInformation */) {
        return STATUS_INVALID_INFO_CLASS;
    }
    if (Length != sizeof(Depth)) {
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    Status = IopReferencePort(PortHandle, IO_COMPLETION_QUERY_STATE, &Port);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Depth = KeReadStateQueue(Port);
    ObDereferenceObject(Port);
    __try {
        if (ExGetPreviousMode() != KernelMode) {
            ProbeForWrite(Buffer, sizeof(Depth), sizeof(ULONG));
            if (ReturnLength != NULL) {
                ProbeForWrite(ReturnLength, sizeof(*ReturnLength), sizeof(ULONG));
            }
        }
        *(PLONG)Buffer = Depth;
        if (ReturnLength != NULL) {
            *ReturnLength = sizeof(Depth);
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

/* A time-out of the caller's, which *Timeout points to afterwards; NULL stays. */
static NTSTATUS IopCaptureTimeout(PLARGE_INTEGER *Timeout, PLARGE_INTEGER Captured)
{
    if (*Timeout == NULL) {
        return STATUS_SUCCESS;
    }
    __try {
        if (ExGetPreviousMode() != KernelMode) {
            ProbeForRead(*Timeout, sizeof(**Timeout), sizeof(ULONG));
        }
        *Captured = **Timeout;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    *Timeout = Captured;
    return STATUS_SUCCESS;
}

/* Whether KeRemoveQueue gave a status, not an entry. */
static BOOLEAN IopIsStatus(PLIST_ENTRY Entry)
{
    return (LONG_PTR)Entry >= 0;
}

/* Takes one packet, waiting for the first as long as the time-out says; STATUS_TIMEOUT, STATUS_USER_APC, STATUS_ABANDONED. */
NTSTATUS NTAPI NtRemoveIoCompletion(HANDLE PortHandle, PVOID *Key, PVOID *ApcContext, PIO_STATUS_BLOCK IoStatusBlock,
                                    PLARGE_INTEGER Timeout)
{
    KPROCESSOR_MODE Mode = ExGetPreviousMode();
    FILE_IO_COMPLETION_INFORMATION Information;
    LARGE_INTEGER Captured;
    PLIST_ENTRY Entry;
    PKQUEUE Port;
    NTSTATUS Status = IopCaptureTimeout(&Timeout, &Captured);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    __try {
        if (Mode != KernelMode) {
            ProbeForWrite(Key, sizeof(*Key), sizeof(ULONG));
            ProbeForWrite(ApcContext, sizeof(*ApcContext), sizeof(ULONG));
            ProbeForWrite(IoStatusBlock, sizeof(*IoStatusBlock), sizeof(ULONG));
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    Status = IopReferencePort(PortHandle, IO_COMPLETION_MODIFY_STATE, &Port);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Entry = KeRemoveQueue(Port, Mode, Timeout);
    ObDereferenceObject(Port);
    if (IopIsStatus(Entry)) {
        return (NTSTATUS)(LONG_PTR)Entry;
    }
    IopTakePacket(Entry, &Information);
    __try {
        *Key = Information.KeyContext;
        *ApcContext = Information.ApcContext;
        *IoStatusBlock = Information.IoStatusBlock;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode(); /* it is taken, and not told */
    }
    return STATUS_SUCCESS;
}

/* Takes what there is, up to Count packets, and waits only while there is none. */
NTSTATUS NTAPI NtRemoveIoCompletionEx(HANDLE PortHandle, PFILE_IO_COMPLETION_INFORMATION Packets, ULONG Count,
                                      PULONG Removed, PLARGE_INTEGER Timeout, BOOLEAN Alertable)
{
    static LARGE_INTEGER None = {.QuadPart = 0};
    KPROCESSOR_MODE Mode = ExGetPreviousMode();
    FILE_IO_COMPLETION_INFORMATION Information;
    LARGE_INTEGER Captured;
    PLIST_ENTRY Entry;
    PKQUEUE Port;
    ULONG Taken = 0;
    NTSTATUS Status = IopCaptureTimeout(&Timeout, &Captured);

    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    if (Count == 0) {
        return STATUS_INVALID_PARAMETER;
    }
    Count = min(Count, IOP_MOST_PACKETS);
    __try {
        if (Mode != KernelMode) {
            ProbeForWrite(Packets, Count * sizeof(*Packets), sizeof(ULONG));
            ProbeForWrite(Removed, sizeof(*Removed), sizeof(ULONG));
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
    Status = IopReferencePort(PortHandle, IO_COMPLETION_MODIFY_STATE, &Port);
    if (!NT_SUCCESS(Status)) {
        return Status;
    }
    Entry = KeRemoveQueueAlertable(Port, Mode, Alertable, Timeout);
    if (IopIsStatus(Entry)) {
        Status = (NTSTATUS)(LONG_PTR)Entry;
    }
    __try {
        while (!IopIsStatus(Entry)) {
            IopTakePacket(Entry, &Information);
            Packets[Taken++] = Information;
            Entry = Taken < Count ? KeRemoveQueue(Port, Mode, &None) : NULL;
        }
        *Removed = Taken;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    ObDereferenceObject(Port);
    return Status;
}
