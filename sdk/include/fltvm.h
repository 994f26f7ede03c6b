/* SPDX-License-Identifier: MIT */
/*
 * fltvm.h: what fltvm's kernel offers beyond Windows, for tests, fltmgr and curious drivers.
 *
 * A driver that includes this runs on fltvm only.  All of it is callable at any IRQL.
 * Include it after ntifs.h or fltKernel.h.
 */
#ifndef FLTVM_H
#define FLTVM_H

#ifdef _NTOSKRNL_
#define FVAPI
#else
#define FVAPI __declspec(dllimport)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A trace point: FV_TRACE(Event, A, B, C, D, E).  Event is an FLTVM_TRACE_* of abi/trace.h; FLTVM_TRACE_USER is the
 * drivers' own.  IRQL: any.
 *
 * It is one instruction, a NOP that names the registers its arguments happen to be in (abi/tracepoint.h), and the same one
 * whether or not the host traces.  A literal 0 costs nothing; another argument costs what it takes to have it in a register.
 */
#define FV_TRACE_POINT 0x60000000u

__asm__(".macro fv_trace_register shift value\n"
        ".set .Lfv_number, 0\n"
        ".ifc \\value,$0\n.set .Lfv_point, .Lfv_point + (4 << \\shift)\n.else\n"
        ".set .Lfv_found, 0\n"
        ".irp name,%rax,%rcx,%rdx,%rbx,%rsp,%rbp,%rsi,%rdi,%r8,%r9,%r10,%r11,%r12,%r13,%r14,%r15\n"
        ".ifc \\value,\\name\n.set .Lfv_point, .Lfv_point + (.Lfv_number << \\shift)\n.set .Lfv_found, 1\n.endif\n"
        ".set .Lfv_number, .Lfv_number + 1\n"
        ".endr\n"
        ".if .Lfv_found == 0\n.error \"FV_TRACE: put the address of a routine or variable into "
        "FV_TRACE_ADDRESS()\"\n.endif\n"
        ".endif\n"
        ".endm\n"
        ".macro fv_trace_point event a b c d e\n"
        ".set .Lfv_point, \\event\n"
        "fv_trace_register 8, \\a\nfv_trace_register 12, \\b\nfv_trace_register 16, \\c\n"
        "fv_trace_register 20, \\d\nfv_trace_register 24, \\e\n"
        ".byte 0x0F, 0x1F, 0x80\n.long .Lfv_point\n"
        ".endm\n");

/* An argument that is an address known when linking, such as a routine of the driver's own. */
static __inline__ __attribute__((always_inline)) ULONG64 FvpTraceAddress(ULONG64 Value)
{
    __asm__("" : "+r"(Value));
    return Value;
}
#define FV_TRACE_ADDRESS(Address) FvpTraceAddress((ULONG64)(Address))

/* 0 may stay a constant, all else has to be in a register. */
static __inline__ __attribute__((always_inline)) ULONG64 FvpTraceArgument(ULONG64 Value)
{
    return __builtin_constant_p(Value) && Value != 0 ? FvpTraceAddress(Value) : Value;
}

#define FV_TRACE(Event, A, B, C, D, E)                                                                                 \
    __asm__ volatile("fv_trace_point %c0, %1, %2, %3, %4, %5"                                                          \
                     :                                                                                                 \
                     : "i"(FV_TRACE_POINT | (Event)), "ri"(FvpTraceArgument((ULONG64)(A))),                            \
                       "ri"(FvpTraceArgument((ULONG64)(B))), "ri"(FvpTraceArgument((ULONG64)(C))),                     \
                       "ri"(FvpTraceArgument((ULONG64)(D))), "ri"(FvpTraceArgument((ULONG64)(E))))

/* IRQL: any.  Return addresses, innermost first, without the first Skip frames; returns how many. */
FVAPI ULONG NTAPI FvCaptureStackBackTrace(ULONG Skip, ULONG Count, PVOID *Frames);

/* IRQL: any.  Whether the address may be called: mapped and executable.  FALSE for NULL, data, and code that was discarded. */
FVAPI BOOLEAN NTAPI FvIsCode(const VOID *Address);

/*
 * IRQL: any.  For a routine that is given another, to be called later: with the verifier on, bugchecks 0xC4,
 * FV_BAD_ROUTINE if that is none.  Blamed is the driver that called; What is a few words.
 */
FVAPI VOID NTAPI FvCheckRoutine(const VOID *Routine, PCSTR What);

/*
 * Nonpaged blocks that were freed and that their owner keeps for a while as they are, to find late use: in the accounts of
 * pool they count as free.  GiveBack frees them all, when an allocation would fail; IRQL <= DISPATCH_LEVEL, inside
 * anybody's allocation.  Registered for good, by in-box drivers.
 */
typedef struct _FV_RESTING {
    ULONG Tag;
    ULONG Size; /* of each */
    volatile ULONG *Count;
    VOID(NTAPI *GiveBack)(VOID);
} FV_RESTING, *PFV_RESTING;
FVAPI VOID NTAPI FvRegisterResting(PFV_RESTING Resting);

/*
 * IRQL: <= DISPATCH_LEVEL, <= APC_LEVEL for paged pool.  As ExAllocatePoolWithTag, on behalf of the driver that the address is in, whom it is
 * charged to: what it never frees is its leak, with the line of the call.
 */
FVAPI PVOID NTAPI FvAllocatePoolForCaller(POOL_TYPE PoolType, SIZE_T Size, ULONG Tag, PVOID Caller);

/*
 * IRQL: <= DISPATCH_LEVEL.  As ObReferenceObject, on behalf of the driver that the address is in: a reference that it never gives back is
 * left behind by it, with the line of the call.
 */
FVAPI LONG_PTR NTAPI FvReferenceForCaller(PVOID Object, PVOID Caller);

/*
 * IRQL: <= APC_LEVEL.  As ExAcquireResourceExclusiveLite or …SharedLite with Wait, and as ExAcquirePushLockExclusiveEx or …SharedEx, on behalf
 * of the driver that the address is in: reports of who holds the lock and who waits for it have the line of that call.
 */
FVAPI VOID NTAPI FvAcquireResourceForCaller(PERESOURCE Resource, BOOLEAN Exclusive, PVOID Caller);
FVAPI VOID NTAPI FvAcquirePushLockForCaller(PEX_PUSH_LOCK PushLock, BOOLEAN Exclusive, ULONG Flags, PVOID Caller);

/* IRQL: any.  Detail for the host's report, "name=value\n" text, sent just before a bugcheck. */
FVAPI VOID NTAPI FvReport(PCSTR Text);

/* Where pointers lead that were a structure's while it was its reader's to use: nothing is there, and a fault says what happened. */
#define FV_OVER_ADDRESS 0xFFFFF6FFFFFF0000ULL

/* IRQL: any.  Whether the driver verifier's checks are on. */
FVAPI BOOLEAN NTAPI FvVerifierEnabled(VOID);

/*
 * With the verifier on, Routine is called whenever an image is about to be unmapped, at <= APC_LEVEL: it bugchecks if it
 * has something of the image's that the image should have given back, or holds an address in it.  For good; a few
 * may register.  IRQL: PASSIVE_LEVEL.
 */
typedef VOID(NTAPI *PFV_UNLOAD_CHECK)(PVOID Base, SIZE_T Size, PUNICODE_STRING Name);
FVAPI VOID NTAPI FvRegisterUnloadCheck(PFV_UNLOAD_CHECK Routine);

/*
 * Routine is called whenever the stacks of all threads are told because something lasts too long: it tells, by Tell and "name=value\n"
 * text, what is held that others may wait for, and who holds it.  IRQL: DISPATCH_LEVEL; or HIGH_LEVEL, and then Frozen: the
 * other processors stand still wherever they are, the machine ends afterwards, and no lock can be waited for; a list may be looked at whose lock is
 * free.  It must not fault, and tells a few kilobytes at most.  For good, by in-box drivers; a few may register.  IRQL: PASSIVE_LEVEL.
 */
typedef VOID(NTAPI *PFV_TELL)(PCSTR Text);
typedef VOID(NTAPI *PFV_TELL_HELD)(PFV_TELL Tell, BOOLEAN Frozen);
FVAPI VOID NTAPI FvRegisterHolder(PFV_TELL_HELD Routine);

/*
 * A device has been removed by surprise, and its drivers have been told: it gets IRP_MN_REMOVE_DEVICE when nobody has a file of it or of its stack
 * open any more, which may be at once.  For in-box drivers whose devices nobody else enumerates.  IRQL: PASSIVE_LEVEL.
 */
FVAPI VOID NTAPI FvRemoveWhenClosed(PDEVICE_OBJECT Device);

/* IRQL: any.  An option of the run, as the host gave it.  FALSE, and Value empty, when it was not given. */
FVAPI BOOLEAN NTAPI FvOption(PCSTR Name, PCHAR Value, ULONG Size);

/*
 * IRQL: any.  Who is to blame for the bugcheck that follows on this thread: an address in the guilty driver's code
 * (its callback; or the caller's return address).  The report names its image and line, whatever the stack is.  NULL:
 * whom the stack shows.
 */
FVAPI VOID NTAPI FvBlame(const VOID *Address);

/*
 * What a routine of a driver must leave as it found it: the IRQL, APCs (critical and guarded regions), locks, mutexes
 * and resources, impersonation, the process attached to, the top-level IRP, the thread's own priority.  Around each call of one:
 *
 *     FvBeginCall(&Call);
 *     Routine(…);
 *     FvEndCall(&Call, Routine, "pre-callback", (ULONG_PTR)Data);
 *
 * FvEndCall bugchecks and blames Routine when it did not.  What names the kind of routine; of one that ends in "work
 * routine" Windows's own bugchecks are made, with the verifier or without (Context, which the caller may set in
 * between, and Object are their parameters); all others are checked with the verifier only.  IRQL: any, in the same
 * thread; about 10 instructions each.
 *
 *     0xE1  a work routine, wrong IRQL        P1 routine, P2 IRQL, P3 Context, P4 Object
 *     0xC8  another routine, wrong IRQL       P1 IRQL << 16 | IRQL before << 8, P2 routine, P3 Object
 *     0x1   APCs disabled, or enabled         P1 routine, P3 the thread's counts, P4 1 for a work routine
 *     0xDF  impersonating                     P1 routine, P2 Context, P3 Object
 *     0xC4  FV_RETURNED_*                     P1 which, P2 routine, P3 Object, P4 as told there
 *
 * A "dispatch routine", "fast I/O routine", "completion routine" or "interrupt service routine" has Driver Verifier's own
 * codes for the IRQL (0xC9/0x5 and 0x11, 0xC4/0xFA and 0x111) and for APCs (0xC4/0xC5, 0xC6, 0xFB).
 */
typedef struct _FV_CALL {
    ULONG64 State; /* the kernel's */
    ULONG_PTR TopLevelIrp;
    ULONG Irql;
    ULONG MayLeave; /* FV_MAY_LEAVE_*: set after FvBeginCall, 0 until then */
    ULONG_PTR Context;
} FV_CALL, *PFV_CALL;

/* What another routine will put back: as a pre-callback whose post-callback runs in the same thread. */
#define FV_MAY_LEAVE_APCS_DISABLED 0x1
#define FV_MAY_LEAVE_RESOURCES     0x2
#define FV_MAY_LEAVE_TOP_LEVEL_IRP 0x4

#define FV_RETURNED_WITH_LOCK          0xF101 /* P4: how many more spin locks, fast mutexes, push locks than before */
#define FV_RETURNED_WITH_RESOURCE      0xF102 /* P4: how many more resources and mutexes */
#define FV_RETURNED_WITH_TOP_LEVEL_IRP 0xF103 /* P4: the top-level IRP it left */
#define FV_RETURNED_WITH_PRIORITY      0xF104 /* P4: the priority it left */

/* 0xC4 too: what was given as a routine is NULL, or cannot be executed; at the call that gave it. */
#define FV_BAD_ROUTINE 0xF105 /* P2: the address */

/* 0xC4 too: an IRP is completed with more bytes than were asked for; blamed is who completed it. */
#define FV_INFORMATION_BEYOND_BUFFER 0xF106 /* P2: the IRP, P3: IoStatus.Information, P4: the length */

/* 0xC4 too: found when a driver's image goes (devices: when its DriverUnload has returned). */
#define FV_LEFT_BEHIND 0xF107 /* P2: what is left, P3: code of the driver that made it */

/* 0xC4 too: an argument that the routine's documentation does not allow, found at the call. */
#define FV_BAD_ARGUMENT 0xF108 /* P2: the object, P3: the argument, P4: what it may be at most */

/* 0xC4 too: the kernel found itself otherwise than it takes for granted; the report tells what and where. */
#define FV_ASSERTION 0xF109 /* P2: the line */

#define FV_RETURNED_ATTACHED 0xF10A /* FvEndCall's as well; P4: the process that it left the thread attached to */

/* Where a thread keeps what a call compares: the state, and behind it the top-level IRP. */
#define FV_CALL_STATE             0x248
#define FV_CALL_STATE_OF_THREAD() ((const volatile ULONG64 *)((ULONG_PTR)KeGetCurrentThread() + FV_CALL_STATE))

FORCEINLINE VOID FvBeginCall(PFV_CALL Call)
{
    const volatile ULONG64 *State = FV_CALL_STATE_OF_THREAD();

    Call->State = State[0];
    Call->TopLevelIrp = State[1];
    *(ULONG64 *)&Call->Irql = __readcr8(); /* and MayLeave 0 */
    Call->Context = 0;
}

/* FvEndCall has found that something is not as it was. */
FVAPI VOID NTAPI FvReturnedBadly(const FV_CALL *Call, const VOID *Routine, PCSTR What, ULONG_PTR Object);

FORCEINLINE VOID FvEndCall(const FV_CALL *Call, const VOID *Routine, PCSTR What, ULONG_PTR Object)
{
    const volatile ULONG64 *State = FV_CALL_STATE_OF_THREAD();

    if (State[0] != Call->State || State[1] != Call->TopLevelIrp || __readcr8() != Call->Irql)
        FvReturnedBadly(Call, Routine, What, Object);
}

/*
 * Deadlocks.  Whoever lets a thread wait, without a time-out, for what other threads hold (a lock, references, the end
 * of a work item) says so around the wait.  With the verifier on, FvBeginWait bugchecks when that closes a circle:
 * when the thread, through whatever the holders themselves wait for, would wait for itself.  The report tells every
 * thread of the circle, what it waits for and where, who holds it and since where.
 *
 *     FV_WAIT Wait = {.What = "references to instance", .Object = Instance, .Caller = __builtin_return_address(0),
 *                     .NextHolder = …};
 *     FvBeginWait(&Wait);
 *     KeWaitForSingleObject(…);
 *     FvEndWait(&Wait);
 *
 * The wait must be one that ends only when every holder has let go.  The kernel's own locks, mutexes and threads are
 * looked after by the kernel.  IRQL <= APC_LEVEL, both in the same thread; nested ones are ended inside out.
 *
 *     0xC4  0x1000 (the thread waits for itself) or 0x1001   P2 Object, P3 the thread, P4 how many threads
 */
typedef struct _FV_HOLDER {
    PVOID Thread;      /* PKTHREAD or PETHREAD; NULL: nobody that is known, which is no circle */
    const VOID *Since; /* a return address in the code that took hold; NULL: not known */
} FV_HOLDER, *PFV_HOLDER;

/*
 * Names the Index-th (from 0) of those who hold what Wait is for; FALSE: there is no such.  DISPATCH_LEVEL, under a lock
 * of the kernel's: it may look, and take spin locks that are never held across FvBeginWait or FvEndWait.
 */
struct _FV_WAIT;
typedef BOOLEAN(NTAPI FV_NEXT_HOLDER)(struct _FV_WAIT *Wait, ULONG Index, PFV_HOLDER Holder);

typedef struct _FV_WAIT {
    PCSTR What; /* a few words, followed in the report by Object */
    const VOID *Object;
    const VOID *Caller; /* a return address in the code that waits */
    FV_NEXT_HOLDER *NextHolder;
    PVOID Context; /* the caller's own */

    /* The kernel's. */
    LIST_ENTRY Links;
    PVOID Thread;
    FV_HOLDER Holder;
    struct _FV_WAIT *Previous;
    ULONG64 Search;
    ULONG Next;
} FV_WAIT, *PFV_WAIT;

FVAPI VOID NTAPI FvBeginWait(PFV_WAIT Wait);
FVAPI VOID NTAPI FvEndWait(PFV_WAIT Wait);

/*
 * Guest tests.  A test is a driver that states how many checks follow and then makes them; the host sees each
 * as a TAP line.  IRQL: any.
 */
FVAPI VOID NTAPI FvTestPlan(ULONG Count);
FVAPI BOOLEAN NTAPI FvTestResult(BOOLEAN Ok, PCSTR Text, PCSTR File, ULONG Line);

#define FvCheck(Expression) FvTestResult(!!(Expression), #Expression, __FILE__, __LINE__)

#ifdef __cplusplus
}
#endif

#endif
