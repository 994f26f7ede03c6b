/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tells what is held, when stacks are told; never unloaded. */
#include <ntifs.h>
#include <fltvm.h>
#include <ntstrsafe.h>

static ULONG Asked;

static VOID NTAPI TellHeld(PFV_TELL Tell, BOOLEAN Frozen)
{
    CHAR Text[128];

    RtlStringCbPrintfA(Text, sizeof(Text),
                       "thing=one of the test's, asked for %u times, at DISPATCH_LEVEL %u, frozen %u\n", ++Asked,
                       KeGetCurrentIrql() == DISPATCH_LEVEL, Frozen);
    Tell(Text);
    RtlStringCbPrintfA(Text, sizeof(Text), "its-routine=0x%p\n", (PVOID)(ULONG_PTR)TellHeld);
    Tell(Text);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    FvRegisterHolder(TellHeld);
    return STATUS_SUCCESS;
}
