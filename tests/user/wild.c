// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Asks the kernel for anything: services by chance, also some that there are not, with arguments by chance, CALLS of them by
 * SEED.  Half of the calls have a handle first that is one, and addresses of its own behind it, so that they get further.  It says
 * after every hundred how many they were: it may end by a fault of its own, as an APC may take it anywhere; the kernel may not.
 */
#include <ntifs.h>

NTSTATUS NTAPI NtCreateEvent(PHANDLE Event, ACCESS_MASK Access, POBJECT_ATTRIBUTES Attributes, EVENT_TYPE Type,
                             BOOLEAN State);
NTSTATUS Main(PVOID Peb);

/* The stub itself, not a jump to it. */
#define IMPORTED __declspec(dllimport)

/* Of NtNAME's stub: what it moves into eax. */
#define NUMBER(Name) (*(PULONG)((PUCHAR)(PVOID)Name + 4))

IMPORTED NTSTATUS NTAPI NtContinue(PCONTEXT Context, BOOLEAN TestAlert);
IMPORTED NTSTATUS NTAPI NtCreateSection(PHANDLE Section, ACCESS_MASK Access, POBJECT_ATTRIBUTES Attributes,
                                        PLARGE_INTEGER Size, ULONG Protection, ULONG Kind, HANDLE File);
IMPORTED NTSTATUS NTAPI NtDelayExecution(BOOLEAN Alertable, PLARGE_INTEGER Interval);
IMPORTED NTSTATUS NTAPI NtFreeVirtualMemory(HANDLE Process, PVOID *Base, PSIZE_T Size, ULONG Type);
IMPORTED NTSTATUS NTAPI NtProtectVirtualMemory(HANDLE Process, PVOID *Base, PSIZE_T Size, ULONG New, PULONG Old);
IMPORTED NTSTATUS NTAPI NtRaiseException(PEXCEPTION_RECORD Record, PCONTEXT Context, BOOLEAN FirstChance);
IMPORTED NTSTATUS NTAPI NtRemoveIoCompletion(HANDLE Port, PVOID *Key, PVOID *Context, PIO_STATUS_BLOCK Block,
                                             PLARGE_INTEGER Timeout);
IMPORTED NTSTATUS NTAPI NtRemoveIoCompletionEx(HANDLE Port, PVOID Packets, ULONG Count, PULONG Removed,
                                               PLARGE_INTEGER Timeout, BOOLEAN Alertable);
IMPORTED NTSTATUS NTAPI NtSuspendThread(HANDLE Thread, PULONG Previous);
IMPORTED NTSTATUS NTAPI NtTerminateProcess(HANDLE Process, NTSTATUS Status);
IMPORTED NTSTATUS NTAPI NtTerminateThread(HANDLE Thread, NTSTATUS Status);
IMPORTED NTSTATUS NTAPI NtWaitForMultipleObjects(ULONG Count, HANDLE *Handles, WAIT_TYPE Type, BOOLEAN Alertable,
                                                 PLARGE_INTEGER Timeout);
IMPORTED NTSTATUS NTAPI NtWaitForSingleObject(HANDLE Object, BOOLEAN Alertable, PLARGE_INTEGER Timeout);

static ULONG64 State = SEED * 0x9E3779B97F4A7C15ull + 1;
static UCHAR Room[8192] __attribute__((aligned(4096)));
static HANDLE Handles[4];
static LARGE_INTEGER Moment = {.QuadPart = -1000};

static ULONG64 Random(void)
{
    State ^= State << 13;
    State ^= State >> 7;
    State ^= State << 17;
    return State * 0x2545F4914F6CDD1Dull >> 16;
}

/* Numbers, handles, good addresses, bad ones. */
static ULONG64 Argument(void)
{
    static const ULONG64 Odd[] = {8,
                                  0x7FFFFFFEFFF0,
                                  0x7FFFFFFF0000,
                                  0x800000000000,
                                  0x8000000000000000,
                                  0xFFFFF80000200000,
                                  0xFFFF800000000000,
                                  0xFFFFFFFFFFFFFFF0,
                                  0xFFFFFFFF80000004};
    ULONG64 Value = Random();

    switch (Value & 7) {
    case 0: return 0;
    case 1: return Value >> 8 & 0xFF;
    case 2: return (ULONG64)0 - (Value >> 8 & 3);
    case 3: return Odd[(Value >> 8) % RTL_NUMBER_OF(Odd)];
    case 4: return (ULONG64)Handles[(Value >> 8) % RTL_NUMBER_OF(Handles)];
    case 5:
    case 6: return (ULONG64)(Room + (Value >> 8) % (sizeof(Room) - 64) / 8 * 8);
    default: return Value;
    }
}

/* Arguments that a service may get somewhere with: a handle, then places in the room, numbers, nothing. */
static void Mend(ULONG64 *A)
{
    A[0] = (ULONG64)Handles[Random() % RTL_NUMBER_OF(Handles)];
    for (ULONG Index = 1; Index < 14; Index++) {
        ULONG64 Value = Random();

        A[Index] = (Value & 3) == 0   ? Value >> 8 & 0xFFF
                   : (Value & 3) == 1 ? 0
                                      : (ULONG64)(Room + (Value >> 8) % (sizeof(Room) - 64) / 8 * 8);
    }
}

/* What the process stands on is not to go by chance: a base in it becomes one that is not. */
static void Spare(ULONG Number, const ULONG64 *A)
{
    PULONG64 Base = (PULONG64)A[1];
    BOOLEAN Indirect = Number == NUMBER(NtFreeVirtualMemory) || Number == NUMBER(NtProtectVirtualMemory);

    if (Indirect && A[1] - (ULONG64)Room < sizeof(Room) && *Base >= 0x100000000)
        *Base = 0x10000000;
}

static NTSTATUS Call(ULONG Number, const ULONG64 *A)
{
    const ULONG64 *Rest = A + 4;
    register ULONG64 Rax __asm__("rax") = Number;
    register ULONG64 R10 __asm__("r10") = A[0], Rdx __asm__("rdx") = A[1], R8 __asm__("r8") = A[2],
                         R9 __asm__("r9") = A[3];

    __asm__ volatile("sub $0x78, %%rsp\n\t"
                     "lea 0x28(%%rsp), %%rdi\n\t"
                     "mov $10, %%ecx\n\t"
                     "rep movsq\n\t"
                     "syscall\n\t"
                     "add $0x78, %%rsp"
                     : "+r"(Rax), "+r"(R10), "+r"(Rdx), "+r"(R8), "+r"(R9), "+S"(Rest)
                     :
                     : "rcx", "rdi", "r11", "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5");
    return (NTSTATUS)Rax;
}

static BOOLEAN IsEnd(ULONG Number)
{
    return Number == NUMBER(NtTerminateProcess) || Number == NUMBER(NtTerminateThread) ||
           Number == NUMBER(NtSuspendThread) || Number == NUMBER(NtContinue) || Number == NUMBER(NtRaiseException);
}

NTSTATUS Main(PVOID Peb)
{
    static WCHAR Text[] = L"\\Device\\HarddiskVolume1";
    UNICODE_STRING Name = {sizeof(Text) - 2, sizeof(Text), Text};
    OBJECT_ATTRIBUTES Attributes;
    LARGE_INTEGER Size = {.QuadPart = 0x30000};
    IO_STATUS_BLOCK IoStatus;
    ULONG64 A[14];
    ULONG Good = 0, Made = 0;

    UNREFERENCED_PARAMETER(Peb);
    InitializeObjectAttributes(&Attributes, &Name, OBJ_CASE_INSENSITIVE, NULL, NULL);
    NtCreateFile(&Handles[0], FILE_READ_DATA | FILE_WRITE_DATA | SYNCHRONIZE, &Attributes, &IoStatus, NULL, 0,
                 FILE_SHARE_READ | FILE_SHARE_WRITE, FILE_OPEN, SEED % 2 ? FILE_SYNCHRONOUS_IO_NONALERT : 0, NULL, 0);
    NtCreateEvent(&Handles[1], EVENT_ALL_ACCESS, NULL, SynchronizationEvent, TRUE);
    Handles[2] = (HANDLE)-1;
    NtCreateSection(&Handles[3], SECTION_ALL_ACCESS, NULL, &Size, PAGE_READWRITE, SEC_COMMIT, NULL);
    /* No addresses of its own: what it stands on would soon be freed. */
    for (ULONG Index = 0; Index < sizeof(Room); Index += 8)
        *(PULONG64)(Room + Index) = Random() >> (Random() & 63);
    for (ULONG Count = 0; Count < CALLS; Count++) {
        ULONG Number = (ULONG)(Random() % 60);

        for (ULONG Index = 0; Index < RTL_NUMBER_OF(A); Index++)
            A[Index] = Argument();
        if (Random() % 2)
            Mend(A);
        if (IsEnd(Number))
            continue;
        Spare(Number, A);
        /* No time is waited for that is longer than a moment. */
        if (Number == NUMBER(NtDelayExecution))
            A[1] = Count % 2 ? (ULONG64)&Moment : A[1] < 0x10000 || (LONG64)A[1] < 0 ? A[1] : 0;
        if (Number == NUMBER(NtWaitForSingleObject))
            A[2] = Count % 2 || A[2] == 0 || (A[2] > 0x10000 && A[2] < 0x7FFFFFFEFFF0) ? (ULONG64)&Moment : A[2];
        if (Number == NUMBER(NtWaitForMultipleObjects) || Number == NUMBER(NtRemoveIoCompletion) ||
            Number == NUMBER(NtRemoveIoCompletionEx))
            A[4] = (ULONG64)&Moment;
        if (Number == NUMBER(NtLockFile))
            A[8] = TRUE; /* nobody's range is waited for */
        Good += NT_SUCCESS(Call(Number, A));
        if (++Made % 100 == 0)
            DbgPrint("wild %u: %u calls, %u succeeded\n", SEED, Made, Good);
    }
    return 0x600D;
}
