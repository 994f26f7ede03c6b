/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * link: the driver of fltvm-link.  A record is gathered into one static buffer, whose physical address is
 * known, and rung with interrupts off under a lock, so that any code at any IRQL may speak.
 */
#include "kdp.h"

#define DEBUG_CONSOLE 0xE9

static struct {
    DECLSPEC_ALIGN(64) struct fltvm_link_request Request;
    UCHAR Out[FLTVM_LINK_MAX_PAYLOAD];
    UCHAR In[FLTVM_LINK_MAX_PAYLOAD];
} KdpBuffer;

VOID (*KdPowerOff)(VOID);

static volatile LONG KdpLock;
static BOOLEAN KdpPresent, KdpConsole, KdpAlone;
static struct fltvm_exit KdpLastWords;
static ULONG64 KdpPhysicalDelta; /* virtual - physical, of the kernel image */

FORCEINLINE ULONG KdpReadRegister(ULONG Register)
{
    return __indword((USHORT)(FLTVM_LINK_IOBASE + Register));
}

FORCEINLINE VOID KdpWriteRegister(ULONG Register, ULONG Value)
{
    __outdword((USHORT)(FLTVM_LINK_IOBASE + Register), Value);
}

static BOOLEAN KdpAcquire(VOID)
{
    BOOLEAN Enabled = (__readeflags() & 0x200) != 0;

    _disable();
    while (!KdpAlone && InterlockedExchange(&KdpLock, 1) != 0) {
        /* Interrupts stay off: the holder has them off too and is quick. */
        _mm_pause();
    }
    return Enabled;
}

static VOID KdpRelease(BOOLEAN Enabled)
{
    KdpLock = 0;
    if (Enabled) {
        _enable();
    }
}

static ULONG KdpGather(ULONG Count, const KD_SEGMENT *Segments)
{
    ULONG Used = 0;

    for (ULONG i = 0; i < Count; i++) {
        if (Segments[i].Length > sizeof(KdpBuffer.Out) - Used) {
            return ~0u;
        }
        RtlCopyMemory(KdpBuffer.Out + Used, Segments[i].Buffer, Segments[i].Length);
        Used += Segments[i].Length;
    }
    return Used;
}

/* The lock is held and Out filled. */
static LONG KdpRing(USHORT Op, USHORT Kind, ULONG OutLength, ULONG InCapacity)
{
    struct fltvm_link_request *Request = &KdpBuffer.Request;

    Request->op = Op;
    Request->kind = Kind;
    Request->cpu = __readgsdword(FLTVM_TRACEPOINT_GS_PROCESSOR);
    Request->out_len = OutLength;
    Request->in_cap = InCapacity;
    Request->out_addr = (ULONG64)KdpBuffer.Out - KdpPhysicalDelta;
    Request->in_addr = (ULONG64)KdpBuffer.In - KdpPhysicalDelta;
    Request->in_len = 0;
    Request->status = FLTVM_LINK_S_BAD_REQUEST;
    _ReadWriteBarrier();
    KdpWriteRegister(FLTVM_LINK_REG_DOORBELL, (ULONG)((ULONG64)Request - KdpPhysicalDelta));
    _ReadWriteBarrier();
    return *(volatile int32_t *)&Request->status;
}

VOID KdpPutText(const CHAR *Text, ULONG Length)
{
    if (!KdpConsole) {
        return;
    }
    for (ULONG i = 0; i < Length; i++) {
        __outbyte(DEBUG_CONSOLE, (UCHAR)Text[i]);
    }
}

BOOLEAN KdLinkPresent(VOID)
{
    return KdpPresent;
}

BOOLEAN KdLinkSend(USHORT Kind, ULONG Count, const KD_SEGMENT *Segments)
{
    BOOLEAN Enabled;
    LONG Status = FLTVM_LINK_S_BAD_REQUEST;
    ULONG Length;

    if (!KdpPresent) {
        return FALSE;
    }
    Enabled = KdpAcquire();
    Length = KdpGather(Count, Segments);
    if (Length != ~0u) {
        Status = KdpRing(FLTVM_LINK_OP_SEND, Kind, Length, 0);
    }
    KdpRelease(Enabled);
    return Status >= 0;
}

LONG KdLinkCall(USHORT Kind, const VOID *Out, ULONG OutLength, PVOID In, ULONG InCapacity, PULONG InLength)
{
    KD_SEGMENT Segment = {Out, OutLength};
    BOOLEAN Enabled;
    LONG Status = FLTVM_LINK_S_BAD_REQUEST;
    ULONG Length;

    *InLength = 0;
    if (!KdpPresent) {
        return FLTVM_LINK_S_DISCONNECTED;
    }
    Enabled = KdpAcquire();
    Length = KdpGather(1, &Segment);
    if (Length != ~0u && InCapacity <= sizeof(KdpBuffer.In)) {
        Status = KdpRing(FLTVM_LINK_OP_CALL, Kind, Length, InCapacity);
        Length = KdpBuffer.Request.in_len;
        if (Status == FLTVM_LINK_S_OK || Status == FLTVM_LINK_S_TRUNCATED) {
            *InLength = Length;
            Status = Status == FLTVM_LINK_S_OK ? (LONG)KdpBuffer.Request.in_kind : Status;
            RtlCopyMemory(In, KdpBuffer.In, Length < InCapacity ? Length : InCapacity);
        }
        if (Status == FLTVM_LINK_S_OK) {
            Status = (LONG)KdpBuffer.Request.in_kind; /* FLTVM_ANSWER_*, all >= 0 */
        }
    }
    KdpRelease(Enabled);
    return Status;
}

VOID KdReportModule(PVOID Base, ULONG Size, ULONG What, PCSTR Name)
{
    struct fltvm_module_header Header = {(ULONG64)Base, Size, What};
    KD_SEGMENT Segments[2] = {{&Header, sizeof(Header)}, {Name, (ULONG)strlen(Name)}};

    KdLinkSend(FLTVM_RECORD_MODULE, 2, Segments);
}

VOID KdSetLastWords(ULONG Code, const ULONG_PTR *Parameters)
{
    KdpLastWords.code = Code;
    for (ULONG i = 0; i < RTL_NUMBER_OF(KdpLastWords.parameters); i++) {
        KdpLastWords.parameters[i] = Parameters[i];
    }
}

DECLSPEC_NORETURN VOID KdExit(ULONG Status)
{
    _disable();
    if (KdpPresent) {
        volatile struct fltvm_exit *Exit = (volatile struct fltvm_exit *)KdpBuffer.Out;

        (VOID) KdpAcquire();
        Exit->status = Status;
        Exit->code = KdpLastWords.code;
        for (ULONG i = 0; i < RTL_NUMBER_OF(KdpLastWords.parameters); i++) {
            Exit->parameters[i] = KdpLastWords.parameters[i];
        }
        KdpRing(FLTVM_LINK_OP_EXIT, FLTVM_RECORD_EXIT, sizeof(*Exit), 0);
    }
    if (KdPowerOff != NULL) {
        KdPowerOff();
    }
    for (;;) {
        __asm__ volatile("hlt");
    }
}

VOID KdEnterBugCheck(VOID)
{
    KdpAlone = TRUE;
}

BOOLEAN KdLinkAcknowledge(VOID)
{
    ULONG Status = KdpPresent ? KdpReadRegister(FLTVM_LINK_REG_IRQ_STATUS) : 0;

    if (Status & FLTVM_LINK_IRQ_WAKE) {
        KdpWriteRegister(FLTVM_LINK_REG_IRQ_STATUS, FLTVM_LINK_IRQ_WAKE);
        return TRUE;
    }
    return FALSE;
}

VOID KdInitSystem(struct fltvm_loader_block *LoaderBlock)
{
    ULONG Length = 0;

    KdpPhysicalDelta = LoaderBlock->kernel_base - LoaderBlock->kernel_physical;
    KdpConsole = __inbyte(DEBUG_CONSOLE) == DEBUG_CONSOLE;
    KdpPresent = KdpReadRegister(FLTVM_LINK_REG_ID) == FLTVM_LINK_ID &&
                 KdpReadRegister(FLTVM_LINK_REG_VERSION) == FLTVM_LINK_VERSION &&
                 (KdpReadRegister(FLTVM_LINK_REG_STATUS) & FLTVM_LINK_STATUS_CONNECTED);
    if (KdpPresent &&
        KdLinkCall(FLTVM_RECORD_HELLO, "fltvm", 5, KdpOptionText, sizeof(KdpOptionText) - 1, &Length) < 0) {
        Length = 0;
    }
    KdpParseOptions(Length);
    KdReportModule((PVOID)LoaderBlock->kernel_base, (ULONG)LoaderBlock->kernel_size,
                   FLTVM_MODULE_LOADED | FLTVM_MODULE_IN_BOX, "ntoskrnl.exe");
}
