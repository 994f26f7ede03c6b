/* SPDX-License-Identifier: MIT */
/*
 * fltvm_macros.h: macros and inline routines of wdm.h that mingw-w64's lacks, or has in a form that does not compile.
 *
 * Reads and writes with an order: on this processor a plain access already has it; what is kept is that the compiler
 * neither moves nor splits it.
 */
#ifndef FLTVM_MACROS_H
#define FLTVM_MACROS_H

/* What a driver exports to others (ntdef.h); DECLSPEC_IMPORT is the other side. */
#ifndef DECLSPEC_EXPORT
#define DECLSPEC_EXPORT __declspec(dllexport)
#endif

/* Structured exception handling by the words without underscores. */
#if !defined(__cplusplus) && !defined(_NTOSKRNL_)
#ifndef try
#define try     __try
#define except  __except
#define finally __finally
#define leave   __leave
#endif
#endif

#ifndef EXTERN_C_START
#ifdef __cplusplus
#define EXTERN_C_START extern "C" {
#define EXTERN_C_END   }
#else
#define EXTERN_C_START
#define EXTERN_C_END
#endif
#endif

/* An expression, also of a const parameter and behind an if without braces. */
#undef UNREFERENCED_PARAMETER
#undef UNREFERENCED_LOCAL_VARIABLE
#undef DBG_UNREFERENCED_PARAMETER
#undef DBG_UNREFERENCED_LOCAL_VARIABLE
#define UNREFERENCED_PARAMETER(P)          ((void)(P))
#define UNREFERENCED_LOCAL_VARIABLE(V)     ((void)(V))
#define DBG_UNREFERENCED_PARAMETER(P)      ((void)(P))
#define DBG_UNREFERENCED_LOCAL_VARIABLE(V) ((void)(V))

#ifndef DEFAULT_UNREACHABLE
#define DEFAULT_UNREACHABLE                                                                                            \
    default: __builtin_unreachable()
#endif
#ifndef UFIELD_OFFSET
#define UFIELD_OFFSET(Type, Field) ((ULONG) __builtin_offsetof(Type, Field))
#endif
#ifndef POINTER_IS_ALIGNED
#define POINTER_IS_ALIGNED(Pointer, Alignment) ((((ULONG_PTR)(Pointer)) & ((Alignment) - 1)) == 0)
#endif
#ifndef RTL_PADDING_BETWEEN_FIELDS
#define RTL_PADDING_BETWEEN_FIELDS(Type, First, Second)                                                                \
    (UFIELD_OFFSET(Type, Second) - UFIELD_OFFSET(Type, First) - RTL_FIELD_SIZE(Type, First))
#endif
#ifndef RTL_CONST_CAST
#ifdef __cplusplus
#define RTL_CONST_CAST(Type) const_cast<Type>
#else
#define RTL_CONST_CAST(Type) (Type)
#endif
#endif
#ifndef DECLARE_GLOBAL_CONST_UNICODE_STRING
#define DECLARE_GLOBAL_CONST_UNICODE_STRING(Name, Text)                                                                \
    extern const DECLSPEC_SELECTANY UNICODE_STRING Name = {sizeof(Text) - sizeof(WCHAR), sizeof(Text), (PWCH)(Text)}
#endif
#ifndef DEFINE_ENUM_FLAG_OPERATORS
#ifdef __cplusplus
#define DEFINE_ENUM_FLAG_OPERATORS(E)                                                                                  \
    extern "C++" {                                                                                                     \
    inline constexpr E operator|(E a, E b)                                                                             \
    {                                                                                                                  \
        return E(int(a) | int(b));                                                                                     \
    }                                                                                                                  \
    inline constexpr E operator&(E a, E b)                                                                             \
    {                                                                                                                  \
        return E(int(a) & int(b));                                                                                     \
    }                                                                                                                  \
    inline constexpr E operator^(E a, E b)                                                                             \
    {                                                                                                                  \
        return E(int(a) ^ int(b));                                                                                     \
    }                                                                                                                  \
    inline constexpr E operator~(E a)                                                                                  \
    {                                                                                                                  \
        return E(~int(a));                                                                                             \
    }                                                                                                                  \
    inline E &operator|=(E &a, E b)                                                                                    \
    {                                                                                                                  \
        return a = a | b;                                                                                              \
    }                                                                                                                  \
    inline E &operator&=(E &a, E b)                                                                                    \
    {                                                                                                                  \
        return a = a & b;                                                                                              \
    }                                                                                                                  \
    inline E &operator^=(E &a, E b)                                                                                    \
    {                                                                                                                  \
        return a = a ^ b;                                                                                              \
    }                                                                                                                  \
    }
#else
#define DEFINE_ENUM_FLAG_OPERATORS(E)
#endif
#define COMPILETIME_OR_2FLAGS(a, b)             ((ULONG)(a) | (ULONG)(b))
#define COMPILETIME_OR_3FLAGS(a, b, c)          (COMPILETIME_OR_2FLAGS(a, b) | (ULONG)(c))
#define COMPILETIME_OR_4FLAGS(a, b, c, d)       (COMPILETIME_OR_3FLAGS(a, b, c) | (ULONG)(d))
#define COMPILETIME_OR_5FLAGS(a, b, c, d, e)    (COMPILETIME_OR_4FLAGS(a, b, c, d) | (ULONG)(e))
#define COMPILETIME_OR_6FLAGS(a, b, c, d, e, f) (COMPILETIME_OR_5FLAGS(a, b, c, d, e) | (ULONG)(f))
#endif

/* A Win32 error as a status: facility 7, severity error; success stays success. */
#ifndef NTSTATUS_FROM_WIN32
#define __NTSTATUS_FROM_WIN32(x)                                                                                       \
    ((NTSTATUS)(x) <= 0 ? (NTSTATUS)(x) : (NTSTATUS)(((x) & 0x0000ffff) | (7 << 16) | 0xc0000000))
#define NTSTATUS_FROM_WIN32(x) __NTSTATUS_FROM_WIN32(x)
#endif

/* Assertions: int 2Ch in a checked build; NT_FRE_… in every build. */
#ifndef NT_FRE_ASSERT
#define NT_FRE_ASSERT(e)        ((void)((!(e)) ? (DbgRaiseAssertionFailure(), FALSE) : TRUE))
#define NT_FRE_ASSERTMSG(m, e)  NT_FRE_ASSERT(e)
#define NT_FRE_ASSERTMSGW(m, e) NT_FRE_ASSERT(e)
#define NT_FRE_VERIFY(e)        ((!(e)) ? (DbgRaiseAssertionFailure(), FALSE) : TRUE)
#define NT_FRE_VERIFYMSG(m, e)  NT_FRE_VERIFY(e)
#define NT_ANALYSIS_ASSUME(e)   ((void)0)
#endif
#if DBG
#undef NT_ASSERT
#undef NT_ASSERTMSG
#undef NT_ASSERTMSGW
#undef NT_VERIFY
#undef NT_VERIFYMSG
#undef NT_VERIFYMSGW
#define NT_ASSERT(e)        NT_FRE_VERIFY(e)
#define NT_ASSERTMSG(m, e)  NT_FRE_VERIFY(e)
#define NT_ASSERTMSGW(m, e) NT_FRE_VERIFY(e)
#define NT_VERIFY(e)        NT_FRE_VERIFY(e)
#define NT_VERIFYMSG(m, e)  NT_FRE_VERIFY(e)
#define NT_VERIFYMSGW(m, e) NT_FRE_VERIFY(e)
#endif
#ifndef NT_ASSERT_ACTION
#define NT_ASSERT_ACTION(e)         NT_FRE_VERIFY(e)
#define NT_ASSERTMSG_ACTION(m, e)   NT_FRE_VERIFY(e)
#define NT_ASSERT_ASSUME(e)         NT_ASSERT(e)
#define NT_ASSERTMSG_ASSUME(m, e)   NT_ASSERT(e)
#define NT_ASSERT_NOASSUME(e)       NT_ASSERT(e)
#define NT_ASSERTMSG_NOASSUME(m, e) NT_ASSERT(e)
#endif

#ifndef NtCurrentSession
#define NtCurrentSession() ((HANDLE)(LONG_PTR) - 3)
#define ZwCurrentSession() NtCurrentSession()
#endif
#ifndef IosbToIosb64
#define IosbToIosb64(Iosb64, Iosb) (*(Iosb64) = *(Iosb))
#define Iosb64ToIosb(Iosb, Iosb64) (*(Iosb) = *(Iosb64))
#endif

/* The processor. */
#ifndef ReadCR8
#define ReadCR8()   __readcr8()
#define WriteCR8(v) __writecr8(v)
#endif
#ifndef ReadTimeStampCounter
#define ReadTimeStampCounter() __rdtsc()
#endif
#ifndef GetCallersEflags
#define GetCallersEflags() __builtin_ia32_readeflags_u64()
#endif
#ifndef CacheLineFlush
#define CacheLineFlush(a) __builtin_ia32_clflush(a)
#endif
#ifndef PreFetchCacheLine
#define PF_TEMPORAL_LEVEL_1         3
#define PF_TEMPORAL_LEVEL_2         2
#define PF_TEMPORAL_LEVEL_3         1
#define PF_NON_TEMPORAL_LEVEL_ALL   0
#define PreFetchCacheLine(Level, a) __builtin_prefetch((const void *)(a), 0, Level)
#define PrefetchForWrite(p)         __builtin_prefetch((const void *)(p), 1)
#define ReadForWriteAccess(p)       (*(p))
#endif
#ifndef IS_UNWINDING
#define IS_UNWINDING(Flag)     (((Flag) & (EXCEPTION_UNWINDING | EXCEPTION_EXIT_UNWIND)) != 0)
#define IS_DISPATCHING(Flag)   (((Flag) & (EXCEPTION_UNWINDING | EXCEPTION_EXIT_UNWIND)) == 0)
#define IS_TARGET_UNWIND(Flag) ((Flag) & EXCEPTION_TARGET_UNWIND)
#endif

#ifdef __cplusplus
extern "C" {
#endif

#ifndef _NTOSKRNL_
/* In <intrin.h>, which not every driver includes. */
static __inline__ __attribute__((__always_inline__, __nodebug__, unused)) void FltvmNop(void)
{
    __asm__ volatile("nop");
}
#ifndef __INTRIN_H
#define __nop FltvmNop
#endif

#define FLTVM_INLINE static __inline__ __attribute__((unused))

FLTVM_INLINE void FltvmMemoryBarrier(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
#ifndef KeMemoryBarrier
#define KeMemoryBarrier             FltvmMemoryBarrier
#define KeMemoryBarrierWithoutFence _ReadWriteBarrier
#endif
FLTVM_INLINE void BarrierAfterRead(void)
{
    __asm__ volatile("" ::: "memory");
}

#define FLTVM_ORDERED(Type, Read, Write, Acquire, NoFence, Release)                                                    \
    FLTVM_INLINE Type Read##Acquire(const volatile Type *Source)                                                       \
    {                                                                                                                  \
        return __atomic_load_n(Source, __ATOMIC_ACQUIRE);                                                              \
    }                                                                                                                  \
    FLTVM_INLINE Type Read##NoFence(const volatile Type *Source)                                                       \
    {                                                                                                                  \
        return __atomic_load_n(Source, __ATOMIC_RELAXED);                                                              \
    }                                                                                                                  \
    FLTVM_INLINE void Write##Release(volatile Type *Destination, Type Value)                                           \
    {                                                                                                                  \
        __atomic_store_n(Destination, Value, __ATOMIC_RELEASE);                                                        \
    }                                                                                                                  \
    FLTVM_INLINE void Write##NoFence(volatile Type *Destination, Type Value)                                           \
    {                                                                                                                  \
        __atomic_store_n(Destination, Value, __ATOMIC_RELAXED);                                                        \
    }
#define FLTVM_RAW(Type, Read, Write)                                                                                   \
    FLTVM_INLINE Type Read(const volatile Type *Source)                                                                \
    {                                                                                                                  \
        return *Source;                                                                                                \
    }                                                                                                                  \
    FLTVM_INLINE void Write(volatile Type *Destination, Type Value)                                                    \
    {                                                                                                                  \
        *Destination = Value;                                                                                          \
    }
/* The names without a type end in the width, and those of 32 bits in nothing. */
FLTVM_ORDERED(CHAR, Read, Write, Acquire8, NoFence8, Release8)
FLTVM_ORDERED(SHORT, Read, Write, Acquire16, NoFence16, Release16)
FLTVM_ORDERED(LONG, Read, Write, Acquire, NoFence, Release)
FLTVM_ORDERED(LONG64, Read, Write, Acquire64, NoFence64, Release64)
FLTVM_RAW(CHAR, ReadRaw8, WriteRaw8)
FLTVM_RAW(SHORT, ReadRaw16, WriteRaw16)
FLTVM_RAW(LONG, ReadRaw, WriteRaw)
FLTVM_RAW(LONG64, ReadRaw64, WriteRaw64)
FLTVM_ORDERED(BOOLEAN, ReadBoolean, WriteBoolean, Acquire, NoFence, Release)
FLTVM_ORDERED(UCHAR, ReadUChar, WriteUChar, Acquire, NoFence, Release)
FLTVM_ORDERED(USHORT, ReadUShort, WriteUShort, Acquire, NoFence, Release)
FLTVM_ORDERED(ULONG, ReadULong, WriteULong, Acquire, NoFence, Release)
FLTVM_ORDERED(INT32, ReadInt32, WriteInt32, Acquire, NoFence, Release)
FLTVM_ORDERED(UINT32, ReadUInt32, WriteUInt32, Acquire, NoFence, Release)
FLTVM_ORDERED(ULONG64, ReadULong64, WriteULong64, Acquire, NoFence, Release)
FLTVM_RAW(BOOLEAN, ReadBooleanRaw, WriteBooleanRaw)
FLTVM_RAW(UCHAR, ReadUCharRaw, WriteUCharRaw)
FLTVM_RAW(USHORT, ReadUShortRaw, WriteUShortRaw)
FLTVM_RAW(ULONG, ReadULongRaw, WriteULongRaw)
FLTVM_RAW(INT32, ReadInt32Raw, WriteInt32Raw)
FLTVM_RAW(UINT32, ReadUInt32Raw, WriteUInt32Raw)
FLTVM_RAW(ULONG64, ReadULong64Raw, WriteULong64Raw)
#undef FLTVM_ORDERED
#undef FLTVM_RAW
/* Pointers of any type are passed to these. */
#define ReadPointerAcquire(Source) __atomic_load_n((PVOID const volatile *)(Source), __ATOMIC_ACQUIRE)
#define ReadPointerNoFence(Source) __atomic_load_n((PVOID const volatile *)(Source), __ATOMIC_RELAXED)
#define ReadPointerRaw(Source)     (*(PVOID const volatile *)(Source))
#define WritePointerRelease(Destination, v)                                                                            \
    __atomic_store_n((PVOID volatile *)(Destination), (PVOID)(v), __ATOMIC_RELEASE)
#define WritePointerNoFence(Destination, v)                                                                            \
    __atomic_store_n((PVOID volatile *)(Destination), (PVOID)(v), __ATOMIC_RELAXED)
#define WritePointerRaw(Destination, v) ((void)(*(PVOID volatile *)(Destination) = (PVOID)(v)))

#ifndef _InlineInterlockedAdd
FLTVM_INLINE LONG FltvmInterlockedAdd(volatile LONG *Addend, LONG Value)
{
    return __sync_add_and_fetch(Addend, Value);
}
FLTVM_INLINE LONG64 FltvmInterlockedAdd64(volatile LONG64 *Addend, LONG64 Value)
{
    return __sync_add_and_fetch(Addend, Value);
}
#define _InlineInterlockedAdd   FltvmInterlockedAdd
#define _InlineInterlockedAdd64 FltvmInterlockedAdd64
#undef InterlockedAdd
#undef InterlockedAdd64
#define InterlockedAdd   FltvmInterlockedAdd
#define InterlockedAdd64 FltvmInterlockedAdd64
#endif
#define InterlockedExchangeAddSizeTAcquire(a, b) InterlockedExchangeAddSizeT(a, b)
#define InterlockedExchangeAddSizeTNoFence(a, b) InterlockedExchangeAddSizeT(a, b)
#define InterlockedIncrementSizeTNoFence(a)      InterlockedIncrementSizeT(a)
#define InterlockedDecrementSizeTNoFence(a)      InterlockedDecrementSizeT(a)

FLTVM_INLINE ULONG64 READ_REGISTER_ULONG64(volatile ULONG64 *Register)
{
    return __atomic_load_n(Register, __ATOMIC_SEQ_CST);
}
FLTVM_INLINE void WRITE_REGISTER_ULONG64(volatile ULONG64 *Register, ULONG64 Value)
{
    __atomic_store_n(Register, Value, __ATOMIC_SEQ_CST);
}
FLTVM_INLINE void READ_REGISTER_BUFFER_ULONG64(volatile ULONG64 *Register, PULONG64 Buffer, ULONG Count)
{
    while (Count-- != 0)
        *Buffer++ = READ_REGISTER_ULONG64(Register++);
}
FLTVM_INLINE void WRITE_REGISTER_BUFFER_ULONG64(volatile ULONG64 *Register, PULONG64 Buffer, ULONG Count)
{
    while (Count-- != 0)
        WRITE_REGISTER_ULONG64(Register++, *Buffer++);
}

DECLSPEC_NORETURN FLTVM_INLINE void RtlFailFast(ULONG Code)
{
    __asm__ volatile("int $0x29" : : "c"(Code));
    __builtin_unreachable();
}

/* What lies between MaximumLength and Buffer goes out with the structure: clear it first. */
FLTVM_INLINE void RtlSanitizeUnicodeStringPadding(PUNICODE_STRING String)
{
    memset((PUCHAR)&String->MaximumLength + sizeof(USHORT), 0,
           __builtin_offsetof(UNICODE_STRING, Buffer) - __builtin_offsetof(UNICODE_STRING, MaximumLength) -
               sizeof(USHORT));
}

/* Takes as long whatever the contents. */
FLTVM_INLINE BOOLEAN RtlConstantTimeEqualMemory(const void *First, const void *Second, SIZE_T Length)
{
    const volatile UCHAR *Left = (const volatile UCHAR *)First, *Right = (const volatile UCHAR *)Second;
    UCHAR Different = 0;

    while (Length-- != 0)
        Different |= *Left++ ^ *Right++;
    return Different == 0;
}

/* Floating point is the thread's own on this processor. */
FLTVM_INLINE NTSTATUS FltvmSaveFloatingPointState(PVOID State)
{
    (void)State;
    return STATUS_SUCCESS;
}
#ifndef KeSaveFloatingPointState
#define KeSaveFloatingPointState    FltvmSaveFloatingPointState
#define KeRestoreFloatingPointState FltvmSaveFloatingPointState
#endif

FLTVM_INLINE void ExInitializeDeleteTimerParameters(PEXT_DELETE_PARAMETERS Parameters)
{
    memset(Parameters, 0, sizeof(*Parameters));
}

/* Push locks without flags. */
#ifndef ExAcquirePushLockExclusive
#define ExAcquirePushLockExclusive(Lock) ExAcquirePushLockExclusiveEx(Lock, EX_DEFAULT_PUSH_LOCK_FLAGS)
#define ExAcquirePushLockShared(Lock)    ExAcquirePushLockSharedEx(Lock, EX_DEFAULT_PUSH_LOCK_FLAGS)
#define ExReleasePushLockExclusive(Lock) ExReleasePushLockExclusiveEx(Lock, EX_DEFAULT_PUSH_LOCK_FLAGS)
#define ExReleasePushLockShared(Lock)    ExReleasePushLockSharedEx(Lock, EX_DEFAULT_PUSH_LOCK_FLAGS)
#endif

/* Pool for drivers that also run on older Windows. */
FLTVM_INLINE PVOID ExAllocatePoolQuotaZero(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    PVOID Memory = ExAllocatePoolWithQuotaTag(PoolType, NumberOfBytes, Tag);

    if (Memory != NULL)
        memset(Memory, 0, NumberOfBytes);
    return Memory;
}
FLTVM_INLINE PVOID ExAllocatePoolQuotaUninitialized(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag)
{
    return ExAllocatePoolWithQuotaTag(PoolType, NumberOfBytes, Tag);
}
FLTVM_INLINE PVOID ExAllocatePoolPriorityZero(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag,
                                              EX_POOL_PRIORITY Priority)
{
    PVOID Memory = ExAllocatePoolWithTagPriority(PoolType, NumberOfBytes, Tag, Priority);

    if (Memory != NULL)
        memset(Memory, 0, NumberOfBytes);
    return Memory;
}
FLTVM_INLINE PVOID ExAllocatePoolPriorityUninitialized(POOL_TYPE PoolType, SIZE_T NumberOfBytes, ULONG Tag,
                                                       EX_POOL_PRIORITY Priority)
{
    return ExAllocatePoolWithTagPriority(PoolType, NumberOfBytes, Tag, Priority);
}

/* A driver that opts in gets NonPagedPoolNx where it says NonPagedPool, once it has called ExInitializeDriverRuntime. */
#if defined(POOL_NX_OPTIN) || defined(POOL_NX_OPTIN_AUTO)
#if defined(POOL_NX_OPTIN_AUTO) && POOL_NX_OPTIN_AUTO
#define NonPagedPool             NonPagedPoolNx
#define NonPagedPoolCacheAligned NonPagedPoolNxCacheAligned
#elif defined(POOL_NX_OPTIN) && POOL_NX_OPTIN
DECLSPEC_SELECTANY POOL_TYPE ExDefaultNonPagedPoolType = NonPagedPool;
#undef ExInitializeDriverRuntime
#define ExInitializeDriverRuntime(Flags)                                                                               \
    ((void)(((Flags) & DrvRtPoolNxOptIn) ? (ExDefaultNonPagedPoolType = NonPagedPoolNx) : NonPagedPoolNx))
#define NonPagedPool                 ((POOL_TYPE)ExDefaultNonPagedPoolType)
#define NonPagedPoolCacheAligned     ((POOL_TYPE)(ExDefaultNonPagedPoolType + CacheAligned_Of_NonPagedPool))
#define CacheAligned_Of_NonPagedPool 4
#endif
#endif

#endif /* _NTOSKRNL_ */

#ifdef __cplusplus
}
#endif

#endif
