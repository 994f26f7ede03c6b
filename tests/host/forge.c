/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A driver that means ill: it writes records of its own to the host link, past the kernel.
 *
 * KIND is the records' kind, 0 any; COUNT how many, 0 without an end; SEED decides what is in them.  From record to
 * record kinds, lengths, operations and addresses may be any there are or are not.
 */
#include <ntddk.h>

#include "link.h"

#define BYTES FLTVM_LINK_MAX_PAYLOAD

static ULONG64 ForgeState = SEED;

static ULONG64 ForgeRandom(void)
{
    ForgeState ^= ForgeState << 13;
    ForgeState ^= ForgeState >> 7;
    ForgeState ^= ForgeState << 17;
    return ForgeState;
}

static void ForgeRing(struct fltvm_link_request *Request)
{
    ULONG64 Address = (ULONG64)MmGetPhysicalAddress(Request).QuadPart;

    __asm__ volatile("outl %0, %1"
                     :
                     : "a"((ULONG)Address), "d"((USHORT)(FLTVM_LINK_IOBASE + FLTVM_LINK_REG_DOORBELL))
                     : "memory");
}

/* Something that looks a little like what the kind has in it: stacks with frames, lines, names. */
static ULONG ForgeFill(PUCHAR Payload, ULONG Kind)
{
    ULONG Length = (ULONG)(ForgeRandom() % 4 ? ForgeRandom() % 512 : ForgeRandom() % (BYTES + 1));
    ULONG Index;

    for (Index = 0; Index < Length; Index++) {
        ULONG64 Choice = ForgeRandom();
        Payload[Index] = (UCHAR)(Choice % 8 == 0   ? Choice >> 8
                                 : Choice % 8 == 1 ? '\n'
                                                   : "0x=ok not plan\x1b[#"[(Choice >> 16) % 18]);
    }
    if (Kind == FLTVM_RECORD_STACKS) {
        struct fltvm_stack *Stack = (struct fltvm_stack *)Payload;
        Length = sizeof(*Stack) + 60 * sizeof(ULONG64);
        RtlZeroMemory(Payload, Length);
        Stack->frames = 60;
        RtlFillMemory(Stack->name, sizeof(Stack->name), 0x9B);
        for (Index = 0; Index < 60; Index++)
            ((PULONG64)(Stack + 1))[Index] = 0xFFFFF80000200000ull + ForgeRandom() % 0x200000;
    }
    return Length;
}

static void ForgeOne(struct fltvm_link_request *Request, PUCHAR Payload)
{
    ULONG Kind = KIND ? KIND : (ULONG)(ForgeRandom() % 16);

    RtlZeroMemory(Request, sizeof(*Request));
    Request->op = FLTVM_LINK_OP_SEND;
    /* These soon end the machine: seldom, or nothing else is seen. */
    if (!KIND && (Kind == FLTVM_RECORD_EXIT || Kind == FLTVM_RECORD_COMMAND || Kind == FLTVM_RECORD_HELLO) &&
        ForgeRandom() % 256)
        Kind = FLTVM_RECORD_TRACE;
    Request->kind = (uint16_t)Kind;
    Request->out_len = ForgeFill(Payload, Kind);
    Request->out_addr = (ULONG64)MmGetPhysicalAddress(Payload).QuadPart;
    if (!KIND) {
        if (ForgeRandom() % 50 == 0)
            Request->op = (uint16_t)(7 + ForgeRandom() % 1000);
        if (ForgeRandom() % 50 == 0)
            Request->out_len = (ULONG)ForgeRandom();
        if (ForgeRandom() % 50 == 0)
            Request->out_addr = ForgeRandom();
        Request->cpu = (ULONG)(ForgeRandom() % 4);
    }
    ForgeRing(Request);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    PHYSICAL_ADDRESS Highest = {.QuadPart = 0xFFFFFFFF};
    struct fltvm_link_request *Request = MmAllocateContiguousMemory(PAGE_SIZE, Highest);
    PUCHAR Payload = MmAllocateContiguousMemory(BYTES, Highest);
    ULONG64 Number;

    UNREFERENCED_PARAMETER(DriverObject);
    UNREFERENCED_PARAMETER(RegistryPath);
    if (Request == NULL || Payload == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    for (Number = 0; !COUNT || Number < COUNT; Number++)
        ForgeOne(Request, Payload);
    return STATUS_UNSUCCESSFUL;
}
