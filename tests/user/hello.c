// SPDX-License-Identifier: GPL-2.0-or-later
/* A first program: where it runs, what a service says, memory of its own, a stack that grows.  Its status is how many failed. */
#include <ntifs.h>

NTSTATUS NTAPI NtDelayExecution(BOOLEAN Alertable, PLARGE_INTEGER Interval);
NTSTATUS NTAPI ZwProtectVirtualMemory(HANDLE Process, PVOID *Base, PSIZE_T Size, ULONG Protect, PULONG Old);
VOID NTAPI RtlExitUserProcess(NTSTATUS ExitStatus);
VOID NTAPI RtlUserThreadStart(NTSTATUS(NTAPI *Entry)(PVOID), PVOID Argument);
NTSTATUS Main(PVOID Peb);

static ULONG Failed;

static void Check(BOOLEAN Holds, PCSTR What)
{
    if (!Holds) {
        Failed++;
        DbgPrint("not so: %s\n", What);
    }
}

static void CheckPlace(PVOID Peb)
{
    ULONG64 Self = __readgsqword(0x30), High = __readgsqword(0x08), Low = __readgsqword(0x1478);
    ULONG64 Here = (ULONG64)&Self;
    USHORT Segment;

    __asm__ volatile("mov %%cs, %0" : "=r"(Segment));
    Check((Segment & 3) == 3, "the processor is at ring 3");
    Check(__readgsqword(0x60) == (ULONG64)Peb && *(PULONG64)(Self + 0x30) == Self, "TEB and PEB");
    Check(Here < High && Here >= Low && High - Low == 0x100000, "the stack's bounds");
    Check(__readgsqword(0x40) != 0 && __readgsqword(0x40) % 4 == 0 && __readgsqword(0x48) % 4 == 0, "its ids");
    Check(*(PUSHORT) * (PULONG64)((ULONG64)Peb + 0x10) == 0x5A4D, "the image's base");
    Check(*(PULONG)((ULONG64)Peb + 0x118) == 10, "the version");
}

static void CheckMemory(void)
{
    PVOID Base = NULL, Kernel = (PVOID)0xFFFFF80000200000;
    SIZE_T Size = 0x3000;
    ULONG Old;

    Check(NtAllocateVirtualMemory((HANDLE)-1, &Base, 0, &Size, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE) == 0,
          "allocate");
    *(volatile ULONG *)Base = 7;
    Check(((PULONG)Base)[0] == 7 && ((PULONG)Base)[1] == 0, "memory comes zeroed");
    Check(ZwProtectVirtualMemory((HANDLE)-1, &Base, &Size, PAGE_READONLY, &Old) == 0 && Old == PAGE_READWRITE,
          "protect");
    Check(NtAllocateVirtualMemory((HANDLE)-1, Kernel, 0, &Size, MEM_COMMIT, PAGE_READWRITE) == STATUS_ACCESS_VIOLATION,
          "the kernel's memory is no place for an argument");
    Size = 0;
    Check(NtFreeVirtualMemory((HANDLE)-1, &Base, &Size, MEM_RELEASE) == 0, "free");
}

static void CheckText(void)
{
    volatile UCHAR Same = 0x5A;
    UCHAR One[40], Other[40];

    memset(One, Same, sizeof(One));
    memcpy(Other, One, sizeof(Other));
    Check(One[39] == 0x5A && memcmp(One, Other, sizeof(One)) == 0, "memset, memcpy, memcmp");
    Other[39] = 0;
    Check(memcmp(One, Other, sizeof(One)) > 0 && strlen((PCSTR)Other) == 39, "memcmp, strlen");
}

static ULONG Deep(ULONG Depth)
{
    volatile UCHAR Room[2000];

    Room[0] = (UCHAR)Depth;
    return Depth == 0 ? 0 : Deep(Depth - 1) + 1 + Room[0] - (UCHAR)Depth;
}

static NTSTATUS NTAPI Last(PVOID Argument)
{
    return (NTSTATUS)(ULONG_PTR)Argument;
}

NTSTATUS Main(PVOID Peb)
{
    UNICODE_STRING Name = {12, 12, (PWCH)L"\x00FCnames and more"};
    LARGE_INTEGER Tick = {.QuadPart = -20000};

    CheckPlace(Peb);
    Check(NtClose((HANDLE)0x1234) == STATUS_INVALID_HANDLE, "a handle that is none");
    for (ULONG64 Index = 1; Index < 256; Index++) /* some of them are open */
        Check(NtClose((HANDLE)(0xFFFFFFFF80000000 + 4 * Index)) == STATUS_INVALID_HANDLE, "nor is the kernel's");
    CheckMemory();
    CheckText();
    Check(Deep(100) == 100, "the stack grows");
    Check(NtDelayExecution(FALSE, &Tick) == STATUS_SUCCESS, "delay");
    Check(NtDelayExecution(FALSE, (PLARGE_INTEGER)8) == STATUS_ACCESS_VIOLATION, "delay by what is not there");
    DbgPrint("%ws %wZ, %w %X %04x\n", L"wide", &Name, 0xBEEF, 0xEF);
    DbgPrint("hello from user mode, %u failed\n", Failed);
    if (Failed != 0)
        RtlExitUserProcess((NTSTATUS)Failed);
    RtlUserThreadStart(Last, (PVOID)0x600D); /* as a thread begins: what the routine returns ends the process */
    return 0;
}
