/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fltvmhba: the driver of fltvm's storage controller.
 *
 * Idea: a queue pair a processor, each with its own rings, lock, message interrupt and DPC on that processor.
 * A request is submitted on the queue of the processor it arrives on and completes there: ISR at DIRQL queues
 * the DPC, the DPC at DISPATCH_LEVEL reads the completion ring and completes the IRPs.
 *
 * A request occupies a slot (its command id) from submission to completion.  One that is larger than a
 * command may be goes in pieces, one after the other, in the same slot.  Requests that find no slot wait in a
 * list.
 *
 * Locks: HBA_QUEUE.Lock (DISPATCH_LEVEL) guards everything of a queue; no two queue locks are held at once.
 * ResetLock is held while the controller is reset, before any queue's; packets are completed after it is
 * released.
 */
#ifndef FLTVMHBA_ADAPTER_H
#define FLTVMHBA_ADAPTER_H

#include <ntifs.h>
#include <ntdddisk.h>
#include <ntddstor.h>
#include <hba.h>
#include <trace.h>
#include <fltvm.h>

#define HBA_TAG 'abhF'

#define HBA_MAX_QUEUES   8
#define HBA_DEPTH        64 /* one page of submission entries */
#define HBA_IO_SLOTS     48 /* ids 0.. of requests */
#define HBA_ABORT_SLOTS  15 /* ids HBA_IO_SLOTS.. of aborts: together HBA_DEPTH - 1 */
#define HBA_LIST_ENTRIES (PAGE_SIZE / sizeof(struct fltvm_hba_segment))

#define HBA_TIMEOUT       (30 * 10000000LL) /* of a request, in 100 ns */
#define HBA_ABORT_TIMEOUT (10 * 10000000LL)
#define HBA_MAX_RESETS    3 /* without one command completed in between */

C_ASSERT(HBA_DEPTH * sizeof(struct fltvm_hba_command) == PAGE_SIZE);
C_ASSERT(HBA_IO_SLOTS + HBA_ABORT_SLOTS == HBA_DEPTH - 1);

struct _HBA_ADAPTER;
struct _HBA_QUEUE;

typedef enum _HBA_SLOT_STATE {
    HbaSlotFree,
    HbaSlotBusy,     /* the device has the command */
    HbaSlotFinished, /* completed, but the cancel routine, which is on its way, must complete the IRP */
} HBA_SLOT_STATE;

/* HBA_QUEUE.Lock */
typedef struct _HBA_SLOT {
    HBA_SLOT_STATE State;
    struct _HBA_QUEUE *Queue;
    USHORT Id;
    UCHAR Opcode;
    BOOLEAN Canceled;    /* the cancel routine has been here */
    BOOLEAN TimedOut;    /* aborted because it took too long */
    BOOLEAN AbortWanted; /* no abort slot was free */
    BOOLEAN AbortSent;
    PIRP Irp;      /* NULL for the driver's own commands, which use Event */
    PKEVENT Event; /* set when done, Status valid */
    NTSTATUS Status;
    ULONG Done;  /* bytes of the request transferred by earlier pieces */
    ULONG Piece; /* bytes of the piece under way */
    LONGLONG Deadline;
    struct fltvm_hba_segment *List; /* a page, kept once needed */
    ULONG64 ListPhysical;
} HBA_SLOT, *PHBA_SLOT;

typedef struct _HBA_QUEUE {
    KSPIN_LOCK Lock;
    struct fltvm_hba_command *Submission; /* a page */
    struct fltvm_hba_completion *Completion;
    ULONG Tail; /* next submission entry to write */
    ULONG Head; /* next completion entry to look at */
    USHORT Phase;
    ULONG FreeCount;
    USHORT Free[HBA_IO_SLOTS]; /* stack of free ids */
    ULONG AbortFreeCount;
    USHORT AbortFree[HBA_ABORT_SLOTS];
    USHORT AbortTarget[HBA_ABORT_SLOTS];
    LIST_ENTRY Waiting; /* IRPs without a slot, by Tail.Overlay.ListEntry */
    HBA_SLOT Slot[HBA_IO_SLOTS];

    /* Constant while started. */
    struct _HBA_ADAPTER *Adapter;
    ULONG Index;
    volatile ULONG *TailDoorbell;
    volatile ULONG *HeadDoorbell;
    KDPC Dpc;
} HBA_QUEUE, *PHBA_QUEUE;

typedef struct _HBA_ADAPTER {
    /* Constant while started. */
    PDEVICE_OBJECT Fdo;
    PDEVICE_OBJECT Pdo;
    PDEVICE_OBJECT Lower;
    PDEVICE_OBJECT Disk; /* NULL until IDENTIFY succeeded */
    ULONG Number;
    volatile UCHAR *Registers;
    PIO_INTERRUPT_MESSAGE_INFO Interrupts;
    ULONG Queues;
    ULONG MaxTransfer; /* bytes a command, in whole blocks */
    ULONG MaxSegments;
    ULONG BlockSize;
    ULONG64 Blocks;
    ULONG Features;
    struct fltvm_hba_identify *Identify;

    volatile LONG Stopped;   /* requests are refused */
    volatile LONG Pulled;    /* it says that it is gone */
    KEVENT Gone;             /* and the system has told everybody */
    volatile LONG Resetting; /* requests wait */
    volatile LONG Completions;
    volatile LONG MediaChanges; /* seen so far */
    KSPIN_LOCK ResetLock;       /* one at a time looks at the controller; before any queue's */
    LONG Resets;                /* ResetLock */
    PHBA_QUEUE Queue[HBA_MAX_QUEUES];
} HBA_ADAPTER, *PHBA_ADAPTER;

/* First in both device extensions. */
typedef struct _HBA_EXTENSION {
    BOOLEAN IsDisk;
    PHBA_ADAPTER Adapter;
} HBA_EXTENSION, *PHBA_EXTENSION;

FORCEINLINE ULONG HbaRead(PHBA_ADAPTER Adapter, ULONG Offset)
{
    return READ_REGISTER_ULONG((volatile ULONG *)(Adapter->Registers + Offset));
}

FORCEINLINE VOID HbaWrite(PHBA_ADAPTER Adapter, ULONG Offset, ULONG Value)
{
    WRITE_REGISTER_ULONG((volatile ULONG *)(Adapter->Registers + Offset), Value);
}

/* queue.c */
NTSTATUS HbaCreateQueue(PHBA_ADAPTER Adapter, ULONG Index); /* PASSIVE_LEVEL */
VOID HbaDeleteQueue(PHBA_QUEUE Queue);                      /* PASSIVE_LEVEL */
VOID HbaResetQueueLocked(PHBA_QUEUE Queue);
BOOLEAN HbaProgramQueue(PHBA_QUEUE Queue);
/* The IRP is marked pending and will be completed.  <= DISPATCH_LEVEL. */
VOID HbaSubmitIrp(PHBA_ADAPTER Adapter, PIRP Irp);
/* The driver's own command, with one buffer (Length 0: none), or of blocks.  PASSIVE_LEVEL. */
NTSTATUS HbaRunCommand(PHBA_ADAPTER Adapter, UCHAR Opcode, PVOID Buffer, ULONG Length, ULONG64 Lba, ULONG Blocks);
BOOLEAN HbaSendAbortLocked(PHBA_SLOT Slot);
VOID HbaPumpLocked(PHBA_QUEUE Queue, PLIST_ENTRY Done);
VOID HbaFinishSlotLocked(PHBA_SLOT Slot, NTSTATUS Status, PLIST_ENTRY Done);
VOID HbaCompleteList(PLIST_ENTRY Done);
KMESSAGE_SERVICE_ROUTINE HbaIsr;

/* medium.c */
/* A command was refused since the medium has changed, and whoever sent it has been told: go on with the new one.  <= DISPATCH_LEVEL. */
VOID HbaTakeMedium(PHBA_ADAPTER Adapter);
/* Whether there is a medium, and still the one that has been looked at.  <= DISPATCH_LEVEL. */
NTSTATUS HbaCheckMedium(PHBA_ADAPTER Adapter);
/* The hand at the drive.  <= DISPATCH_LEVEL. */
NTSTATUS HbaChangeMedium(PHBA_ADAPTER Adapter, PVOID Buffer, ULONG Length);

FORCEINLINE BOOLEAN HbaIsRemovable(PHBA_ADAPTER Adapter)
{
    return (Adapter->Features & FLTVM_HBA_FEATURE_REMOVABLE) != 0;
}

/* trim.c.  IOCTL_STORAGE_MANAGE_DATA_SET_ATTRIBUTES.  PASSIVE_LEVEL. */
NTSTATUS HbaManageDataSet(PHBA_ADAPTER Adapter, PVOID Buffer, ULONG Length);

/* recover.c */
VOID HbaCheckController(PHBA_ADAPTER Adapter); /* DISPATCH_LEVEL */
/* Requests fail from now on, those in flight first.  <= DISPATCH_LEVEL. */
VOID HbaGiveUp(PHBA_ADAPTER Adapter);
/* The disk is gone: it is given up, and the system hears of it and tells everybody.  PASSIVE_LEVEL. */
NTSTATUS HbaPull(PHBA_ADAPTER Adapter);
DRIVER_CANCEL HbaCancelIrp;
IO_TIMER_ROUTINE HbaTimer;

/* disk.c */
NTSTATUS HbaCreateDisk(PHBA_ADAPTER Adapter); /* PASSIVE_LEVEL */
VOID HbaDeleteDisk(PHBA_ADAPTER Adapter);     /* PASSIVE_LEVEL */
DRIVER_DISPATCH HbaDispatchTransfer;
DRIVER_DISPATCH HbaDispatchControl;

#endif
