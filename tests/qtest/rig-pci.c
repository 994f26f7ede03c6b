/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rig's part of firmware: microvm assigns no BARs, so the test does.  See rig.h.
 */
#include "rig.h"
#include "abi/pci.h"

#define RIG_ECAM 0xE0000000u
#define RIG_MMIO 0xC0000000u

#define PCI_COMMAND        0x04
#define PCI_COMMAND_MEMORY 0x2
#define PCI_COMMAND_MASTER 0x4
#define PCI_STATUS         0x06
#define PCI_STATUS_CAPS    0x10
#define PCI_BAR0           0x10
#define PCI_CAPABILITIES   0x34
#define PCI_CAP_EXPRESS    0x10
#define PCI_CAP_MSIX       0x11

#define MSIX_CONTROL        2
#define MSIX_CONTROL_ENABLE 0x8000
#define MSIX_CONTROL_SIZE   0x7FF
#define MSIX_TABLE          4
#define MSIX_ENTRY          16

#define EXPRESS_DEVICE_CAPABILITIES 4
#define EXPRESS_CAP_FLR             (1u << 28)
#define EXPRESS_DEVICE_CONTROL      8
#define EXPRESS_CONTROL_FLR         0x8000

uint16_t rig_pci_capability(RigPci *pci, uint8_t id)
{
    uint16_t offset;

    if (!(rig_read(pci->rig, pci->config + PCI_STATUS, 2) & PCI_STATUS_CAPS)) {
        return 0;
    }
    offset = (uint16_t)rig_read(pci->rig, pci->config + PCI_CAPABILITIES, 1);
    for (int tries = 0; offset && tries < 48; tries++) {
        if (rig_read(pci->rig, pci->config + offset, 1) == id) {
            return offset;
        }
        offset = (uint16_t)rig_read(pci->rig, pci->config + offset + 1, 1);
    }
    return 0;
}

void rig_pci_enable(RigPci *pci, bool memory, bool master)
{
    rig_write(pci->rig, pci->config + PCI_COMMAND,
              (memory ? PCI_COMMAND_MEMORY : 0) | (master ? PCI_COMMAND_MASTER : 0), 2);
}

/* BARs of at most 1 MiB, one to a slot. */
static void rig_pci_assign(RigPci *pci, unsigned slot)
{
    uint32_t size;

    rig_writel(pci->rig, pci->config + PCI_BAR0, UINT32_MAX);
    size = ~(rig_readl(pci->rig, pci->config + PCI_BAR0) & ~0xFu) + 1;
    g_assert_cmpuint(size, <=, 1u << 20);
    pci->bar = RIG_MMIO + ((uint64_t)slot << 20);
    rig_writel(pci->rig, pci->config + PCI_BAR0, (uint32_t)pci->bar);
    g_assert_cmphex(rig_readl(pci->rig, pci->config + PCI_BAR0), ==, pci->bar);
}

RigPci rig_pci(Rig *rig, unsigned slot, uint16_t device)
{
    RigPci pci = {.rig = rig, .config = RIG_ECAM + ((uint64_t)slot << 15)};
    uint32_t where;

    g_assert_cmphex(rig_read(rig, pci.config, 2), ==, FLTVM_PCI_VENDOR);
    g_assert_cmphex(rig_read(rig, pci.config + 2, 2), ==, device);
    rig_pci_assign(&pci, slot);
    rig_pci_enable(&pci, true, true);
    pci.msix = rig_pci_capability(&pci, PCI_CAP_MSIX);
    g_assert_cmpuint(pci.msix, !=, 0);
    where = rig_readl(rig, pci.config + pci.msix + MSIX_TABLE);
    g_assert_cmpuint(where & 7, ==, 0);
    pci.table = pci.bar + where;
    pci.vectors = (rig_read(rig, pci.config + pci.msix + MSIX_CONTROL, 2) & MSIX_CONTROL_SIZE) + 1;
    return pci;
}

void rig_pci_flr(RigPci *pci)
{
    uint16_t express = rig_pci_capability(pci, PCI_CAP_EXPRESS);

    g_assert_cmpuint(express, !=, 0);
    g_assert_true(rig_readl(pci->rig, pci->config + express + EXPRESS_DEVICE_CAPABILITIES) & EXPRESS_CAP_FLR);
    rig_write(pci->rig, pci->config + express + EXPRESS_DEVICE_CONTROL, EXPRESS_CONTROL_FLR, 2);
}

static uint64_t rig_msix_address(unsigned vector)
{
    return RIG_MSI_BASE + 4 * vector;
}

void rig_msix_target(RigPci *pci, unsigned vector, uint64_t address, uint32_t data)
{
    uint64_t entry = pci->table + MSIX_ENTRY * vector;

    rig_writel(pci->rig, entry, (uint32_t)address);
    rig_writel(pci->rig, entry + 4, (uint32_t)(address >> 32));
    rig_writel(pci->rig, entry + 8, data);
    rig_writel(pci->rig, entry + 12, 0);
}

void rig_msix_enable(RigPci *pci)
{
    for (unsigned vector = 0; vector < pci->vectors; vector++) {
        rig_writel(pci->rig, rig_msix_address(vector), 0);
        rig_msix_target(pci, vector, rig_msix_address(vector), RIG_MSI_DATA(vector));
    }
    rig_write(pci->rig, pci->config + pci->msix + MSIX_CONTROL, MSIX_CONTROL_ENABLE, 2);
}

bool rig_msix_take(RigPci *pci, unsigned vector)
{
    uint32_t data = rig_readl(pci->rig, rig_msix_address(vector));

    if (data == 0) {
        return false;
    }
    g_assert_cmphex(data, ==, RIG_MSI_DATA(vector));
    rig_writel(pci->rig, rig_msix_address(vector), 0);
    return true;
}

uint32_t rig_msix_take_all(RigPci *pci)
{
    uint32_t mask = 0;

    for (unsigned vector = 0; vector < pci->vectors; vector++) {
        mask |= (uint32_t)rig_msix_take(pci, vector) << vector;
    }
    return mask;
}
