// SPDX-License-Identifier: GPL-2.0-or-later
/* File names and expressions, exceptions, pool that raises, and contexts on streams: guest/fsrtl. */
#include <ntifs.h>

#include <fltvm.h>

static BOOLEAN Matches(PCWSTR Expression, PCWSTR Name, BOOLEAN IgnoreCase)
{
    UNICODE_STRING ExpressionString, NameString;

    RtlInitUnicodeString(&ExpressionString, Expression);
    RtlInitUnicodeString(&NameString, Name);
    return FsRtlIsNameInExpression(&ExpressionString, &NameString, IgnoreCase, NULL);
}

static VOID CheckExpressions(VOID)
{
    FvCheck(Matches(L"", L"", FALSE));
    FvCheck(!Matches(L"*", L"", FALSE));
    FvCheck(!Matches(L"", L"a", FALSE));
    FvCheck(Matches(L"*", L"anything.at.all", FALSE));
    FvCheck(Matches(L"a?c", L"abc", FALSE));
    FvCheck(!Matches(L"a?c", L"ac", FALSE));
    FvCheck(!Matches(L"a?", L"abc", FALSE));
    FvCheck(Matches(L"*.TXT", L"read.me.txt", TRUE));
    FvCheck(!Matches(L"*.TXT", L"read.me.txt", FALSE));
    FvCheck(!Matches(L"*.TXT", L"txt", TRUE));
    FvCheck(Matches(L"A*B*C", L"axxbyybzzc", TRUE));
    FvCheck(!Matches(L"A*B*C", L"axxbyybzz", TRUE));
    FvCheck(Matches(L"**", L"a", FALSE));
}

/* DOS_STAR, DOS_QM and DOS_DOT: '<', '>' and '"'. */
static VOID CheckDosExpressions(VOID)
{
    FvCheck(Matches(L"<.TXT", L"a.b.txt", TRUE));
    FvCheck(Matches(L"<b", L"a.b", FALSE));   /* the last period too, */
    FvCheck(!Matches(L"<b", L"a.cb", FALSE)); /* but not past it */
    FvCheck(Matches(L"AB<EXE", L"abcd.exe", TRUE));
    FvCheck(Matches(L"AB<EXE", L"ab.exe", TRUE));
    FvCheck(Matches(L"<.b", L"a.a.b", FALSE));
    FvCheck(Matches(L"<", L"abc", FALSE));
    FvCheck(Matches(L"a>>>", L"a", FALSE));
    FvCheck(Matches(L"a>>>", L"abcd", FALSE));
    FvCheck(!Matches(L"a>>>", L"abcde", FALSE));
    FvCheck(Matches(L"a>>>.b", L"ac.b", FALSE));
    FvCheck(Matches(L"a\"", L"a", FALSE));
    FvCheck(Matches(L"a\"", L"a.", FALSE));
    FvCheck(!Matches(L"a\"", L"ab", FALSE));
    FvCheck(Matches(L"<\"*", L"name", FALSE)); /* what "*.*" becomes */
}

/* Beyond what fits on the stack. */
static VOID CheckLongExpression(VOID)
{
    static WCHAR Long[400];

    for (ULONG Index = 0; Index < 398; Index++)
        Long[Index] = L'a';
    Long[398] = L'*';
    FvCheck(!Matches(Long, L"aaa", FALSE));
    Long[2] = L'*';
    Long[3] = 0;
    FvCheck(Matches(Long, L"aaa", FALSE));
}

static VOID CheckNames(VOID)
{
    UNICODE_STRING Path, First, Rest, Other;

    RtlInitUnicodeString(&Path, L"\\Device\\Disk\\File");
    FsRtlDissectName(Path, &First, &Rest);
    RtlInitUnicodeString(&Other, L"Device");
    FvCheck(FsRtlAreNamesEqual(&First, &Other, FALSE, NULL));
    RtlInitUnicodeString(&Other, L"disk\\FILE");
    FvCheck(FsRtlAreNamesEqual(&Rest, &Other, TRUE, NULL) && !FsRtlAreNamesEqual(&Rest, &Other, FALSE, NULL));
    RtlInitUnicodeString(&Path, L"single");
    FsRtlDissectName(Path, &First, &Rest);
    FvCheck(First.Length == Path.Length && Rest.Length == 0);
    RtlInitUnicodeString(&Path, L"\\");
    FsRtlDissectName(Path, &First, &Rest);
    FvCheck(First.Length == 0 && Rest.Length == 0);
    FvCheck(!FsRtlDoesNameContainWildCards(&Other));
    RtlInitUnicodeString(&Other, L"a<b");
    FvCheck(FsRtlDoesNameContainWildCards(&Other));
}

static VOID CheckExceptions(VOID)
{
    FvCheck(FsRtlIsNtstatusExpected(STATUS_DISK_FULL));
    FvCheck(!FsRtlIsNtstatusExpected(STATUS_ACCESS_VIOLATION));
    FvCheck(!FsRtlIsNtstatusExpected(STATUS_DATATYPE_MISALIGNMENT));
    FvCheck(FsRtlNormalizeNtstatus(STATUS_DISK_FULL, STATUS_UNSUCCESSFUL) == STATUS_DISK_FULL);
    FvCheck(FsRtlNormalizeNtstatus(STATUS_ILLEGAL_INSTRUCTION, STATUS_UNSUCCESSFUL) == STATUS_UNSUCCESSFUL);
}

static VOID CheckPool(VOID)
{
    NTSTATUS Status = STATUS_SUCCESS;
    PVOID Block = FsRtlAllocatePoolWithTag(NonPagedPoolNx, 64, 'tseT');

    FvCheck(Block != NULL);
    ExFreePoolWithTag(Block, 'tseT');
    __try {
        FsRtlAllocatePoolWithTag(PagedPool, 0x7FFFF000, 'tseT');
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        Status = GetExceptionCode();
    }
    FvCheck(Status == STATUS_INSUFFICIENT_RESOURCES);
}

static ULONG FreedContexts;

static VOID NTAPI FreeContext(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    FreedContexts++;
}

static VOID CheckStreamContexts(PVOID Owner)
{
    FSRTL_ADVANCED_FCB_HEADER Header = {0};
    FSRTL_PER_STREAM_CONTEXT One = {0}, Two = {0};
    FAST_MUTEX Mutex;

    FsRtlInitPerStreamContext(&One, Owner, &One, FreeContext);
    FsRtlInitPerStreamContext(&Two, Owner, &Two, FreeContext);
    FvCheck(FsRtlInsertPerStreamContext(&Header, &One) == STATUS_INVALID_DEVICE_REQUEST);
    ExInitializeFastMutex(&Mutex);
    FsRtlSetupAdvancedHeader(&Header, &Mutex);
    FvCheck(FsRtlInsertPerStreamContext(&Header, &One) == STATUS_SUCCESS);
    FvCheck(FsRtlInsertPerStreamContext(&Header, &Two) == STATUS_SUCCESS);
    FvCheck(FsRtlLookupPerStreamContext(&Header, Owner, &One) == &One);
    FvCheck(FsRtlLookupPerStreamContext(&Header, &Header, NULL) == NULL);
    FvCheck(FsRtlRemovePerStreamContext(&Header, Owner, &Two) == &Two);
    FvCheck(FsRtlLookupPerStreamContext(&Header, Owner, &Two) == NULL);
    FsRtlInsertPerStreamContext(&Header, &Two);
    FsRtlTeardownPerStreamContexts(&Header);
    FvCheck(FreedContexts == 2 && IsListEmpty(&Header.FilterContexts));
}

static VOID CheckFileContexts(PVOID Owner)
{
    FSRTL_PER_FILE_CONTEXT One, Two;
    PVOID Support = NULL;

    FreedContexts = 0;
    FsRtlInitPerFileContext(&One, Owner, &One, FreeContext);
    FsRtlInitPerFileContext(&Two, Owner, &Two, FreeContext);
    FvCheck(FsRtlInsertPerFileContext(NULL, &One) == STATUS_INVALID_DEVICE_REQUEST);
    FvCheck(FsRtlLookupPerFileContext(NULL, NULL, NULL) == NULL &&
            FsRtlLookupPerFileContext(&Support, NULL, NULL) == NULL);
    FvCheck(FsRtlRemovePerFileContext(&Support, NULL, NULL) == NULL);
    FvCheck(FsRtlInsertPerFileContext(&Support, &One) == STATUS_SUCCESS && Support != NULL);
    FvCheck(FsRtlInsertPerFileContext(&Support, &Two) == STATUS_SUCCESS);
    FvCheck(FsRtlLookupPerFileContext(&Support, Owner, &One) == &One);
    FvCheck(FsRtlLookupPerFileContext(&Support, Owner, NULL) == &One &&
            FsRtlLookupPerFileContext(&Support, &Two, NULL) == NULL);
    FvCheck(FsRtlRemovePerFileContext(&Support, Owner, &Two) == &Two);
    FvCheck(FsRtlLookupPerFileContext(&Support, Owner, &Two) == NULL);
    FsRtlInsertPerFileContext(&Support, &Two);
    FsRtlTeardownPerFileContexts(&Support);
    FvCheck(FreedContexts == 2 && Support == NULL);
    FsRtlTeardownPerFileContexts(&Support);
    FvCheck(FreedContexts == 2);
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(51 + 11);
    CheckExpressions();
    CheckDosExpressions();
    CheckLongExpression();
    CheckNames();
    CheckExceptions();
    CheckPool();
    CheckStreamContexts(DriverObject);
    CheckFileContexts(DriverObject);
    return STATUS_SUCCESS;
}
