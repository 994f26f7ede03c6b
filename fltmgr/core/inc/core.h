/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * core.h: the filter manager's own objects, what keeps them alive, and their lives.
 *
 * Every room works on these objects, so every room sees this; and their lives end in every room, so core sees them all.
 * The other rooms see only what fltmgr/meson.build names.
 *
 * A volume is a device of ours on top of a mounted file system's device stack.  An instance is one filter at
 * one altitude on one volume.  An operation is one request on its way through a volume's instances: one
 * block, taken from the volume's free list, with a node for each instance that registered for the operation.
 *
 * Locks: FltpLock guards the lists of filters and volumes, each volume's Lock its instances and operations. A
 * volume's lock is taken inside FltpLock, never the other way round.  No callback is ever called with a lock
 * held. What keeps an object alive while it is used is its rundown reference.
 *
 * Going: whoever sets an instance's TearingDown while holding a reference owns its end; everybody else passes it
 * over, and who must know that it is gone waits for the rundown of its filter or volume, which it holds.
 */
#ifndef FLTMGR_CORE_H
#define FLTMGR_CORE_H

#define FLTAPI NTAPI
#include <fltKernel.h>
#include <fltvm.h>
#include <fltctl.h>
#include <trace.h>
#include <support.h>

#define FLTP_TAG_FILTER    'lFtF'
#define FLTP_TAG_INSTANCE  'nItF'
#define FLTP_TAG_OPERATION 'pOtF'
#define FLTP_TAG_ISSUED    'dCtF'
#define FLTP_TAG_TRANSFER  'rTtF'
#define FLTP_TAG_VOLUME    'lVtF'
#define FLTP_TAG_WORKITEM  'iWtF'

#define FLTP_MAGIC_FILTER   0x46746C46u
#define FLTP_MAGIC_VOLUME   0x56746C46u
#define FLTP_MAGIC_INSTANCE 0x49746C46u
#define FLTP_MAGIC_FREE     0xDEADDEADu

/* FLTMGR_FILE_SYSTEM's first parameter: Windows's own where it has one, the rest are fltvm's. */
#define FLTP_NO_POST_CALLBACK      0x66
#define FLTP_NAME_OVER_RELEASED    0x68   /* P3: what was given */
#define FLTP_CONTEXT_OVER_RELEASED 0x6D   /* P2: the context, P3: its header */
#define FLTP_CONTEXT_FREED         0x6E   /* P2: the context, P3: its header */
#define FLTP_BAD_OBJECT            0xF001 /* P2: what was given */
#define FLTP_OVER_DEREFERENCED     0xF002 /* P2: the object */
#define FLTP_BAD_WORK_ITEM         0xF003 /* P2: what was given, P3: its kind, P4: the kind it should be */
#define FLTP_BAD_QUEUE_TYPE        0xF004 /* P2: the work item, P3: the queue type */
#define FLTP_BAD_CALLBACK_DATA     0xF005 /* P2: what was given */
#define FLTP_BAD_PREOP_STATUS      0xF006 /* P2: callback data, P3: the status */
#define FLTP_BAD_POSTOP_STATUS     0xF007 /* P2: callback data, P3: the status */
#define FLTP_NOT_PENDED            0xF008 /* P2: callback data */
#define FLTP_CONTEXT_WITHOUT_POST  0xF009 /* P2: callback data, P3: the context */
#define FLTP_NOT_UNREGISTERED      0xF00A /* P2: the filter */
#define FLTP_STATUS_PENDING        0xF00C /* P2: callback data: completed with STATUS_PENDING */
#define FLTP_FAILED_CLEANUP        0xF00D /* P2: callback data, P3: the status, P4: the major function */
#define FLTP_BAD_IRQL              0xF00E /* P2: what was given, P3: the IRQL */
#define FLTP_BAD_INFORMATION       0xF00F /* P2: callback data, P3: IoStatus.Information, P4: the buffer's length */
#define FLTP_GIVEN_AWAY            0xF010 /* P2: callback data, P3: the status it returned */
#define FLTP_STILL_CANCELABLE      0xF011 /* P2: callback data, P3: the cancel routine */
#define FLTP_NOT_IN_POST           0xF012 /* P2: callback data */
#define FLTP_BAD_TARGET            0xF013 /* P2: callback data, P3: the target instance */
#define FLTP_BAD_REISSUE           0xF014 /* P2: callback data, P3: what of it, see FLTP_REISSUE_* */
#define FLTP_UNLOADS_ITSELF        0xF015 /* P2: the filter */
#define FLTP_NOT_DIRTY             0xF016 /* P2: callback data, P3: the status it returned */
#define FLTP_WAITS_FOR_EVER        0xF020 /* P2: what is waited for, P3: what holds it, P4: how many hold it */
#define FLTP_REFERENCE_LEFT        0xF021 /* P2: the object, P3: the call that took it, P4: how many */
#define FLTP_BAD_CONTEXT           0xF030 /* P2: what was given */
#define FLTP_CONTEXT_MISPLACED     0xF033 /* P2: the context, P3: the type it was set as */
#define FLTP_CONTEXT_BAD_DELETE    0xF034 /* P2: the context, P3: its type */
#define FLTP_LOCK_HELD             0xF040 /* P2: the lock */
#define FLTP_BAD_PORT              0xF041 /* P2: what was given */
#define FLTP_PORT_LEFT             0xF042 /* P2: the port, P3: 1 for a server port */
#define FLTP_NAME_LEFT             0xF043 /* P2: the name information, P4: how many */
#define FLTP_FILE_LEFT             0xF044 /* P2: the file object, P3: 1 for its handle, P4: how many */
#define FLTP_CONTEXT_LEFT          0xF035 /* P2: the filter, P3: a context, P4: how many */

/*
 * Rundown: a count in units of two, and the low bit once the object is going.  Whoever sets that bit waits
 * until the count is zero; from then on no reference is given.
 */
typedef struct _FLTP_RUNDOWN {
    volatile LONG64 Count;
    KEVENT Event;
} FLTP_RUNDOWN, *PFLTP_RUNDOWN;

/* What every object that a filter sees begins with. */
typedef struct _FLTP_OBJECT {
    ULONG Magic;
    volatile LONG HandedOut; /* references that filters hold, to be given back by FltObjectDereference */
    FLTP_RUNDOWN Rundown;
} FLTP_OBJECT, *PFLTP_OBJECT;

/* Registered callbacks, in a table by FltpOperationIndex: the IRPs' majors, then -1 downwards. */
#define FLTP_OPERATION_COUNT (IRP_MJ_MAXIMUM_FUNCTION + 1 + 20)

static inline ULONG FltpOperationIndex(UCHAR MajorFunction)
{
    return MajorFunction <= IRP_MJ_MAXIMUM_FUNCTION ? MajorFunction
                                                    : IRP_MJ_MAXIMUM_FUNCTION + 1 + (0xFF - MajorFunction);
}

typedef struct _FLTP_CALLBACK {
    PFLT_PRE_OPERATION_CALLBACK Pre;
    PFLT_POST_OPERATION_CALLBACK Post;
    FLT_OPERATION_REGISTRATION_FLAGS Flags;
} FLTP_CALLBACK, *PFLTP_CALLBACK;

typedef struct _FLT_FILTER {
    FLTP_OBJECT Object;
    LIST_ENTRY Link; /* FltpLock */
    UNICODE_STRING Name;
    UNICODE_STRING Altitude; /* of the default instance */
    UNICODE_STRING DefaultInstance;
    UNICODE_STRING ServiceKey;
    UNICODE_STRING InstancesIn; /* the key that has the key Instances: ServiceKey, or its Parameters */
    PDRIVER_OBJECT Driver;
    PDRIVER_UNLOAD DriverUnload; /* what the driver had set before we put ours there */
    volatile LONG Users;         /* who needs this memory: the list, and whoever unloads it */
    KEVENT UnloadTurn;           /* a synchronization event: one unload at a time */
    FLT_REGISTRATION Registration;
    FLTP_CALLBACK Callbacks[FLTP_OPERATION_COUNT];
    volatile LONG InstanceCount;
    volatile LONG Asking; /* FltSendMessage waits for a client, so many times */
    volatile LONG Started;
    volatile LONG Unloading;
    volatile LONG Unregistered; /* FltUnregisterFilter has begun */
    volatile LONG Gone;         /* ... and has ended */
    BOOLEAN Mandatory;
    struct _FLTP_CONTEXT_TABLE *Contexts; /* context/context.h */
} FLT_FILTER;

/* tree.c: nodes are in the objects; Compare is below, at or above zero as the key comes before, is, or comes behind the node's. */
typedef struct _FLTP_TREE_NODE {
    struct _FLTP_TREE_NODE *Left, *Right;
    ULONG Priority;
} FLTP_TREE_NODE, *PFLTP_TREE_NODE;

typedef struct _FLTP_TREE {
    PFLTP_TREE_NODE Root;
    ULONG Sequence;
    int (*Compare)(const VOID *Key, const FLTP_TREE_NODE *Node);
} FLTP_TREE, *PFLTP_TREE;

typedef struct _FLT_VOLUME {
    FLTP_OBJECT Object;
    LIST_ENTRY Link; /* FltpLock */
    UNICODE_STRING Name;
    PDEVICE_OBJECT Device;     /* ours */
    PDEVICE_OBJECT Below;      /* what ours is attached to */
    PDEVICE_OBJECT FileSystem; /* the file system's volume device */
    PDEVICE_OBJECT Disk;       /* the device that was mounted, NULL for a file system without one */
    FLT_FILESYSTEM_TYPE Type;
    UNICODE_STRING DriverName;     /* the service of the file system's driver */
    UNICODE_STRING FileSystemName; /* its named device, empty without one */
    BOOLEAN Detached;              /* no instance comes any more: Lock */
    volatile BOOLEAN IsNew;        /* its instances are not all set up yet: FltpSetUpVolume */
    PETHREAD volatile SetUpBy;     /* the thread that sets them up or has done so; compared only */
    KEVENT SetUp;                  /* it has */
    struct _FLTP_CONTEXT_LIST *Contexts;
    LIST_ENTRY Streams; /* those with contexts of ours: its guard, see context.h */

    KSPIN_LOCK Lock;
    LIST_ENTRY Instances; /* highest altitude first */
    FLTP_TREE ByAltitude; /* the same ones */
    FLTP_TREE ByName;
    LIST_ENTRY Blocks;        /* all of its operations' blocks, those under way and those that are free */
    PVOID volatile FreeBlock; /* the one used last, before those of FreeBlocks */
    SLIST_HEADER FreeBlocks;
    volatile LONG Users;          /* operations under way, and one until it is deleted: the last one frees it */
    volatile LONG InstanceCount;  /* also read without the lock, to pass requests of unfiltered volumes by */
    volatile LONG Sections;       /* open for data scans, of all of its streams */
    volatile LONG NameGeneration; /* another whenever names that are kept may be none any more: name/cache.c */
} FLT_VOLUME;

typedef enum _FLTP_INSTANCE_STATE {
    FltpInstanceSetup, /* in its setup callback: sees no operations yet */
    FltpInstanceActive,
    FltpInstanceTeardown
} FLTP_INSTANCE_STATE;

typedef struct _FLT_INSTANCE {
    FLTP_OBJECT Object;
    FLTP_RUNDOWN Io;           /* operations under way; its end is what teardown-complete waits for */
    LIST_ENTRY Link;           /* its volume's Instances, Lock */
    FLTP_INSTANCE_STATE State; /* its volume's Lock */
    volatile LONG TearingDown;
    BOOLEAN ScansData; /* registered for data scans */
    KEVENT SetUp;      /* set when its setup callback has returned */
    BOOLEAN Refused;
    PFLT_FILTER Filter;
    PFLT_VOLUME Volume;
    UNICODE_STRING Name;
    ULONG NameHash;
    UNICODE_STRING Altitude;
    ULONG64 AltitudeNumber;      /* the whole part, or ~0 if it has too many digits */
    FLTP_TREE_NODE AltitudeNode; /* its volume's Lock */
    FLTP_TREE_NODE NameNode;
    struct _FLTP_CONTEXT_LIST *Contexts;
    LIST_ENTRY Targets; /* files that were opened below it, its volume's Lock; see operation.h */
    ULONG64 Operations; /* statistics, not exact on several processors */
} FLT_INSTANCE;

/* The device extension of every device of ours. */
typedef enum _FLTP_DEVICE_KIND {
    FltpKindControl,
    FltpKindFileSystem,
    FltpKindVolume,
    FltpKindMessage
} FLTP_DEVICE_KIND;

typedef struct _FLTP_DEVICE {
    FLTP_DEVICE_KIND Kind;
    PDEVICE_OBJECT Below;
    PFLT_VOLUME Volume;
} FLTP_DEVICE, *PFLTP_DEVICE;

/* Globals: init.c. */
extern PDRIVER_OBJECT FltpDriverObject;
extern KSPIN_LOCK FltpLock;
extern LIST_ENTRY FltpFilters;
extern LIST_ENTRY FltpVolumes;
extern BOOLEAN FltpVerify;
extern volatile LONG FltpNameProviders; /* filters that give names */

/* A callback that may be left out.  IRQL: any. */
FORCEINLINE VOID FltpCheckOptional(const VOID *Routine, PCSTR What)
{
    if (Routine != NULL)
        FvCheckRoutine(Routine, What);
}
extern struct fltvm_fltctl_counters FltpCounters;

/* IRQL: any.  Of the guest's time, in units of 100 ns, never 0. */
static inline ULONG64 FltpNow(VOID)
{
    return (ULONG64)KeQueryPerformanceCounter(NULL).QuadPart;
}

/* rundown.c */
VOID FltpInitializeRundown(PFLTP_RUNDOWN Rundown);
/* From now on no reference is given; hold.c waits for the last. */
VOID FltpBeginRundown(PFLTP_RUNDOWN Rundown);
VOID FltpRundownReleasedLast(PFLTP_RUNDOWN Rundown);

/* IRQL: any.  FALSE once the object is going. */
static inline BOOLEAN FltpAcquireRundown(PFLTP_RUNDOWN Rundown)
{
    LONG64 Old = Rundown->Count;

    for (;;) {
        LONG64 Seen;
        if (Old & 1)
            return FALSE;
        Seen = InterlockedCompareExchange64(&Rundown->Count, Old + 2, Old);
        if (Seen == Old)
            return TRUE;
        Old = Seen;
    }
}

/* IRQL: <= DISPATCH_LEVEL. */
static inline VOID FltpReleaseRundown(PFLTP_RUNDOWN Rundown)
{
    if (InterlockedExchangeAdd64(&Rundown->Count, -2) == 3)
        FltpRundownReleasedLast(Rundown);
}

/* A hold on an instance whose State is active and which therefore does not refuse.  IRQL: DISPATCH_LEVEL; its volume's Lock
 * is held. */
static inline VOID FltpEnterActiveInstance(PFLT_INSTANCE Instance)
{
    InterlockedExchangeAdd64(&Instance->Io.Count, 2);
}

/* The same twice, for an operation's node: see FLTP_NODE. */
static inline VOID FltpEnterActiveInstanceTwice(PFLT_INSTANCE Instance)
{
    InterlockedExchangeAdd64(&Instance->Io.Count, 4);
}

/*
 * While the filter's code runs for an operation that holds the instance: that code may give the operation back, and with it what
 * holds the instance, before it returns.  IRQL: any.
 */
static inline VOID FltpStayInInstance(PFLT_INSTANCE Instance)
{
    InterlockedExchangeAdd64(&Instance->Io.Count, 2);
}

/* IRQL: <= DISPATCH_LEVEL. */
static inline VOID FltpLeaveInstance(PFLT_INSTANCE Instance)
{
    FltpReleaseRundown(&Instance->Io);
}

static inline VOID FltpLeaveInstanceTwice(PFLT_INSTANCE Instance)
{
    if (InterlockedExchangeAdd64(&Instance->Io.Count, -4) == 5)
        FltpRundownReleasedLast(&Instance->Io);
}

/* instance.c.  IRQL: PASSIVE_LEVEL unless said. */
VOID FltpAttachAutomatically(PFLT_FILTER Filter, PFLT_VOLUME Volume, FLT_INSTANCE_SETUP_FLAGS Flags);
/* All of the filter's on the volume, of every filter's if it is NULL, but for those that others tear down. */
VOID FltpInitializeInstances(PFLT_VOLUME Volume);
VOID FltpTearDownInstances(PFLT_FILTER Filter, PFLT_VOLUME Volume, FLT_INSTANCE_TEARDOWN_FLAGS Reason);

/* volume.c.  IRQL: PASSIVE_LEVEL. */
VOID NTAPI FltpFsRegistration(PDEVICE_OBJECT Device, BOOLEAN Registered);
/* FileSystem: its volume device; Control: the device that it was registered by. */
NTSTATUS FltpCreateVolume(PDEVICE_OBJECT FileSystem, PDEVICE_OBJECT Control, PDEVICE_OBJECT Disk);
/*
 * A create has come to a volume whose instances are not all set up: the first one's thread sets them up before it goes
 * on, and others wait for that.  Those of the setup callbacks themselves go on: the thread's, and those that a filter sends
 * below its instance, by whichever thread (Targeted).
 */
VOID FltpSetUpVolume(PFLT_VOLUME Volume, BOOLEAN Targeted);
VOID FltpDeleteVolume(PFLT_VOLUME Volume);
VOID FltpFreeVolume(PFLT_VOLUME Volume); /* IRQL: <= DISPATCH_LEVEL; Users is zero */
VOID FltpAttachRaw(VOID);

/* verifier.c: does not return.  Code 0xC4 or 0xF5 and their parameters as documented; Text goes to the
 * report. */
DECLSPEC_NORETURN VOID FltpViolation(ULONG Code, ULONG_PTR P1, ULONG_PTR P2, ULONG_PTR P3, ULONG_PTR P4, PCSTR Text);
#define FLTP_STACK_DEPTH 3
VOID FltpReportStack(PCSTR Name, PVOID const *Stack);
/* The return addresses of the filter's call, innermost first.  Skip: frames of our own above the caller's. */
static FORCEINLINE VOID FltpCaptureStack(ULONG Skip, PVOID *Stack)
{
    ULONG Count = RtlCaptureStackBackTrace(Skip, FLTP_STACK_DEPTH, Stack, NULL);

    if (Count < FLTP_STACK_DEPTH)
        Stack[Count] = NULL;
}

/* filter.c */
NTSTATUS FltpUnloadFilter(PCUNICODE_STRING Name, BOOLEAN Mandatory);
VOID NTAPI FltpCheckUnload(PVOID Base, SIZE_T Size, PUNICODE_STRING Name);

/* load.c */
VOID FltpInitializeLoads(VOID);

/* tree.c; the tree's lock is held. */
PFLTP_TREE_NODE FltpFindNode(const FLTP_TREE *Tree, const VOID *Key,
                             PFLTP_TREE_NODE *Lower);                        /* and the next lower one, without it */
VOID FltpInsertNode(PFLTP_TREE Tree, const VOID *Key, PFLTP_TREE_NODE Node); /* whose key no other has */
VOID FltpRemoveNode(PFLTP_TREE Tree, const VOID *Key, PFLTP_TREE_NODE Node);

#endif
