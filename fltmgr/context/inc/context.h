/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * context.h: what filters keep with objects.
 *
 * A context is one allocation: our header, which may be pageable, and the filter's part, whose address the
 * filter knows. It holds its filter until it is freed, so a filter does not go before its contexts.
 *
 * An object keeps its contexts in a list, a splay tree by type, file object and owner (the instance, for a
 * volume's the filter): a volume and an instance each have one, a stream or a file gets one with its first
 * context.
 *
 * Rules for contexts
 * - One reference for each that a filter holds, and one while a list has it.  Who takes it out of its list,
 * under the list's lock, gives that reference back, without any lock: the filter's cleanup callback may be
 * called then.
 * - A list's Lock guards its tree and its contexts' List.  Its volume's guard, one of a few that are always
 * there, guards the list itself: who comes from a context or from the volume takes it first.
 * - Once an instance's or a volume's rundown has begun, or its filter unloads, nothing is put into a list for
 * it any more, which is seen under the list's lock: who ends it afterwards finds all.
 */
#ifndef FLTMGR_CONTEXT_H
#define FLTMGR_CONTEXT_H

#include <core.h>

#define FLTP_TAG_CONTEXT_LIST 'lCtF'
#define FLTP_MAGIC_CONTEXT    0x58746C46u

/* How the contexts of one type and size are made.  Sizes with our header. */
typedef struct _FLTP_CONTEXT_DEFINITION {
    FLT_CONTEXT_REGISTRATION Registration;
    LOOKASIDE_LIST_EX Nonpaged, Paged; /* of a fixed size */
    BOOLEAN Fixed, HasLists;
} FLTP_CONTEXT_DEFINITION, *PFLTP_CONTEXT_DEFINITION;

/* Those of one type: the fixed ones from the smallest on, then one of variable size. */
#define FLTP_CONTEXT_TYPES       7
#define FLTP_CONTEXT_DEFINITIONS 4

typedef struct _FLTP_CONTEXT_TYPE {
    ULONG Count, Fixed;
    PFLTP_CONTEXT_DEFINITION Definitions[FLTP_CONTEXT_DEFINITIONS];
} FLTP_CONTEXT_TYPE, *PFLTP_CONTEXT_TYPE;

typedef struct _FLTP_CONTEXT_TABLE {
    FLTP_CONTEXT_TYPE Types[FLTP_CONTEXT_TYPES];
    FAST_MUTEX Lock;
    LIST_ENTRY Live; /* Lock; with the verifier only */
} FLTP_CONTEXT_TABLE, *PFLTP_CONTEXT_TABLE;

/* A reference that a filter holds: where it was taken. */
typedef struct _FLTP_CONTEXT_TAKER {
    PVOID volatile Thread; /* NULL: free */
    PVOID Caller;
} FLTP_CONTEXT_TAKER, *PFLTP_CONTEXT_TAKER;

#define FLTP_CONTEXT_TAKERS 6 /* more are counted, not told */

typedef struct _FLTP_CONTEXT_LIST FLTP_CONTEXT_LIST, *PFLTP_CONTEXT_LIST;

typedef struct _FLTP_CONTEXT {
    DECLSPEC_ALIGN(16) ULONG Magic;
    FLT_CONTEXT_TYPE Type;
    BOOLEAN FromList; /* it goes back to its definition's lookaside list */
    BOOLEAN Paged;
    volatile LONG References;
    volatile LONG HandedOut; /* those that filters hold; with the verifier only */
    PFLT_FILTER Filter;
    PFLTP_CONTEXT_DEFINITION Definition;
    PFLTP_CONTEXT_LIST List;    /* its Lock; NULL: set nowhere */
    PFAST_MUTEX volatile Guard; /* of the list's volume, or of the last one's */
    PFILE_OBJECT FileObject;
    PVOID Owner;
    union {
        RTL_SPLAY_LINKS Links; /* List->Lock */
        LIST_ENTRY Taken;      /* between a list and its end */
        WORK_QUEUE_ITEM Work;
    };
    /* With the verifier only. */
    LIST_ENTRY Live; /* its table's Lock */
    PVOID AllocatedBy[FLTP_STACK_DEPTH];
    FLTP_CONTEXT_TAKER Takers[FLTP_CONTEXT_TAKERS];
} FLTP_CONTEXT, *PFLTP_CONTEXT;

/* Where a context belongs. */
typedef struct _FLTP_CONTEXT_PLACE {
    PFLTP_CONTEXT_LIST List;
    FLT_CONTEXT_TYPE Type;
    PFLT_FILTER Filter;
    PFLTP_RUNDOWN Rundown; /* of the instance, or of the volume */
    PFILE_OBJECT FileObject;
    PVOID Owner;
} FLTP_CONTEXT_PLACE, *PFLTP_CONTEXT_PLACE;

static inline PFLT_CONTEXT FltpContextData(PFLTP_CONTEXT Context)
{
    return Context + 1;
}

static inline PFLTP_CONTEXT FltpContextOf(PFLT_CONTEXT Data)
{
    return (PFLTP_CONTEXT)Data - 1;
}

/*
 * definition.c.  IRQL: PASSIVE_LEVEL.
 */
/* STATUS_INVALID_PARAMETER: not as documented. */
NTSTATUS FltpDefineContexts(PFLT_FILTER Filter, PCFLT_CONTEXT_REGISTRATION Registration);
VOID FltpFreeDefinitions(PFLT_FILTER Filter);

/*
 * allocate.c.  Caller: the filter's return address.
 */
/* IRQL: <= APC_LEVEL for pageable ones, else <= DISPATCH_LEVEL. */
VOID FltpTakeContext(PFLTP_CONTEXT Context, PVOID Caller);
VOID FltpReleaseContext(PFLT_CONTEXT Data, PVOID Caller);
/* The list's. */
VOID FltpDropContext(PFLTP_CONTEXT Context);

/*
 * tree.c.  IRQL: <= APC_LEVEL.
 */
VOID FltpInitializeContextLists(VOID);
VOID FltpInitializeContextList(PFLTP_CONTEXT_LIST List, PFLT_VOLUME Volume);
PFAST_MUTEX FltpContextGuard(PFLT_VOLUME Volume);
NTSTATUS FltpSetContext(const FLTP_CONTEXT_PLACE *Place, FLT_SET_CONTEXT_OPERATION Operation, PFLT_CONTEXT NewContext,
                        PFLT_CONTEXT *OldContext, PVOID Caller);
NTSTATUS FltpGetContext(const FLTP_CONTEXT_PLACE *Place, PFLT_CONTEXT *Found, PVOID Caller);
NTSTATUS FltpDeleteContext(const FLTP_CONTEXT_PLACE *Place, PFLT_CONTEXT *OldContext, PVOID Caller);
/* Takes it out of its list, wherever that is; FALSE: it is in none. */
BOOLEAN FltpDetachContext(PFLT_CONTEXT Data);
/* Of the sections' contexts, by their instances' addresses, the first behind After's: with a reference and the instance's rundown; NULL: none. */
PFLTP_CONTEXT FltpTakeNextSection(PFLTP_CONTEXT_LIST List, PVOID After, PVOID Caller);
/* Takes out the contexts of this owner, of every owner if it is NULL; or those of a file object's handle. */
VOID FltpTakeContexts(PFLTP_CONTEXT_LIST List, PVOID Owner, PLIST_ENTRY Taken);
VOID FltpTakeHandleContexts(PFLTP_CONTEXT_LIST List, PFILE_OBJECT FileObject, PLIST_ENTRY Taken);
/* Without a lock: their ends. */
VOID FltpEndTaken(PLIST_ENTRY Taken);
VOID FltpEndContexts(PFLTP_CONTEXT_LIST List, PVOID Owner);

/*
 * object.c: a volume's and an instance's.  IRQL: <= APC_LEVEL; the ends: PASSIVE_LEVEL.
 */
NTSTATUS FltpCreateVolumeContexts(PFLT_VOLUME Volume);
NTSTATUS FltpCreateInstanceContexts(PFLT_INSTANCE Instance);
NTSTATUS FltpGetVolumeContext(PFLT_FILTER Filter, PFLT_VOLUME Volume, PFLT_CONTEXT *Context, PVOID Caller);
NTSTATUS FltpGetInstanceContext(PFLT_INSTANCE Instance, PFLT_CONTEXT *Context, PVOID Caller);
VOID FltpFreeContextList(PFLTP_CONTEXT_LIST *List); /* IRQL: <= DISPATCH_LEVEL; it is empty */
/* The instance's own, and those that it has with streams, files and their handles. */
VOID FltpEndInstanceContexts(PFLT_INSTANCE Instance);
VOID FltpEndVolumeContexts(PFLT_VOLUME Volume);
VOID FltpEndFilterContexts(PFLT_FILTER Filter);

/*
 * stream.c: those of streams, of files and of stream handles.  IRQL: <= APC_LEVEL.
 */
NTSTATUS FltpGetStreamContext(FLT_CONTEXT_TYPE Type, PFLT_INSTANCE Instance, PFILE_OBJECT FileObject,
                              PFLT_CONTEXT *Context, PVOID Caller);
NTSTATUS FltpSetSectionContext(PFLT_INSTANCE Instance, PFILE_OBJECT FileObject, PFLT_CONTEXT NewContext, PVOID Caller);
/* The section behind *Instance's (NULL: the first) of the file's stream.  FALSE: there is none. */
BOOLEAN FltpNextSection(PFLT_VOLUME Volume, PFILE_OBJECT FileObject, PFLT_INSTANCE *Instance, PFLT_CONTEXT *Context);
/* The file object is about to be closed below. */
VOID FltpEndHandleContexts(PFLT_VOLUME Volume, PFILE_OBJECT FileObject);
VOID FltpTakeStreamsContexts(PFLT_INSTANCE Instance, PLIST_ENTRY Taken);
/* The volume goes: what its streams have of ours is taken from them.  PASSIVE_LEVEL. */
VOID FltpForgetStreams(PFLT_VOLUME Volume);

/*
 * section.c: those of sections for data scans.  IRQL: <= APC_LEVEL.
 */
BOOLEAN FltpConflictsWithSections(ULONG IrpFlags, PIO_STACK_LOCATION Stack);
/* Who has a section of the stream is told of the operation, which is on its way down. */
VOID FltpTellConflicts(PFLT_VOLUME Volume, PFLT_CALLBACK_DATA Data);

/*
 * fault.c: what a filter did wrong with a context; with the verifier only.
 */
/* The context that a filter gave, or a bugcheck.  Routine: the name of what it was given to. */
PFLTP_CONTEXT FltpCheckContext(PFLT_CONTEXT Data, PCSTR Routine, PVOID Caller);
/* An address in the filter's code to blame for a reference that is left: where one was taken. */
const VOID *FltpContextCulprit(PFLTP_CONTEXT Context);
DECLSPEC_NORETURN VOID FltpBlameContext(PFLTP_CONTEXT Context, PVOID Caller, ULONG_PTR P1, ULONG_PTR P3, PCSTR Rule);
VOID FltpReportContext(PFLTP_CONTEXT Context);
VOID FltpBury(PFLTP_CONTEXT Context, PVOID Caller); /* it is about to be freed */
VOID FltpUnbury(PFLTP_CONTEXT Context);             /* its address is in use again */
/* Who still holds contexts of the filter: Tell is called with each.  IRQL: <= APC_LEVEL. */
VOID FltpForLiveContexts(PFLT_FILTER Filter, VOID (*Tell)(PVOID Argument, PFLTP_CONTEXT Context), PVOID Argument);

/* tree.c's own; a stream embeds it. */
struct _FLTP_CONTEXT_LIST {
    FAST_MUTEX Lock;
    PRTL_SPLAY_LINKS Root; /* Lock */
    PFLT_VOLUME Volume;
};

#endif
