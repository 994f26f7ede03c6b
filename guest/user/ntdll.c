// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ntdll.dll: what a program in user mode stands on.
 *
 * The services' stubs are made by the build.  Here are the routines that the kernel begins with, and a few that every
 * program wants.  A program's entry point is called with the address of its PEB; what it returns is its process's exit
 * status.
 */
#include <stdarg.h>

#include <ntifs.h>

typedef NTSTATUS(NTAPI *PUSER_ENTRY)(PVOID Argument);

NTSTATUS NTAPI NtTerminateProcess(HANDLE ProcessHandle, NTSTATUS ExitStatus);
VOID NTAPI RtlUserThreadStart(PUSER_ENTRY Entry, PVOID Argument);
VOID NTAPI RtlExitUserProcess(NTSTATUS ExitStatus);
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

/* The first routine of every thread. */
VOID NTAPI RtlUserThreadStart(PUSER_ENTRY Entry, PVOID Argument)
{
    RtlExitUserProcess(Entry(Argument));
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

static VOID NtdllPutNumber(NTDLL_TEXT *Text, ULONG64 Value, ULONG Base, ULONG Width)
{
    CHAR Digits[24];
    ULONG Count = 0;

    do {
        Digits[Count++] = "0123456789abcdef"[Value % Base];
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

/*
 * To the machine's log.  Conversions: %s, %u, %x, %p and %%, with a width that is filled with zeros, and I64 before u and
 * x; no more than 256 characters.
 */
ULONG DbgPrint(PCSTR Format, ...)
{
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
        case 'u':
        case 'x':
        case 'X':
            NtdllPutNumber(&Text, Long ? va_arg(Arguments, ULONG64) : va_arg(Arguments, ULONG),
                           *Format == 'u' ? 10 : 16, Width);
            break;
        case 'p': NtdllPutNumber(&Text, va_arg(Arguments, ULONG64), 16, 16); break;
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
