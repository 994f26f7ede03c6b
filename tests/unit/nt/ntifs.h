/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * As much of ntifs.h as the kernel's pure code needs, for compilers of the host, so that it runs under a sanitizer.
 * Types have Windows's sizes (LLP64) whatever the host's are.
 */
#ifndef SHIM_NTIFS_H
#define SHIM_NTIFS_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NTAPI
#define FASTCALL
#define FORCEINLINE       static inline
#define DECLSPEC_NOINLINE __attribute__((noinline))
#define DECLSPEC_NORETURN __attribute__((noreturn))
#define UNALIGNED         __attribute__((aligned(1)))
#define ANYSIZE_ARRAY     1
#undef TRUE
#undef FALSE
#define TRUE        1
#define FALSE       0
#define MAXULONG    0xFFFFFFFFu
#define MAXLONG     0x7FFFFFFF
#define MAXLONGLONG 0x7FFFFFFFFFFFFFFFLL
#define PAGE_SIZE   0x1000
#define PAGE_SHIFT  12

#define UNREFERENCED_PARAMETER(P)     ((void)(P))
#define ARRAYSIZE(A)                  (sizeof(A) / sizeof((A)[0]))
#define RTL_NUMBER_OF(A)              ARRAYSIZE(A)
#define FIELD_OFFSET(Type, Field)     ((LONG)offsetof(Type, Field))
#define CONTAINING_RECORD(P, Type, F) ((Type *)((char *)(P) - offsetof(Type, F)))
#define C_ASSERT(Expression)          _Static_assert(Expression, #Expression)
#define NT_ASSERT(Expression)         ((Expression) ? (void)0 : abort())
#define NT_SUCCESS(Status)            ((NTSTATUS)(Status) >= 0)
#define min(A, B)                     ((A) < (B) ? (A) : (B))
#define max(A, B)                     ((A) > (B) ? (A) : (B))

typedef void VOID, *PVOID;
typedef char CHAR, CCHAR, *PCHAR, *PSTR;
typedef const char *PCSTR, *PCSZ, *PCCH;
typedef unsigned char UCHAR, BOOLEAN, KIRQL, *PUCHAR, *PBOOLEAN;
typedef int16_t SHORT, CSHORT;
typedef uint16_t USHORT, WCHAR, *PUSHORT, *PWCH, *PWSTR, *PWCHAR;
typedef const WCHAR *PCWSTR, *PCWCH;
typedef int32_t LONG, NTSTATUS, CLONG, *PLONG;
typedef uint32_t ULONG, *PULONG;
typedef int64_t LONG64, LONGLONG, *PLONG64;
typedef uint64_t ULONG64, ULONGLONG, ULONG_PTR, SIZE_T, *PULONG64, *PULONG_PTR, *PSIZE_T;

WCHAR NTAPI RtlUpcaseUnicodeChar(WCHAR SourceCharacter);

typedef union _LARGE_INTEGER {
    LONGLONG QuadPart;
} LARGE_INTEGER, *PLARGE_INTEGER;

typedef struct _LIST_ENTRY {
    struct _LIST_ENTRY *Flink, *Blink;
} LIST_ENTRY, *PLIST_ENTRY;

static inline void InitializeListHead(PLIST_ENTRY Head)
{
    Head->Flink = Head->Blink = Head;
}
static inline void InsertTailList(PLIST_ENTRY Head, PLIST_ENTRY Entry)
{
    Entry->Flink = Head;
    Entry->Blink = Head->Blink;
    Head->Blink->Flink = Entry;
    Head->Blink = Entry;
}
static inline BOOLEAN RemoveEntryList(PLIST_ENTRY Entry)
{
    Entry->Flink->Blink = Entry->Blink;
    Entry->Blink->Flink = Entry->Flink;
    return Entry->Flink == Entry->Blink;
}

typedef struct _UNICODE_STRING {
    USHORT Length, MaximumLength;
    PWCH Buffer;
} UNICODE_STRING, *PUNICODE_STRING;
typedef const UNICODE_STRING *PCUNICODE_STRING;
typedef struct _STRING {
    USHORT Length, MaximumLength;
    PCHAR Buffer;
} STRING, ANSI_STRING, OEM_STRING, *PSTRING, *PANSI_STRING, *POEM_STRING;
typedef const STRING *PCANSI_STRING, *PCOEM_STRING;

typedef struct _GUID {
    ULONG Data1;
    USHORT Data2, Data3;
    UCHAR Data4[8];
} GUID;
typedef const GUID *REFGUID;

#define STATUS_SUCCESS             ((NTSTATUS)0)
#define STATUS_BUFFER_OVERFLOW     ((NTSTATUS)0x80000005)
#define STATUS_NO_MORE_MATCHES     ((NTSTATUS)0xC0000273)
#define STATUS_INVALID_PARAMETER   ((NTSTATUS)0xC000000D)
#define STATUS_INVALID_PARAMETER_2 ((NTSTATUS)0xC00000F0)
#define STATUS_INVALID_PARAMETER_4 ((NTSTATUS)0xC00000F2)
#define STATUS_INVALID_PARAMETER_5 ((NTSTATUS)0xC00000F3)
#define STATUS_ACCESS_VIOLATION    ((NTSTATUS)0xC0000005)
#define STATUS_NO_MEMORY           ((NTSTATUS)0xC0000017)
#define STATUS_BUFFER_TOO_SMALL    ((NTSTATUS)0xC0000023)
#define STATUS_SOME_NOT_MAPPED     ((NTSTATUS)0x00000107)

/* Pool is the host's heap. */
#define PagedPool 1
static inline PVOID ExAllocatePoolWithTag(int Type, SIZE_T Size, ULONG Tag)
{
    (void)Type;
    (void)Tag;
    return malloc(Size);
}

typedef struct _M128A {
    ULONGLONG Low;
    LONGLONG High;
} __attribute__((aligned(16))) M128A, *PM128A;

typedef struct _CONTEXT {
    ULONG64 Home[6];
    ULONG ContextFlags, MxCsr;
    USHORT SegCs, SegDs, SegEs, SegFs, SegGs, SegSs;
    ULONG EFlags;
    ULONG64 Dr[6];
    ULONG64 Rax, Rcx, Rdx, Rbx, Rsp, Rbp, Rsi, Rdi, R8, R9, R10, R11, R12, R13, R14, R15, Rip;
    M128A Header[2], Legacy[8];
    M128A Xmm0, Xmm1, Xmm2, Xmm3, Xmm4, Xmm5, Xmm6, Xmm7, Xmm8, Xmm9, Xmm10, Xmm11, Xmm12, Xmm13, Xmm14, Xmm15;
    M128A VectorRegister[32];
} CONTEXT, *PCONTEXT;

typedef struct _EXCEPTION_RECORD *PEXCEPTION_RECORD;
typedef int EXCEPTION_DISPOSITION;
typedef EXCEPTION_DISPOSITION (*PEXCEPTION_ROUTINE)(PEXCEPTION_RECORD, PVOID, PCONTEXT, PVOID);

typedef struct _RTL_BITMAP {
    ULONG SizeOfBitMap;
    PULONG Buffer;
} RTL_BITMAP, *PRTL_BITMAP;
typedef struct _RTL_BITMAP_RUN {
    ULONG StartingIndex, NumberOfBits;
} RTL_BITMAP_RUN, *PRTL_BITMAP_RUN;

typedef struct _TIME_FIELDS {
    CSHORT Year, Month, Day, Hour, Minute, Second, Milliseconds, Weekday;
} TIME_FIELDS, *PTIME_FIELDS;

typedef enum { TableEmptyTree, TableFoundNode, TableInsertAsLeft, TableInsertAsRight } TABLE_SEARCH_RESULT;
typedef enum { GenericLessThan, GenericGreaterThan, GenericEqual } RTL_GENERIC_COMPARE_RESULTS;

typedef struct _RTL_AVL_TABLE *PRTL_AVL_TABLE;
typedef RTL_GENERIC_COMPARE_RESULTS (*PRTL_AVL_COMPARE_ROUTINE)(PRTL_AVL_TABLE, PVOID, PVOID);
typedef PVOID (*PRTL_AVL_ALLOCATE_ROUTINE)(PRTL_AVL_TABLE, CLONG);
typedef VOID (*PRTL_AVL_FREE_ROUTINE)(PRTL_AVL_TABLE, PVOID);
typedef NTSTATUS (*PRTL_AVL_MATCH_FUNCTION)(PRTL_AVL_TABLE, PVOID, PVOID);
typedef struct _RTL_BALANCED_LINKS {
    struct _RTL_BALANCED_LINKS *Parent, *LeftChild, *RightChild;
    signed char Balance;
    UCHAR Reserved[3];
} RTL_BALANCED_LINKS, *PRTL_BALANCED_LINKS;
typedef struct _RTL_AVL_TABLE {
    RTL_BALANCED_LINKS BalancedRoot;
    PVOID OrderedPointer;
    ULONG WhichOrderedElement, NumberGenericTableElements, DepthOfTree;
    PRTL_BALANCED_LINKS RestartKey;
    ULONG DeleteCount;
    PRTL_AVL_COMPARE_ROUTINE CompareRoutine;
    PRTL_AVL_ALLOCATE_ROUTINE AllocateRoutine;
    PRTL_AVL_FREE_ROUTINE FreeRoutine;
    PVOID TableContext;
} RTL_AVL_TABLE;

typedef struct _RTL_GENERIC_TABLE *PRTL_GENERIC_TABLE;
typedef RTL_GENERIC_COMPARE_RESULTS (*PRTL_GENERIC_COMPARE_ROUTINE)(PRTL_GENERIC_TABLE, PVOID, PVOID);
typedef PVOID (*PRTL_GENERIC_ALLOCATE_ROUTINE)(PRTL_GENERIC_TABLE, CLONG);
typedef VOID (*PRTL_GENERIC_FREE_ROUTINE)(PRTL_GENERIC_TABLE, PVOID);
typedef struct _RTL_SPLAY_LINKS {
    struct _RTL_SPLAY_LINKS *Parent, *LeftChild, *RightChild;
} RTL_SPLAY_LINKS, *PRTL_SPLAY_LINKS;
typedef struct _RTL_GENERIC_TABLE {
    PRTL_SPLAY_LINKS TableRoot;
    LIST_ENTRY InsertOrderList;
    PLIST_ENTRY OrderedPointer;
    ULONG WhichOrderedElement, NumberGenericTableElements;
    PRTL_GENERIC_COMPARE_ROUTINE CompareRoutine;
    PRTL_GENERIC_ALLOCATE_ROUTINE AllocateRoutine;
    PRTL_GENERIC_FREE_ROUTINE FreeRoutine;
    PVOID TableContext;
} RTL_GENERIC_TABLE;

#endif
