// SPDX-License-Identifier: GPL-2.0-or-later
/* What compilers' code calls for exceptions, called by hand: unwinding to a frame, jumps, and the handler of scope tables. */
#include <ntifs.h>
#include <setjmp.h>

#include <fltvm.h>

/* As compilers know them; no header of a driver's declares these. */
struct _DISPATCHER_CONTEXT {
    ULONG64 ControlPc, ImageBase;
    PVOID FunctionEntry;
    ULONG64 EstablisherFrame, TargetIp;
    PCONTEXT ContextRecord;
    PVOID LanguageHandler, HandlerData, HistoryTable;
    ULONG ScopeIndex, Fill0;
};

typedef struct _TEST_SCOPES {
    ULONG Count;
    struct {
        ULONG Begin, End, Handler, Target;
    } Scope[3];
} TEST_SCOPES;

#define CONTINUE_EXECUTION 0
#define CONTINUE_SEARCH    1
#define UNWINDING          2

NTSYSAPI VOID NTAPI RtlUnwind(PVOID Frame, PVOID Ip, PEXCEPTION_RECORD Record, PVOID Value);
NTSYSAPI VOID NTAPI RtlUnwindEx(PVOID Frame, PVOID Ip, PEXCEPTION_RECORD Record, PVOID Value, PCONTEXT Context,
                                PVOID History);
NTSYSAPI PVOID NTAPI RtlLookupFunctionEntry(ULONG64 Pc, PULONG64 ImageBase, PVOID History);
NTSYSAPI PVOID NTAPI RtlVirtualUnwind(ULONG Kind, ULONG64 ImageBase, ULONG64 Pc, PVOID Function, PCONTEXT Context,
                                      PVOID *HandlerData, PULONG64 Frame, PVOID Pointers);
__declspec(dllimport) int __cdecl swprintf(PWCHAR Buffer, const WCHAR *Format, ...);

static jmp_buf Jump;
#define JUMP_IP() ((PVOID)((_JUMP_BUFFER *)&Jump)->Rip)
static PVOID Frame;          /* the routine's that is returned to */
static volatile ULONG Ended; /* termination handlers that ran since their block was left for good */

/* The establisher frame of who calls. */
static DECLSPEC_NOINLINE PVOID CallersFrame(VOID)
{
    ULONG64 Base, Found = 0;
    PVOID Data, Function;
    CONTEXT Context;

    RtlCaptureContext(&Context);
    for (ULONG Step = 0; Step < 2; Step++) {
        Function = RtlLookupFunctionEntry(Context.Rip, &Base, NULL);
        FvCheck(Function != NULL);
        RtlVirtualUnwind(0, Base, Context.Rip, Function, &Context, &Data, &Found, NULL);
    }
    return (PVOID)Found;
}

typedef enum _TEST_WAY { ByUnwind, ByUnwindEx, ByJump } TEST_WAY;

static DECLSPEC_NOINLINE VOID Leave(ULONG Depth, PEXCEPTION_RECORD Record, TEST_WAY Way)
{
    CONTEXT Context;

    __try {
        if (Depth > 0)
            Leave(Depth - 1, Record, Way);
        else if (Way == ByUnwindEx)
            RtlUnwindEx(Frame, JUMP_IP(), Record, (PVOID)77, &Context, NULL);
        else if (Way == ByUnwind)
            RtlUnwind(Frame, JUMP_IP(), Record, (PVOID)66);
        else
            longjmp(Jump, 55);
    } __finally {
        Ended += AbnormalTermination() ? 1 : 100;
    }
}

/* The routine goes on where _setjmp returned, with the value that was given, after every termination handler in between. */
static DECLSPEC_NOINLINE VOID CheckUnwind(VOID)
{
    EXCEPTION_RECORD Record = {.ExceptionCode = STATUS_UNSUCCESSFUL};
    volatile ULONG Turn = 0;
    int Value;

    Ended = 0;
    Frame = CallersFrame();
    Value = _setjmp(Jump, NULL);
    switch (Turn++) {
    case 0: FvCheck(Value == 0); Leave(0, NULL, ByUnwind);
    case 1: FvCheck(Value == 66 && Ended == 1); Leave(2, &Record, ByUnwind);
    case 2:
        FvCheck(Value == 66 && Ended == 4);
        FvCheck(Record.ExceptionFlags & UNWINDING);
        Record.ExceptionFlags = 0;
        Leave(1, &Record, ByUnwindEx);
    case 3:
        FvCheck(Value == 77 && Ended == 6);
        FvCheck((Record.ExceptionFlags & UNWINDING) && Record.ExceptionCode == STATUS_UNSUCCESSFUL);
        Leave(0, NULL, ByUnwindEx);
    default: FvCheck(Turn == 5 && Value == 77 && Ended == 7);
    }
}

/* With a frame, longjmp runs the termination handlers up to it; without, none. */
static DECLSPEC_NOINLINE VOID CheckJump(VOID)
{
    volatile ULONG Turn = 0;
    int Value;

    Ended = 0;
    Frame = CallersFrame();
    Value = _setjmpex(Jump, Frame);
    if (Turn++ == 0) {
        FvCheck(Value == 0);
        Leave(1, NULL, ByJump);
    }
    FvCheck(Turn == 2 && Value == 55 && Ended == 2);
    Value = _setjmp(Jump, NULL);
    if (Turn++ == 2) {
        FvCheck(Value == 0);
        Leave(1, NULL, ByJump);
    }
    FvCheck(Turn == 4 && Value == 55 && Ended == 2);
}

static ULONG Filtered, Terminated;
static LONG Verdict;
static PEXCEPTION_POINTERS Given;
static PVOID GivenFrame;

static LONG Filter(PEXCEPTION_POINTERS Pointers, PVOID Establisher)
{
    Filtered++;
    Given = Pointers;
    GivenFrame = Establisher;
    FvCheck(Pointers->ExceptionRecord->ExceptionCode == STATUS_UNSUCCESSFUL);
    return Verdict;
}

static VOID Terminate(BOOLEAN Abnormal, PVOID Establisher)
{
    Terminated++;
    FvCheck(Abnormal && Establisher == (PVOID)0x1230);
}

/* A table of scopes: __except at 0x10 to 0x20 and 0x18 to 0x30, __finally at 0x10 to 0x40. */
static VOID CheckHandler(VOID)
{
    ULONG64 Base = (ULONG64)Filter & ~0xFFFFFFFull;
    TEST_SCOPES Scopes = {3,
                          {{0x10, 0x20, (ULONG)((ULONG64)Filter - Base), 0x50},
                           {0x18, 0x30, (ULONG)((ULONG64)Filter - Base), 0x60},
                           {0x10, 0x40, (ULONG)((ULONG64)Terminate - Base), 0}}};
    struct _DISPATCHER_CONTEXT Dispatcher = {.ImageBase = Base, .HandlerData = &Scopes};
    EXCEPTION_RECORD Record = {.ExceptionCode = STATUS_UNSUCCESSFUL};
    static const struct {
        ULONG Pc, First;
        LONG Verdict;
        ULONG Flags, Filtered, Terminated;
        int Disposition;
    } Cases[] = {
        {0x0F, 0, 0, 0, 0, 0, CONTINUE_SEARCH},         /* in front of all */
        {0x10, 0, 0, 0, 1, 0, CONTINUE_SEARCH},         /* the first's first byte; a __finally filters nothing */
        {0x18, 0, 0, 0, 2, 0, CONTINUE_SEARCH},         /* in both, the inner first */
        {0x18, 1, 0, 0, 1, 0, CONTINUE_SEARCH},         /* the first is over */
        {0x20, 0, 0, 0, 1, 0, CONTINUE_SEARCH},         /* behind the first's last */
        {0x30, 0, 0, 0, 0, 0, CONTINUE_SEARCH},         /* in the __finally alone */
        {0x18, 0, -1, 0, 1, 0, CONTINUE_EXECUTION},     /* EXCEPTION_CONTINUE_EXECUTION ends the search */
        {0x18, 0, 1, UNWINDING, 0, 1, CONTINUE_SEARCH}, /* unwinding runs the __finally and asks no filter */
        {0x40, 0, 1, UNWINDING, 0, 0, CONTINUE_SEARCH}, {0x18, 3, 1, UNWINDING, 0, 0, CONTINUE_SEARCH}, /* it was run */
    };
    CONTEXT Context;

    for (ULONG Index = 0; Index < RTL_NUMBER_OF(Cases); Index++) {
        int Disposition;

        Filtered = Terminated = 0;
        Verdict = Cases[Index].Verdict;
        Dispatcher.ControlPc = Base + Cases[Index].Pc;
        Dispatcher.ScopeIndex = Cases[Index].First;
        Record.ExceptionFlags = Cases[Index].Flags;
        Disposition = __C_specific_handler(&Record, (PVOID)0x1230, &Context, &Dispatcher);
        FvCheck(Disposition == Cases[Index].Disposition);
        FvCheck(Filtered == Cases[Index].Filtered && Terminated == Cases[Index].Terminated);
        FvCheck(Filtered == 0 || (Given->ContextRecord == &Context && GivenFrame == (PVOID)0x1230));
        FvCheck(Terminated == 0 || Dispatcher.ScopeIndex == 3); /* a collided unwind goes on behind it */
    }
}

/* Of the kernel's: no size is given. */
static VOID CheckFormat(VOID)
{
    WCHAR Text[32];

    FvCheck(swprintf(Text, L"%s-%d-%hs", L"wide", -5, "narrow") == 14);
    FvCheck(wcscmp(Text, L"wide--5-narrow") == 0);
    FvCheck(swprintf(Text, L"") == 0 && Text[0] == 0);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(65);
    CheckUnwind();
    CheckJump();
    CheckHandler();
    CheckFormat();
    return STATUS_SUCCESS;
}
