/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Generic tables of both kinds, and splay links beside them. */
#include <fltKernel.h>

static RTL_GENERIC_COMPARE_RESULTS NTAPI Compare(PRTL_GENERIC_TABLE Table, PVOID First, PVOID Second)
{
    UNREFERENCED_PARAMETER(Table);
    return First < Second ? GenericLessThan : First > Second ? GenericGreaterThan : GenericEqual;
}

static PVOID NTAPI Allocate(PRTL_GENERIC_TABLE Table, CLONG Size)
{
    UNREFERENCED_PARAMETER(Table);
    return ExAllocatePoolZero(PagedPool, Size, 'eerT');
}

static VOID NTAPI Free(PRTL_GENERIC_TABLE Table, PVOID Buffer)
{
    UNREFERENCED_PARAMETER(Table);
    ExFreePool(Buffer);
}

VOID Trees(VOID);
VOID Trees(VOID)
{
    RTL_GENERIC_TABLE Table;
    RTL_AVL_TABLE Balanced;
    RTL_SPLAY_LINKS Links;
    PRTL_AVL_COMPARE_ROUTINE Routine = NULL;

    RtlInitializeSplayLinks(&Links);
    RtlInitializeGenericTable(&Table, Compare, Allocate, Free, NULL);
    RtlInitializeGenericTableAvl(&Balanced, Routine, NULL, NULL, NULL);
    if (!RtlIsGenericTableEmpty(&Table) && RtlNumberGenericTableElements(&Table) != 0)
        RtlDeleteElementGenericTable(&Table, RtlEnumerateGenericTable(&Table, TRUE));
}
