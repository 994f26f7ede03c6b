/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * snapshot: every process and its threads, as ZwQuerySystemInformation tells of them (SystemProcessInformation).
 *
 * The processes are referenced under the lock and told of without it.  The idle process, which is ke's, is not among them;
 * counters of memory, faults and I/O are zero.
 */
#include "psp.h"
#include <snapshot.h>

#define PSP_SNAPSHOT_TAG 'nSsP'

typedef struct _PSP_SNAPSHOT {
    PUCHAR To;
    ULONG Length; /* that there are */
    ULONG Needed; /* so far */
} PSP_SNAPSHOT;

static ULONG PspCountProcesses(PEPROCESS *Processes, ULONG Room)
{
    KIRQL Irql = KeAcquireSpinLockRaiseToDpc(&PspLock);
    ULONG Count = 0;

    for (PLIST_ENTRY Entry = PspProcessListHead.Flink; Entry != &PspProcessListHead; Entry = Entry->Flink) {
        PEPROCESS Process = CONTAINING_RECORD(Entry, EPROCESS, ActiveProcessLinks);

        if (Count >= Room || ObReferenceObjectSafe(Process)) {
            if (Count < Room) {
                Processes[Count] = Process;
            }
            Count++;
        }
    }
    KeReleaseSpinLock(&PspLock, Irql);
    return Count;
}

/* In pool, each referenced; *Count may be fewer than there are by now. */
static PEPROCESS *PspReferenceProcesses(PULONG Count)
{
    ULONG Room = PspCountProcesses(NULL, 0) + 8;
    PEPROCESS *Processes = ExAllocatePoolWithTag(NonPagedPoolNx, Room * sizeof(*Processes), PSP_SNAPSHOT_TAG);

    if (Processes != NULL) {
        *Count = min(PspCountProcesses(Processes, Room), Room);
    }
    return Processes;
}

/* The next Size bytes, zeroed; NULL: there is no room, which is counted all the same. */
static PVOID PspRoom(PSP_SNAPSHOT *Snapshot, ULONG Size)
{
    PVOID Room = Snapshot->Needed + Size <= Snapshot->Length ? Snapshot->To + Snapshot->Needed : NULL;

    Snapshot->Needed += Size;
    if (Room != NULL) {
        RtlZeroMemory(Room, Size);
    }
    return Room;
}

static VOID PspTellOneThread(PSP_SNAPSHOT *Snapshot, PETHREAD Thread)
{
    PS_SYSTEM_THREAD *Info = PspRoom(Snapshot, sizeof(*Info));

    if (Info == NULL) {
        return;
    }
    Info->KernelTime.QuadPart = Thread->Tcb.KernelTime * PSP_TICK;
    Info->CreateTime = Thread->CreateTime;
    Info->StartAddress = (PVOID)Thread->StartAddress;
    Info->ClientId = Thread->Cid;
    Info->Priority = Thread->Tcb.Priority;
    Info->BasePriority = Thread->Tcb.BasePriority;
    Info->ContextSwitches = Thread->Tcb.ContextSwitches;
    Info->ThreadState = (ULONG)Thread->Tcb.State;
    Info->WaitReason = Thread->Tcb.WaitReason;
}

static UNICODE_STRING PspBaseName(PEPROCESS Process)
{
    UNICODE_STRING Name = Process->ImageName;

    for (USHORT I = Name.Length / sizeof(WCHAR); I > 0; I--) {
        if (Process->ImageName.Buffer[I - 1] == L'\\') {
            Name.Buffer += I;
            Name.Length -= I * sizeof(WCHAR);
            break;
        }
    }
    return Name;
}

static VOID PspTellOneProcess(PSP_SNAPSHOT *Snapshot, PEPROCESS Process, BOOLEAN Last)
{
    UNICODE_STRING Name = PspBaseName(Process);
    ULONG Start = Snapshot->Needed, NameSize = (ULONG)ALIGN_UP_BY(Name.Length + sizeof(WCHAR), sizeof(ULONG64));
    PS_SYSTEM_PROCESS *Info = PspRoom(Snapshot, sizeof(*Info));
    PETHREAD Thread = NULL;
    LONG64 KernelTime = 0;
    ULONG Threads = 0;
    PWCHAR Text;

    for (; (Thread = PsGetNextProcessThread(Process, Thread)) != NULL; Threads++) {
        PspTellOneThread(Snapshot, Thread);
        KernelTime += Thread->Tcb.KernelTime * PSP_TICK;
    }
    Text = PspRoom(Snapshot, NameSize);
    if (Info == NULL || Text == NULL) {
        return;
    }
    RtlCopyMemory(Text, Name.Buffer, Name.Length);
    Info->NextEntryOffset = Last ? 0 : Snapshot->Needed - Start;
    Info->NumberOfThreads = Threads;
    Info->CreateTime = Process->CreateTime;
    Info->KernelTime.QuadPart = KernelTime;
    Info->ImageName = (UNICODE_STRING){Name.Length, Name.Length + sizeof(WCHAR), Text};
    Info->BasePriority = Process->Pcb.BasePriority;
    Info->UniqueProcessId = Process->UniqueProcessId;
    Info->InheritedFromUniqueProcessId = Process->InheritedFromUniqueProcessId;
}

NTSTATUS PsTellProcesses(PVOID Buffer, ULONG Length, PULONG Needed)
{
    PSP_SNAPSHOT Snapshot = {Buffer, Length, 0};
    PEPROCESS *Processes;
    ULONG Count = 0;

    *Needed = 0;
    Processes = PspReferenceProcesses(&Count);
    if (Processes == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    for (ULONG I = 0; I < Count; I++) {
        PspTellOneProcess(&Snapshot, Processes[I], I + 1 == Count);
        ObDereferenceObject(Processes[I]);
    }
    ExFreePoolWithTag(Processes, PSP_SNAPSHOT_TAG);
    *Needed = Snapshot.Needed;
    return Snapshot.Needed <= Length ? STATUS_SUCCESS : STATUS_INFO_LENGTH_MISMATCH;
}
