// SPDX-License-Identifier: GPL-2.0-or-later
/* The C runtime's paths in pieces, strings changed in place, sorting with a context, and a jump out of a __try block. */
#include <ntifs.h>

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include <fltvm.h>

#define FAILS_EINVAL 22
#define FAILS_ERANGE 34

typedef int(__cdecl *COMPARE)(void *, const void *, const void *);

errno_t __cdecl _splitpath_s(const char *, char *, size_t, char *, size_t, char *, size_t, char *, size_t);
errno_t __cdecl _wsplitpath_s(const wchar_t *, wchar_t *, size_t, wchar_t *, size_t, wchar_t *, size_t, wchar_t *,
                              size_t);
errno_t __cdecl _makepath_s(char *, size_t, const char *, const char *, const char *, const char *);
errno_t __cdecl _wmakepath_s(wchar_t *, size_t, const wchar_t *, const wchar_t *, const wchar_t *, const wchar_t *);
errno_t __cdecl _strlwr_s(char *, size_t);
errno_t __cdecl _strupr_s(char *, size_t);
errno_t __cdecl _wcslwr_s(wchar_t *, size_t);
errno_t __cdecl _wcsupr_s(wchar_t *, size_t);
errno_t __cdecl _strset_s(char *, size_t, int);
errno_t __cdecl _strnset_s(char *, size_t, int, size_t);
errno_t __cdecl _wcsset_s(wchar_t *, size_t, wchar_t);
errno_t __cdecl _wcsnset_s(wchar_t *, size_t, wchar_t, size_t);
void __cdecl qsort_s(void *, size_t, size_t, COMPARE, void *);
void *__cdecl bsearch_s(const void *, const void *, size_t, size_t, COMPARE, void *);
int __cdecl mbtowc(wchar_t *, const char *, size_t);
int __cdecl wctomb(char *, wchar_t);
void __cdecl _local_unwind(void *, void *);
NTSYSAPI PVOID NTAPI RtlLookupFunctionEntry(ULONG64 Pc, PULONG64 Base, PVOID Table);
NTSYSAPI PVOID NTAPI RtlVirtualUnwind(ULONG Type, ULONG64 Base, ULONG64 Pc, PVOID Function, PCONTEXT Context,
                                      PVOID *Data, PULONG64 Frame, PVOID Pointers);

static CHAR Drive[4], Folder[16], Name[16], Extension[8], Path[32];
static WCHAR WideDrive[4], WideFolder[16], WideName[16], WideExtension[8], WidePath[32];

static errno_t Split(const char *From)
{
    return _splitpath_s(From, Drive, RTL_NUMBER_OF(Drive), Folder, RTL_NUMBER_OF(Folder), Name, RTL_NUMBER_OF(Name),
                        Extension, RTL_NUMBER_OF(Extension));
}

static BOOLEAN IsSplit(const char *D, const char *F, const char *N, const char *E)
{
    return strcmp(Drive, D) == 0 && strcmp(Folder, F) == 0 && strcmp(Name, N) == 0 && strcmp(Extension, E) == 0;
}

static VOID CheckPaths(VOID)
{
    FvCheck(Split("c:\\a.b\\c/file.tar.gz") == 0 && IsSplit("c:", "\\a.b\\c/", "file.tar", ".gz"));
    FvCheck(Split("folder\\") == 0 && IsSplit("", "folder\\", "", "") && Split(".x") == 0 && IsSplit("", "", "", ".x"));
    FvCheck(Split("a.too-long-for-it") == FAILS_ERANGE && IsSplit("", "", "", ""));
    FvCheck(Split(NULL) == FAILS_EINVAL && IsSplit("", "", "", ""));
    FvCheck(_splitpath_s("a.b", NULL, 0, NULL, 0, Name, 8, NULL, 0) == 0 && strcmp(Name, "a") == 0);
    FvCheck(_splitpath_s("a.b", NULL, 1, NULL, 0, Name, 8, NULL, 0) == FAILS_EINVAL && Name[0] == 0);
    FvCheck(_wsplitpath_s(L"d:\\x\\y.z", WideDrive, 4, WideFolder, 16, WideName, 16, WideExtension, 8) == 0 &&
            wcscmp(WideDrive, L"d:") == 0 && wcscmp(WideFolder, L"\\x\\") == 0 && wcscmp(WideName, L"y") == 0 &&
            wcscmp(WideExtension, L".z") == 0);
    FvCheck(_makepath_s(Path, 32, "cd", "a\\b", "f", "txt") == 0 && strcmp(Path, "c:a\\b\\f.txt") == 0);
    FvCheck(_makepath_s(Path, 32, NULL, "a/", "f", ".t") == 0 && strcmp(Path, "a/f.t") == 0);
    FvCheck(_makepath_s(Path, 5, NULL, "a/", "f", ".t") == FAILS_ERANGE && Path[0] == 0);
    FvCheck(_makepath_s(NULL, 5, NULL, "a/", "f", ".t") == FAILS_EINVAL);
    FvCheck(_wmakepath_s(WidePath, 32, L"c:", NULL, L"f", NULL) == 0 && wcscmp(WidePath, L"c:f") == 0);
}

static VOID CheckInPlace(VOID)
{
    strcpy(Path, "aZ1");
    FvCheck(_strupr_s(Path, 4) == 0 && strcmp(Path, "AZ1") == 0 && _strlwr_s(Path, 4) == 0 && strcmp(Path, "az1") == 0);
    FvCheck(_strnset_s(Path, 4, 'q', 2) == 0 && strcmp(Path, "qq1") == 0 && _strset_s(Path, 4, 'r') == 0 &&
            strcmp(Path, "rrr") == 0);
    FvCheck(_strnset_s(Path, 4, 'q', 5) == FAILS_EINVAL && Path[0] == 0);
    strcpy(Path, "abc");
    FvCheck(_strupr_s(Path, 3) == FAILS_EINVAL && Path[0] == 0 && Path[1] == 'b' && _strlwr_s(NULL, 3) == FAILS_EINVAL);
    wcscpy(WidePath, L"aZ1");
    FvCheck(_wcsupr_s(WidePath, 4) == 0 && wcscmp(WidePath, L"AZ1") == 0 && _wcslwr_s(WidePath, 4) == 0 &&
            wcscmp(WidePath, L"az1") == 0);
    FvCheck(_wcsnset_s(WidePath, 4, L'q', 1) == 0 && wcscmp(WidePath, L"qz1") == 0 &&
            _wcsset_s(WidePath, 4, L'r') == 0 && wcscmp(WidePath, L"rrr") == 0 &&
            _wcsset_s(WidePath, 3, L's') == FAILS_EINVAL && WidePath[0] == 0);
    FvCheck(mbtowc(WidePath, "\x80", 1) == 1 && WidePath[0] == 0x20AC && mbtowc(WidePath, "a", 0) == -1 &&
            mbtowc(WidePath, "", 1) == 0 && mbtowc(NULL, NULL, 1) == 0);
    FvCheck(wctomb(Path, 0x20AC) == 1 && Path[0] == '\x80' && wctomb(Path, 0x4E00) == -1 && wctomb(Path, L'?') == 1 &&
            wctomb(NULL, L'a') == 0);
}

static int __cdecl ByModulus(void *Context, const void *One, const void *Two)
{
    return *(const int *)One % *(int *)Context - *(const int *)Two % *(int *)Context;
}

static VOID CheckSort(VOID)
{
    int Numbers[] = {19, 23, 45, 7, 31}, Modulus = 10, Key = 105;

    qsort_s(Numbers, RTL_NUMBER_OF(Numbers), sizeof(int), ByModulus, &Modulus);
    FvCheck(Numbers[0] == 31 && Numbers[1] == 23 && Numbers[2] == 45 && Numbers[3] == 7 && Numbers[4] == 19);
    FvCheck(bsearch_s(&Key, Numbers, RTL_NUMBER_OF(Numbers), sizeof(int), ByModulus, &Modulus) == &Numbers[2]);
    Key = 2;
    FvCheck(bsearch_s(&Key, Numbers, RTL_NUMBER_OF(Numbers), sizeof(int), ByModulus, &Modulus) == NULL);
    FvCheck(bsearch_s(NULL, Numbers, RTL_NUMBER_OF(Numbers), sizeof(int), ByModulus, &Modulus) == NULL);
}

static PVOID volatile Target;
static ULONG volatile Handlers;

/* Leaves for the function two frames up, as a compiler does that jumps out of a __try block. */
static DECLSPEC_NOINLINE VOID Leave(VOID)
{
    CONTEXT Context;
    ULONG64 Frame = 0, ImageBase;
    PVOID HandlerData;

    RtlCaptureContext(&Context);
    for (ULONG Level = 0; Level < 3; Level++) {
        PVOID Function = RtlLookupFunctionEntry(Context.Rip, &ImageBase, NULL);
        RtlVirtualUnwind(0 /* UNW_FLAG_NHANDLER */, ImageBase, Context.Rip, Function, &Context, &HandlerData, &Frame,
                         NULL);
    }
    _local_unwind((PVOID)Frame, Target);
}

static DECLSPEC_NOINLINE VOID Guarded(VOID)
{
    __try {
        Leave();
        Handlers = 100;
    } __finally {
        Handlers += 1;
    }
}

/* Not optimised: the frame is there at both labels. */
static DECLSPEC_NOINLINE __attribute__((optnone)) ULONG Jump(ULONG Way)
{
    static const PVOID Ways[] = {&&Straight, &&Left};

    Target = Ways[1];
    goto *Ways[Way];
Straight:
    Guarded();
    return 1;
Left:
    return 2;
}

DRIVER_INITIALIZE DriverEntry;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    FvTestPlan(25);
    CheckPaths();
    CheckInPlace();
    CheckSort();
    FvCheck(Jump(0) == 2 && Handlers == 1);
    return STATUS_SUCCESS;
}
