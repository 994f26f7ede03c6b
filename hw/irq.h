/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fltvm-irq: what the interrupt source's files share.
 *
 *   irq.c       sources and the device: pulses, commands, reset, VM state
 *   irq-regs.c  register accesses
 */
#ifndef HW_FLTVM_IRQ_H
#define HW_FLTVM_IRQ_H

#include "hw/pci/pci_device.h"
#include "qemu/timer.h"
#include "qom/object.h"
#include "fltvm/irq.h"

#define TYPE_FLTVM_IRQ "fltvm-irq"
OBJECT_DECLARE_SIMPLE_TYPE(FltvmIrqState, FLTVM_IRQ)

#define FLTVM_IRQ_MAX_SOURCES 32
#define FLTVM_IRQ_PULSES_LIMIT 65536 /* of a burst */

#define FLTVM_IRQ_MSIX_TABLE 0x2000
#define FLTVM_IRQ_MSIX_PBA 0x3000

/* A pulse that never comes. */
#define FLTVM_IRQ_NEVER INT64_MAX

typedef struct FltvmIrqSource {
    FltvmIrqState *irq;
    QEMUTimer timer;

    uint32_t mode;
    uint32_t vector;
    uint64_t start;
    uint64_t interval;
    uint32_t count;

    bool pending;
    bool armed;
    int64_t due;   /* of the next pulse, when armed */
    uint32_t left; /* ONE_SHOT, BURST: pulses to come */

    uint32_t raised;
    uint32_t acked;
    uint32_t overrun;
    uint32_t missed;
} FltvmIrqSource;

struct FltvmIrqState {
    PCIDevice parent_obj;

    /* Properties */
    uint32_t source_count;
    uint32_t vector_count;
    uint32_t min_interval;

    MemoryRegion registers; /* the BAR; the MSI-X table and its pending bits lie over it */

    uint32_t error;
    uint32_t error_info;
    uint32_t time_hi;
    FltvmIrqSource source[FLTVM_IRQ_MAX_SOURCES];
};

/* irq.c */
void fltvm_irq_set_error(FltvmIrqState *s, uint32_t error, uint32_t info);
uint32_t fltvm_irq_index(const FltvmIrqSource *source);
void fltvm_irq_command(FltvmIrqSource *source, uint32_t command);

/* irq-regs.c */
extern const MemoryRegionOps fltvm_irq_register_ops;

#endif
