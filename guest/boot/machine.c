/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machine: microvm or q35?  How many processors, where is PCI configuration space, who assigns BARs. */
#include "loader.h"
#include "link.h"

#define FW_CFG_SELECT      0x510
#define FW_CFG_DATA        0x511
#define FW_CFG_PROCESSORS  5
#define FW_CFG_INITRD_SIZE 0x0B
#define FW_CFG_INITRD_DATA 0x12
#define FW_CFG_DMA_HIGH    0x514
#define FW_CFG_DMA_LOW     0x518
#define FW_CFG_DMA_READ    0x02
#define FW_CFG_DMA_SELECT  0x08

#define PCI_CONFIG_ADDRESS 0xCF8
#define PCI_CONFIG_DATA    0xCFC
#define Q35_HOST_BRIDGE    0x29C08086u
#define Q35_PCIEXBAR       0x60u

#define MICROVM_ECAM       0xE0000000u
#define MICROVM_ECAM_SIZE  0x10000000u
#define MICROVM_PCI_MEMORY 0xC0000000u
#define MICROVM_PCI_SIZE   0x20000000u
#define GPEX_HOST_BRIDGE   0x00081B36u

/* fw_cfg's DMA descriptor; big-endian. */
struct fw_cfg_dma {
    uint32_t control, length;
    uint64_t address;
};

uint64_t machine_initrd_size(void)
{
    uint32_t size = 0;

    outw(FW_CFG_SELECT, FW_CFG_INITRD_SIZE);
    for (int shift = 0; shift < 32; shift += 8) {
        size |= (uint32_t)inb(FW_CFG_DATA) << shift;
    }
    return size;
}

void machine_read_initrd(void *to, uint64_t size)
{
    static volatile struct fw_cfg_dma dma;

    dma.control = __builtin_bswap32(FW_CFG_INITRD_DATA << 16 | FW_CFG_DMA_SELECT | FW_CFG_DMA_READ);
    dma.length = __builtin_bswap32((uint32_t)size);
    dma.address = __builtin_bswap64((uint64_t)to);
    outl(FW_CFG_DMA_HIGH, 0);
    outl(FW_CFG_DMA_LOW, __builtin_bswap32((uint32_t)(uint64_t)&dma));
    while (dma.control != 0) {
        if (dma.control & __builtin_bswap32(1)) {
            loader_fail("the initrd cannot be read from fw_cfg");
        }
    }
}

static void link_send(uint16_t op, uint16_t kind, const void *data, uint32_t length)
{
    static _Alignas(64) struct fltvm_link_request request;

    request = (struct fltvm_link_request){.op = op, .kind = kind, .out_len = length, .out_addr = (uint64_t)data};
    __asm__ volatile("" : : : "memory");
    outl(FLTVM_LINK_IOBASE + FLTVM_LINK_REG_DOORBELL, (uint32_t)(uint64_t)&request);
}

void machine_report(const char *why)
{
    static struct {
        struct fltvm_log_header header;
        char text[128];
    } log;
    static uint32_t status = FLTVM_EXIT_BOOT_FAILED;
    uint32_t length = 0;

    if (inl(FLTVM_LINK_IOBASE + FLTVM_LINK_REG_ID) != FLTVM_LINK_ID) {
        return;
    }
    while (why[length] && length < sizeof(log.text)) {
        log.text[length] = why[length];
        length++;
    }
    link_send(FLTVM_LINK_OP_SEND, FLTVM_RECORD_LOG, &log, sizeof(log.header) + length);
    link_send(FLTVM_LINK_OP_EXIT, FLTVM_RECORD_EXIT, &status, sizeof(status));
}

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
