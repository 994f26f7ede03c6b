#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""fltvm cc takes what Microsoft's compiler takes, and says in one message what is wrong with the rest."""
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'tests', 'lib'))
sys.dont_write_bytecode = True
from tap import case, check, equal, main  # noqa: E402

CC = os.path.join(ROOT, 'sdk', 'toolchain', 'cc')
ENTRY = 'NTSTATUS DriverEntry(PDRIVER_OBJECT d, PUNICODE_STRING r) { (void)d; (void)r; return STATUS_SUCCESS; }\n'


def write(folder, name, data):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as out:
        out.write(data if isinstance(data, bytes) else data.encode())


def cc(folder, *words):
    return subprocess.run([CC, '-o', 'x.sys', *words], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          errors='replace', timeout=120, check=False)


def accepted(folder, *words, says=''):
    result = cc(folder, *words)
    equal(result.returncode, 0, result.stderr)
    check(says in result.stderr, f'it says: {result.stderr}')
    if not says:
        equal(result.stderr, '', 'complaints')


def refused(folder, *words, says=(), lines=None, status=1):
    result = cc(folder, *words)
    equal(result.returncode, status, result.stderr)
    for text in says:
        check(text in result.stderr, f'{text!r} is not in: {result.stderr}')
    if lines:
        equal(len(result.stderr.strip().split('\n')), lines, result.stderr)
    check('Traceback' not in result.stderr and not os.path.exists(os.path.join(folder, 'x.sys')), 'a driver all the same')


def with_folder(function):
    def run():
        with tempfile.TemporaryDirectory() as folder:
            function(folder)
    run.__name__ = function.__name__
    return case(run)


@with_folder
def casts_as_l_values(folder):
    write(folder, 'x.c', '#include <ntddk.h>\nULONG g(PVOID p)\n{\n    (PUCHAR)p += 4;\n    ((PUSHORT)p)++;\n    *((PULONG)p)++ = 5;\n'
          '    (PCHAR)p = (PCHAR)p + 1;\n    return (ULONG)(ULONG_PTR)p;\n}\n' + ENTRY)
    accepted(folder, 'x.c', says='x.c:4:5: warning: a cast is used as an l-value')
    write(folder, 'x.cpp', '#include <ntddk.h>\nvoid g(PVOID p) { (PUCHAR)p += 4; }\n')
    os.unlink(os.path.join(folder, 'x.sys'))
    refused(folder, 'x.cpp', says=['x.cpp:2:'])


@with_folder
def callbacks_and_pointers_of_other_types(folder):
    write(folder, 'x.c', '''#include <fltKernel.h>
typedef struct _MINE { ULONG a; } MINE, *PMINE;
VOID Clean(PMINE Mine, FLT_CONTEXT_TYPE Type) { (void)Mine; (void)Type; }
CONST FLT_CONTEXT_REGISTRATION Contexts[] = { { FLT_STREAM_CONTEXT, 0, Clean, sizeof(MINE), 'eniM' }, { FLT_CONTEXT_END } };
HANDLE Handle(PVOID p) { ULONG_PTR u = p; return u; }
''' + ENTRY)
    accepted(folder, 'x.c', says='incompatible')


@with_folder
def processes_and_threads_are_one_type(folder):
    """In C++ as well.  ntddk.h alone keeps PETHREAD and PKTHREAD apart, and wdm.h all four, as Windows's headers do."""
    threads = 'PKTHREAD g(void) { return PsGetCurrentThread(); }\nPETHREAD h(void) { return KeGetCurrentThread(); }\n'
    write(folder, 'x.cpp', '#include <ntddk.h>\n' + threads + 'extern "C" ' + ENTRY)
    refused(folder, 'x.cpp', says=['x.cpp:2:'])
    attach = ('extern "C" void KeStackAttachProcess(PKPROCESS, PVOID);\n'
              'void f(PVOID s) { PEPROCESS p = (PEPROCESS)PsGetCurrentThread(); KeStackAttachProcess(p, s); }\n')
    write(folder, 'x.cpp', '#include <wdm.h>\n' + attach + 'extern "C" ' + ENTRY)
    refused(folder, 'x.cpp', says=['x.cpp:3:'])
    write(folder, 'x.cpp', '#include <ntddk.h>\n' + attach + 'extern "C" ' + ENTRY)
    accepted(folder, 'x.cpp')
    attach = 'void f(void) { KAPC_STATE s; PEPROCESS p = PsGetCurrentProcess(); KeStackAttachProcess(p, &s); KeUnstackDetachProcess(&s); }\n'
    for header in ('ntifs.h', 'fltKernel.h'):
        write(folder, 'x.cpp', f'#include <{header}>\n{threads}{attach}extern "C" ' + ENTRY)
        accepted(folder, 'x.cpp')


@with_folder
def pragmas_of_the_wdk(folder):
    write(folder, 'x.c', '''#include <ntddk.h>
#pragma warning(disable: 4100 4201; once: 4706)
#pragma warning(push, 4)
#pragma warning(suppress: 6001)
#pragma prefast(disable:28110, "why")
#pragma region One
#pragma intrinsic(memcpy, _byteswap_ulong)
#pragma function(memset)
#pragma optimize("gty", off)
#pragma comment(lib, "fltMgr.lib")
#pragma comment(linker, "/merge:.foo=.data")
#pragma pack(push, name, 4)
#pragma pack(pop, name)
#pragma section("INITDATA", read, discard)
#pragma data_seg("PAGEDATA")
int g = 1;
#pragma data_seg()
#pragma const_seg("PAGECONS")
const int k = 5;
#pragma const_seg()
#pragma code_seg("PAGE")
void f(void) { g += k; }
#pragma code_seg()
#pragma deprecated(Old)
#pragma hdrstop
#pragma setlocale("C")
#pragma inline_depth(16)
#pragma runtime_checks("", off)
#pragma strict_gs_check(on)
#pragma endregion One
DRIVER_INITIALIZE DriverEntry;
static VOID Later(int a);
#pragma alloc_text(INIT, DriverEntry)
#pragma alloc_text(PAGE, Later)
static VOID Later(int a) { __pragma(warning(suppress: 4100)) f(); (void)a; }
NTSTATUS DriverEntry(PDRIVER_OBJECT d, PUNICODE_STRING r) { (void)d; (void)r; Later(1); return 0; }
''')
    accepted(folder, 'x.c')
    with open(os.path.join(folder, 'x.sys'), 'rb') as image:
        data = image.read()
    for section in (b'PAGE\0', b'INIT\0', b'PAGEDATA', b'PAGECONS'):
        check(section in data[:1024], f'there is no section {section}')


@with_folder
def declarations(folder):
    write(folder, 'x.c', '''#include <ntddk.h>
enum fwd;
enum fwd *pf;
inline int il(int a) { return a; }
_inline int il2(int a) { return a; }
_forceinline int il3(int a) { return a; }
FORCEINLINE int il4(int a) { return a; }
__declspec(align(16)) int al;
__declspec(selectany) int sa = 1;
__declspec(noinline) int ni(int a) { return il(a) + il2(a) + il3(a) + il4(a) + al; }
typedef struct _ZERO { int n; union { struct { int b; int c; }; __int64 q; }; WCHAR Name[0]; } ZERO;
WCHAR ws[] = L"abc" L"def" "ghi";
UNICODE_STRING us = RTL_CONSTANT_STRING(L"abc");
unsigned __int64 q = 0xFFFFFFFFFFFFFFFFui64;
int mc = 'ABCD';
int old(a, b) int a; int b; { return a + b; }
NTSTATUS n(void) { __try { __try { ExRaiseStatus(1); } __except (1) { return GetExceptionCode(); } __leave; } __finally { ni(2); } return 0; }
''' + ENTRY)
    accepted(folder, '-Wno-multichar', '-Wno-four-char-constants', 'x.c')


@with_folder
def headers_in_any_case_with_either_slash(folder):
    write(folder, 'src/x.c', '#include <NTDDK.H>\n#include "..\\INC\\Types.h"\n#include "Sub\\Deep/More.H"\n#include <Pub\\api.h>\n'
          'MINE m; MORE n; API a;\n' + ENTRY)
    write(folder, 'inc/types.h', 'typedef int MINE;\n')
    write(folder, 'src/sub/deep/more.h', 'typedef int MORE;\n')
    write(folder, 'sdk/pub/API.h', 'typedef int API;\n')
    accepted(folder, '-Isdk', 'src/x.c', '--depfile', 'x.d')
    refused_name = cc(folder, '-Isdk', '-include', 'ntddk.h', '-DX', 'src/x.c')
    equal(refused_name.returncode, 0, refused_name.stderr)
    with open(os.path.join(folder, 'x.d'), encoding='utf-8') as rule:
        check('types.h' in rule.read().lower(), 'the header is no input')


@with_folder
def sources_in_other_encodings(folder):
    text = '#include <ntddk.h>\r\n#include "h.h"\r\nWCHAR Name[] = L"\u00e9\u00df";\r\nC_ASSERT(sizeof(Name) == 6 && H == 1);\r\n' + ENTRY
    write(folder, 'h.h', '\ufeff#define H 1\r\n'.encode('utf-16-le'))
    for name, data in (('le.c', ('\ufeff' + text).encode('utf-16-le')), ('be.c', ('\ufeff' + text).encode('utf-16-be')),
                       ('bom.c', ('\ufeff' + text).encode()), ('ansi.c', text.encode('cp1252')), ('dos.c', text.encode() + b'\x1a')):
        write(folder, name, data)
        accepted(folder, name)


@with_folder
def trace_messages(folder):
    write(folder, 'trace.h', '#define WPP_CONTROL_GUIDS WPP_DEFINE_CONTROL_GUID(A,(1,2,3,4,5),WPP_DEFINE_BIT(DBG_INIT))\n'
          '// begin_wpp config\n// FUNC TraceEvents(LEVEL, FLAGS, MSG, ...);\n// FUNC Enter{LEVEL=X}(FLAGS);\n// end_wpp\n')
    write(folder, 'x.c', '#include <ntddk.h>\n#include "trace.h"\n#include "x.tmh"\nNTSTATUS DriverEntry(PDRIVER_OBJECT d, PUNICODE_STRING r)\n'
          '{\n    NTSTATUS s = 0;\n    WPP_INIT_TRACING(d, r);\n    Enter(DBG_INIT);\n'
          '    TraceEvents(TRACE_LEVEL_ERROR, DBG_INIT, "%!FUNC! failed %!STATUS!", s);\n    DoTraceMessage(DBG_INIT, "x");\n    Own(3, "y");\n'
          '    WPP_CLEANUP(d);\n    return s;\n}\n')
    accepted(folder, '--wpp-func', 'Own(LEVEL, MSG, ...)', 'x.c')
    os.unlink(os.path.join(folder, 'x.sys'))
    write(folder, 'y.c', '#include <ntddk.h>\n#include "trace.h"\n#include "y.tmh"\n'
          'void f(void) { TraceEvents(1, 2, "%d", NoSuchVariable); }\n' + ENTRY)
    refused(folder, 'y.c', says=['y.c:4:', 'NoSuchVariable'])


@with_folder
def trace_logging(folder):
    head = ('#include <ntddk.h>\n#include <TraceLoggingProvider.h>\n#include <winmeta.h>\n'
            'TRACELOGGING_DEFINE_PROVIDER(Provider, "My.Provider", (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11), TraceLoggingOptionGroup(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11));\n')
    fields = ['TraceLoggingLevel(WINEVENT_LEVEL_INFO)', 'TraceLoggingKeyword(0x100000000)', 'TraceLoggingDescription("text")', 'TraceLoggingStruct(2, "both")',
              'TraceLoggingInt32(a)', 'TraceLoggingHexUInt64(a, "name")', 'TraceLoggingBoolean(TRUE, "name", "text")', 'TraceLoggingNTStatus(a, "name", "text", 7)',
              'TraceLoggingUnicodeString(p, "path")', 'TraceLoggingWideString(p->Buffer)', 'TraceLoggingCountedWideString(p->Buffer, p->Length / 2, "n")',
              'TraceLoggingPointer(p)', 'TraceLoggingGuid(g, "id")', 'TraceLoggingBinary(p, sizeof(*p), "all")', 'TraceLoggingUInt8FixedArray(b, 4)',
              'TraceLoggingUInt8Array(b, a)', 'TraceLoggingSystemTime(g)']

    def body(*arguments):
        return f'void f(int a, UNICODE_STRING *p, GUID g, UINT8 *b) {{ TraceLoggingWrite(Provider, "Event", {", ".join(arguments)}); }}\n'
    write(folder, 'x.c', head + body(*fields) + 'void h(void) { if (TraceLoggingProviderEnabled(Provider, 0, 0)) TraceLoggingWrite(Provider, "None"); }\n' + ENTRY)
    accepted(folder, 'x.c')
    write(folder, 'x.cpp', head + body('TraceLoggingValue(a)', 'TraceLoggingValue(g, "name")', 'TraceLoggingValue(L"text")', *fields) + 'extern "C" ' + ENTRY)
    accepted(folder, 'x.cpp')
    os.unlink(os.path.join(folder, 'x.sys'))
    for wrong, says in (('a', 'aggregate'), ('TraceLoggingInt32(NoSuchVariable)', 'NoSuchVariable'), ('TraceLoggingUnicodeString(g)', 'incompatible'),
                        ('TraceLoggingInt32(a, p->Buffer)', 'x.c'), ('TraceLoggingLevel(a)', 'negative'), ('TraceLoggingUInt8FixedArray(b, a)', 'negative'),
                        ('TraceLoggingInt32(a, "name", "text", 7, 8)', 'x.c'), ('TraceLoggingFileTime(g)', 'negative')):
        write(folder, 'x.c', head + body(wrong) + ENTRY)
        refused(folder, 'x.c', says=['x.c:5:', says])


@with_folder
def c_plus_plus(folder):
    write(folder, 'x.cpp', '''extern "C" {
#include <ntddk.h>
}
class Base { public: virtual ~Base() {} virtual int F() { return 0; } };
class Der : public Base { public: int x; Der() : x(1) {} ~Der() override { x = 0; } int F() override { return x; } void operator delete(void *) {} };
template <typename T, int N> struct Array { T v[N]; T &operator[](int i) { return v[i]; } };
struct Lock { KSPIN_LOCK *l; KIRQL q; Lock(KSPIN_LOCK *p) : l(p) { KeAcquireSpinLock(l, &q); } ~Lock() { KeReleaseSpinLock(l, q); } };
KSPIN_LOCK G;
constexpr int Square(int a) { return a * a; }
static int sq = Square(4);
enum class Kind : UCHAR { A, B };
void *operator new(size_t n, POOL_TYPE t) { return ExAllocatePoolWithTag(t, n, 'tseT'); }
void operator delete(void *p) { ExFreePool(p); }
void operator delete(void *p, size_t) { ExFreePool(p); }
static int Use() { Lock hold(&G); Array<int, 4> a = {}; Der d; a[1] = d.F(); auto f = [&](int i) { return a[i] + sq; }; return f(1); }
static int Try(int *p) { __try { return *p; } __except (EXCEPTION_EXECUTE_HANDLER) { return Use(); } }
extern "C" DRIVER_INITIALIZE DriverEntry;
#pragma alloc_text(INIT, DriverEntry)
extern "C" NTSTATUS DriverEntry(PDRIVER_OBJECT, PUNICODE_STRING) { Der *p = new (NonPagedPoolNx) Der; delete p; return Try(nullptr); }
''')
    accepted(folder, 'x.cpp')


@with_folder
def c_plus_plus_that_no_driver_can_have(folder):
    for text, says in (('struct S { S(); int a; }; S::S() { DbgPrint("x"); } static S Global; S *q = &Global;', ["x.cpp:2:", "'Global'"]),
                       ('void f() { try { throw 1; } catch (...) {} }', ['x.cpp:2:', 'exceptions']),
                       ('struct B { virtual int F(); }; struct D : B {}; D *f(B *b) { return dynamic_cast<D *>(b); }', ['x.cpp:2:', 'rtti'])):
        write(folder, 'x.cpp', '#include <ntddk.h>\n' + text + '\nextern "C" ' + ENTRY)
        refused(folder, 'x.cpp', says=says)


@with_folder
def what_is_missing_is_named(folder):
    write(folder, 'x.c', 'int ZwNoSuchCall(void), TmCreateEnlistment(void), ExFreePoool(void);\n'
          'int DriverEntry(void) { return ZwNoSuchCall() + TmCreateEnlistment() + ExFreePoool(); }\n')
    refused(folder, 'x.c', says=['ZwNoSuchCall: not in the documented interface', 'is ExFreePool meant?',
                                 'TmCreateEnlistment: documented (wdm.h), not built in fltvm yet; ', 'ddi-status.md'])
    write(folder, 'y.c', '#include <ntddk.h>\nvoid f(void) { FltStartFiltering(0); }\n' + ENTRY)
    refused(folder, 'y.c', says=['y.c:2:', 'FltStartFiltering: documented in fltkernel.h: is that included?'])


@with_folder
def files_that_are_no_sources(folder):
    for name, data, says in (('a.c', b'MZ\x90\0rest', 'a.c:1: error: not a C or C++ source: a Windows image'),
                             ('b.c', b'int a;\nint b;\0\n', 'b.c:2: error: not a C or C++ source: a zero byte'),
                             ('c.cpp', b'<?xml version="1.0"?><a/>', 'c.cpp:1: error: not a C or C++ source: XML')):
        write(folder, name, data)
        refused(folder, name, says=[says], lines=1)


@with_folder
def an_include_cycle(folder):
    write(folder, 'a.h', '#include "b.h"\n')
    write(folder, 'b.h', '\n#include "a.h"\n')
    write(folder, 'x.c', '#include "a.h"\n' + ENTRY)
    refused(folder, 'x.c', says=['error: include cycle: ', 'a.h -> b.h -> a.h', 'a.h:1:'], lines=1)


@with_folder
def a_header_that_hides_the_sdk_s(folder):
    write(folder, 'Wdm.h', '#define MINE 1\n#include_next <wdm.h>\n')
    write(folder, 'x.c', '\n#include <wdm.h>\n' + ENTRY)
    accepted(folder, '-I.', 'x.c', says='x.c:2: warning: Wdm.h here is')


if __name__ == '__main__':
    sys.exit(main())
