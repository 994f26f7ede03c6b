/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machine: microvm or q35?  How many processors, where is PCI configuration space, who assigns BARs. */
#include "loader.h"

#define FW_CFG_SELECT     0x510
#define FW_CFG_DATA       0x511
#define FW_CFG_PROCESSORS 5

#define PCI_CONFIG_ADDRESS 0xCF8
#define PCI_CONFIG_DATA    0xCFC
#define Q35_HOST_BRIDGE    0x29C08086u
#define Q35_PCIEXBAR       0x60u

#define MICROVM_ECAM       0xE0000000u
#define MICROVM_ECAM_SIZE  0x10000000u
#define MICROVM_PCI_MEMORY 0xC0000000u
#define MICROVM_PCI_SIZE   0x20000000u
#define GPEX_HOST_BRIDGE   0x00081B36u

static uint32_t pci_read(uint32_t offset)
{
    outl(PCI_CONFIG_ADDRESS, 0x80000000u | offset);
    return inl(PCI_CONFIG_DATA);
}

void machine_probe(struct fltvm_loader_block *block)
{
    uint32_t processors;

    outw(FW_CFG_SELECT, FW_CFG_PROCESSORS);
    processors = inb(FW_CFG_DATA);
    processors |= inb(FW_CFG_DATA) << 8;
    block->processors = processors == 0 || processors > 255 ? 1 : processors;
    if (block->processors > FLTVM_MAX_PROCESSORS) {
        block->processors = FLTVM_MAX_PROCESSORS;
    }
    if (pci_read(0) == Q35_HOST_BRIDGE) {
        block->ecam = pci_read(Q35_PCIEXBAR) & 0xF0000000u;
        block->ecam_size = 0x10000000u;
    } else if (*(volatile uint32_t *)(uint64_t)MICROVM_ECAM == GPEX_HOST_BRIDGE) {
        block->ecam = MICROVM_ECAM;
        block->ecam_size = MICROVM_ECAM_SIZE;
        block->pci_memory = MICROVM_PCI_MEMORY;
        block->pci_memory_size = MICROVM_PCI_SIZE;
        block->pci_assign = 1;
    }
}
