/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A QEMU without a running guest, whose memory, ports and clock a test drives: a client for QEMU's qtest
 * protocol (one line of text a command) over a socketpair, and for the few QMP commands that are needed.
 *
 * Rules for the rig: every failure ends the test program at once with a message; nothing waits longer than
 * RIG_TIMEOUT_S; rig_stop() demands that QEMU ends by itself with status 0, so that a sanitizer's
 * complaint at exit is a failure too.  A program starts with rig_init() and gets QEMU's path from it.
 */
#ifndef FLTVM_QTEST_RIG_H
#define FLTVM_QTEST_RIG_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define RIG_TIMEOUT_S 30

/* Where a test finds things; RAM is below RIG_RAM_SIZE. */
#define RIG_RAM_SIZE 0x2000000u
#define RIG_NOWHERE  0xA0000000u /* neither RAM nor a device */
#define RIG_LAPIC    0xFEE00000u /* memory-mapped, and not memory */

typedef struct Rig Rig;

/* Takes the path of QEMU from FLTVM_QEMU or from the program's last argument; calls g_test_init(). */
void rig_init(int *argc, char ***argv);

/* A machine with @arguments (NULL-terminated, words) added.  @fds, -1-terminated, are passed on and closed here. */
Rig *rig_start(const char *const *arguments, const int *fds);
void rig_stop(Rig *rig);
/* QEMU has ended or is about to, by itself: its exit status. */
int rig_wait_exit(Rig *rig);
/* Started with @arguments QEMU must refuse: exit status 1; returns what it wrote. */
char *rig_start_refused(const char *const *arguments);

/* A file of the test's own; removed with rig_cleanup() at the end of the program. */
char *rig_file(const char *name);
/* A file of @size bytes, byte i being rig_pattern (i). */
char *rig_image(const char *name, uint64_t size);
uint8_t rig_pattern(uint64_t offset);
/* Run a program that must succeed. */
void rig_run(const char *const *arguments);
/* qemu-img beside QEMU, or NULL. */
char *rig_tool(const char *name);

/* Memory and ports of the machine. */
uint64_t rig_read(Rig *rig, uint64_t address, unsigned size);
void rig_write(Rig *rig, uint64_t address, uint64_t value, unsigned size);
void rig_read_block(Rig *rig, uint64_t address, void *data, size_t size);
void rig_write_block(Rig *rig, uint64_t address, const void *data, size_t size);
uint64_t rig_in(Rig *rig, uint16_t port, unsigned size);
void rig_out(Rig *rig, uint16_t port, uint64_t value, unsigned size);
/* Write a port and do not wait: QEMU may stop inside it until rig_finish(). */
void rig_out_begin(Rig *rig, uint16_t port, uint32_t value);
void rig_finish(Rig *rig);

static inline uint32_t rig_readl(Rig *rig, uint64_t address)
{
    return (uint32_t)rig_read(rig, address, 4);
}

static inline void rig_writel(Rig *rig, uint64_t address, uint32_t value)
{
    rig_write(rig, address, value, 4);
}

/* Returns when QEMU has done all that was asked before. */
void rig_sync(Rig *rig);

/* Virtual time in ns; only steps, not 0, move it. */
uint64_t rig_clock(Rig *rig);
void rig_clock_step(Rig *rig, uint64_t ns);

/* The level of an input of the first I/O APIC, which rig_watch_ioapic() has begun to follow. */
void rig_watch_ioapic(Rig *rig);
bool rig_ioapic_level(Rig *rig, unsigned line);

/* QMP: the reply's text; an error reply is a failure unless rig_qmp_error() asked for it. */
char *rig_qmp(Rig *rig, const char *format, ...) G_GNUC_PRINTF(2, 3);
char *rig_qmp_error(Rig *rig, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* Reset the machine, and wait until it is done. */
void rig_reset(Rig *rig);
/* A monitor command that must say nothing. */
void rig_monitor(Rig *rig, const char *command);

/* A PCI function at bus 0, device @slot, with its BAR 0 and MSI-X. */
typedef struct RigPci {
    Rig *rig;
    uint64_t config;
    uint64_t bar;
    uint16_t msix; /* offset of the capability */
    uint64_t table;
    unsigned vectors;
} RigPci;

/* Assign the BAR, enable memory decoding and bus mastering. */
RigPci rig_pci(Rig *rig, unsigned slot, uint16_t device);
void rig_pci_enable(RigPci *pci, bool memory, bool master);
/* The offset of a capability in configuration space; 0 if there is none. */
uint16_t rig_pci_capability(RigPci *pci, uint8_t id);
void rig_pci_flr(RigPci *pci);

/*
 * MSI-X messages go to RAM, where a test can see them: vector v writes RIG_MSI_DATA (v) to its own address.
 * Taking a message clears it.
 */
void rig_msix_enable(RigPci *pci);
void rig_msix_target(RigPci *pci, unsigned vector, uint64_t address, uint32_t data);
bool rig_msix_take(RigPci *pci, unsigned vector);
/* Vectors that have a message, as a mask; takes them all. */
uint32_t rig_msix_take_all(RigPci *pci);

#define RIG_MSI_BASE    0x1000u
#define RIG_MSI_DATA(v) (0x4000u + (v))

#endif
