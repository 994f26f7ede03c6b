// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ntdll.dll: what a program in user mode stands on.
 *
 * The services' stubs are made by the build.  Here are the routines that the kernel begins with, and a few that every
 * program wants.  A program's entry point is called with the address of its PEB; what it returns is its process's exit
 * status.
 */
#include <stdarg.h>

#include "ntdllp.h"

typedef NTSTATUS(NTAPI *PUSER_ENTRY)(PVOID Argument);

NTSTATUS NTAPI NtTerminateProcess(HANDLE ProcessHandle, NTSTATUS ExitStatus);
NTSTATUS NTAPI NtTerminateThread(HANDLE ThreadHandle, NTSTATUS ExitStatus);
NTSTATUS NTAPI NtCreateThreadEx(PHANDLE ThreadHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
                                HANDLE ProcessHandle, PVOID StartRoutine, PVOID Argument, ULONG CreateFlags,
                                SIZE_T ZeroBits, SIZE_T StackSize, SIZE_T MaximumStackSize, PVOID AttributeList);
VOID NTAPI RtlUserThreadStart(PUSER_ENTRY Entry, PVOID Argument);
VOID NTAPI RtlExitUserThread(NTSTATUS ExitStatus);
NTSTATUS NTAPI RtlCreateUserThread(HANDLE Process, PSECURITY_DESCRIPTOR Descriptor, BOOLEAN Suspended, ULONG ZeroBits,
                                   SIZE_T Reserve, SIZE_T Commit, PUSER_ENTRY Start, PVOID Argument, PHANDLE Thread,
                                   PCLIENT_ID ClientId);
BOOLEAN NTAPI NtdllEntry(PVOID Base, ULONG Reason, PVOID Reserved);

/* The library has nothing to set up. */
BOOLEAN NTAPI NtdllEntry(PVOID Base, ULONG Reason, PVOID Reserved)
{
    return TRUE;
}

VOID NTAPI RtlExitUserProcess(NTSTATUS ExitStatus)
{
    NtTerminateProcess((HANDLE)-1, ExitStatus);
}

VOID NTAPI RtlExitUserThread(NTSTATUS ExitStatus)
{
    NtTerminateThread((HANDLE)-2, ExitStatus);
}

/* The first routine of every thread.  The first thread's argument is the PEB, and what it returns ends the process. */
VOID NTAPI RtlUserThreadStart(PUSER_ENTRY Entry, PVOID Argument)
{
    static BOOLEAN Started;

    if (Started)
        RtlExitUserThread(Entry(Argument));
    Started = TRUE;
    NtdllInitializeExceptions(Argument);
    RtlExitUserProcess(Entry(Argument));
}

/* A thread of the process's; stacks are of one size.  STATUS_NOT_IMPLEMENTED: a descriptor, suspended, the ids. */
NTSTATUS NTAPI RtlCreateUserThread(HANDLE Process, PSECURITY_DESCRIPTOR Descriptor, BOOLEAN Suspended, ULONG ZeroBits,
                                   SIZE_T Reserve, SIZE_T Commit, PUSER_ENTRY Start, PVOID Argument, PHANDLE Thread,
                                   PCLIENT_ID ClientId)
{
    if (Descriptor != NULL || ClientId != NULL)
        return STATUS_NOT_IMPLEMENTED;
    return NtCreateThreadEx(Thread, THREAD_ALL_ACCESS, NULL, Process, Start, Argument,
                            Suspended ? 0x1 /* CREATE_SUSPENDED */ : 0, ZeroBits, Commit, Reserve, NULL);
}

/* ---- text ---- */

typedef struct _NTDLL_TEXT {
    CHAR Buffer[256];
    ULONG Length;
} NTDLL_TEXT;

static VOID NtdllPut(NTDLL_TEXT *Text, CHAR Character)
{
    if (Text->Length < sizeof(Text->Buffer))
        Text->Buffer[Text->Length++] = Character;
}

static VOID NtdllPutNumber(NTDLL_TEXT *Text, ULONG64 Value, ULONG Base, ULONG Width, PCSTR Figures)
{
    CHAR Digits[24];
    ULONG Count = 0;

    do {
        Digits[Count++] = Figures[Value % Base];
        Value /= Base;
    } while (Value != 0);
    for (; Width > Count; Width--)
        NtdllPut(Text, '0');
    while (Count != 0)
        NtdllPut(Text, Digits[--Count]);
}

static VOID NtdllPutText(NTDLL_TEXT *Text, PCSTR From)
{
    for (; *From != 0; From++)
        NtdllPut(Text, *From);
}

static VOID NtdllPutWide(NTDLL_TEXT *Text, PCWSTR String, ULONG Most)
{
    for (ULONG Index = 0; Index < Most && String[Index] != 0; Index++)
        NtdllPut(Text, String[Index] < 0x80 ? (CHAR)String[Index] : '?');
}

static VOID NtdllPutString(NTDLL_TEXT *Text, PCUNICODE_STRING String)
{
    NtdllPutWide(Text, String->Buffer, String->Length / sizeof(WCHAR));
}

/*
 * To the machine's log.  Conversions: %s, %ws, %wZ, %u, %x, %X, %p and %%, with a width that is filled with zeros, and I64 before u and
 * x; no more than 256 characters, and of wide ones what is not ASCII is a question mark.
 */
ULONG DbgPrint(PCSTR Format, ...)
{
    static const CHAR Small[] = "0123456789abcdef";
    NTDLL_TEXT Text = {.Length = 0};
    va_list Arguments;

    va_start(Arguments, Format);
    for (; *Format != 0; Format++) {
        BOOLEAN Long = FALSE;
        ULONG Width = 0;

        if (*Format != '%') {
            NtdllPut(&Text, *Format);
            continue;
        }
        for (Format++; *Format >= '0' && *Format <= '9'; Format++)
            Width = Width * 10 + (ULONG)(*Format - '0');
        if (Format[0] == 'I' && Format[1] == '6' && Format[2] == '4') {
            Long = TRUE;
            Format += 3;
        }
        switch (*Format) {
        case 's': NtdllPutText(&Text, va_arg(Arguments, PCSTR)); break;
        case 'w':
            Format++;
            if (*Format == 'Z')
                NtdllPutString(&Text, va_arg(Arguments, PCUNICODE_STRING));
            else if (*Format == 's')
                NtdllPutWide(&Text, va_arg(Arguments, PCWSTR), MAXULONG);
            else {
                NtdllPut(&Text, 'w');
                Format--;
            }
            break;
        case 'u':
        case 'x':
        case 'X':
            NtdllPutNumber(&Text, Long ? va_arg(Arguments, ULONG64) : va_arg(Arguments, ULONG),
                           *Format == 'u' ? 10 : 16, Width, *Format == 'X' ? "0123456789ABCDEF" : Small);
            break;
        case 'p': NtdllPutNumber(&Text, va_arg(Arguments, ULONG64), 16, 16, Small); break;
        case 0: Format--; break;
        default: NtdllPut(&Text, *Format); break;
        }
    }
    va_end(Arguments);
    __asm__ volatile("int $0x2D\n\tint3" : : "a"(1), "c"(Text.Buffer), "d"(Text.Length) : "memory", "cc");
    return 0;
}

/* ---- what compilers call ---- */

void *memcpy(void *To, const void *From, size_t Count)
{
    void *Result = To;

    __asm__ volatile("rep movsb" : "+D"(To), "+S"(From), "+c"(Count) : : "memory");
    return Result;
}

void *memmove(void *To, const void *From, size_t Count)
{
    UCHAR *Last = (UCHAR *)To + Count;
    const UCHAR *Behind = (const UCHAR *)From + Count;

    if ((ULONG_PTR)To - (ULONG_PTR)From >= Count)
        return memcpy(To, From, Count);
    while (Count-- != 0)
        *--Last = *--Behind;
    return To;
}

void *memset(void *To, int Value, size_t Count)
{
    void *Result = To;

    __asm__ volatile("rep stosb" : "+D"(To), "+c"(Count) : "a"(Value) : "memory");
    return Result;
}

int memcmp(const void *Left, const void *Right, size_t Count)
{
    const UCHAR *A = Left, *B = Right;

    for (; Count != 0; Count--, A++, B++) {
        if (*A != *B)
            return *A - *B;
    }
    return 0;
}

size_t strlen(const char *Text)
{
    size_t Length = 0;

    while (Text[Length] != 0)
        Length++;
    return Length;
}
