// SPDX-License-Identifier: GPL-2.0-or-later
/* mm's start-up, in order. */
#include "mip.h"

MMPTE MiPageable = FLTVM_PTE_PAGEABLE;

VOID MmInitSystem(ULONG Phase)
{
    struct fltvm_loader_block *Block = HalLoaderBlock;

    if (Phase == 0) {
        if (!FvVerifierEnabled())
            MiPageable = MI_PTE_RESIDENT;
        MiInitializePages(Block);
        MiInitializePageTables(Block);
        MiInitializeRegions();
        MiInitializePool();
        MiInitializeSpecialPool();
        MiInitializeViews();
        MiInitializeFiles();
        KeMmAccessFault = MmAccessFault;
        RtlReadMemory = MmReadMemory;
        KeMmIsCode = FvIsCode;
        return;
    }
    MiStarted = TRUE;
}
