/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest gone mad: random register accesses, random rings and descriptors, on all devices at once.  QEMU must
 * survive, answer, and end cleanly; afterwards a reset device works as ever.
 *
 * The seed is GLib's (--seed repeats a run; it is printed first).  FLTVM_FUZZ_STEPS asks for more.
 */
#include "hba-rig.h"
#include "abi/irq.h"
#include "abi/link.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define IRQ_SLOT 2
#define STEPS    4000
#define BLOCKS   2048

typedef struct Fuzz {
    Hba hba;
    RigPci irq;
    int host;
} Fuzz;

static uint32_t random_below(uint32_t limit)
{
    return (uint32_t)g_test_rand_int() % limit;
}

/* Mostly what is nearly right: borders find more than noise. */
static uint32_t random_value(void)
{
    static const uint32_t values[] = {
        0, 1, 2, 3, 4, 5, 15, 16, 17, 31, 32, 33, 255, 256, 257, 511, 512, 513, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF,
        0xFFFFFFC0, HBA_SQ(0), HBA_CQ(0), HBA_SQ(1), HBA_DATA, RIG_RAM_SIZE - 64, RIG_NOWHERE, RIG_LAPIC, 1000, 100000,
    };

    return random_below(4) ? values[random_below(G_N_ELEMENTS(values))] : (uint32_t)g_test_rand_int();
}

static uint64_t random_address(const Fuzz *fuzz)
{
    switch (random_below(8)) {
    case 0:
        return fuzz->hba.pci.bar + random_below(FLTVM_HBA_BAR_SIZE);
    case 1:
        return fuzz->irq.bar + random_below(FLTVM_IRQ_BAR_SIZE);
    case 2:
        return (uint64_t)random_value() << 32 | random_value();
    case 3:
        return random_value();
    default:
        return HBA_DATA + 4 * random_below(0x10000);
    }
}

static uint32_t random_register(uint32_t size)
{
    switch (random_below(4)) {
    case 0:
        return random_below(size);
    case 1:
        return 4 * random_below(0x140);
    default:
        return 4 * random_below(size / 4);
    }
}

static void random_access(Fuzz *fuzz, const RigPci *pci, uint32_t bar_size)
{
    static const unsigned sizes[] = {4, 4, 4, 4, 4, 1, 2, 8};
    uint64_t address = pci->bar + random_register(bar_size);
    unsigned size = sizes[random_below(G_N_ELEMENTS(sizes))];

    if (random_below(4)) {
        rig_write(fuzz->hba.rig, address, random_value(), size);
    } else {
        rig_read(fuzz->hba.rig, address, size);
    }
}

static struct fltvm_hba_command random_command(const Fuzz *fuzz)
{
    struct fltvm_hba_command command = {
        .opcode = (uint8_t)(random_below(10) ? 1 + random_below(5) : random_below(9)),
        .id = (uint16_t)random_below(40),
        .segments = random_below(4),
        .lba = random_below(BLOCKS + 8),
        .blocks = random_below(20),
    };
    uint32_t left;

    if (command.opcode == FLTVM_HBA_OP_IDENTIFY) {
        command.blocks = 0;
        command.lba = 0;
        left = sizeof(struct fltvm_hba_identify);
    } else {
        left = command.blocks * HBA_BLOCK;
    }
    if (command.opcode == FLTVM_HBA_OP_FLUSH || command.opcode == FLTVM_HBA_OP_ABORT) {
        command.segments = command.blocks = 0;
        command.lba = command.opcode == FLTVM_HBA_OP_ABORT ? FLTVM_HBA_ABORT_TARGET(random_below(3), random_below(40)) : 0;
    }
    for (uint32_t i = 0; i < MIN(command.segments, FLTVM_HBA_INLINE_SEGMENTS); i++) {
        command.segment[i].address = random_address(fuzz);
        command.segment[i].length = i + 1 < command.segments ? left / 2 & ~3u : left;
        left -= command.segment[i].length;
    }
    if (random_below(6) == 0) {
        ((uint8_t *)&command)[random_below(sizeof(command))] = (uint8_t)random_value();
    }
    if (random_below(6) == 0) {
        command.flags = FLTVM_HBA_FLAG_LIST;
        command.list = HBA_LIST;
        memset(command.segment, 0, sizeof(command.segment));
    }
    return command;
}

static void random_list(Fuzz *fuzz)
{
    struct fltvm_hba_segment segments[4];

    for (size_t i = 0; i < G_N_ELEMENTS(segments); i++) {
        segments[i] = (struct fltvm_hba_segment){random_address(fuzz), 512 * random_below(8), random_below(20) == 0};
    }
    rig_write_block(fuzz->hba.rig, HBA_LIST, segments, sizeof(segments));
}

/* A queue that works, so that the commands get somewhere. */
static void random_queue(Fuzz *fuzz)
{
    Hba *hba = &fuzz->hba;
    uint32_t queue = random_below(3);

    hba_set(hba, FLTVM_HBA_REG_CONTROL, 0);
    hba_set(hba, FLTVM_HBA_REG_CONTROL, FLTVM_HBA_CONTROL_ENABLE);
    hba_set(hba, FLTVM_HBA_REG_ERROR, UINT32_MAX);
    rig_pci_enable(&hba->pci, true, random_below(10) != 0);
    hba_queue_start(hba, queue, 2 + random_below(60));
}

static void random_submit(Fuzz *fuzz)
{
    Hba *hba = &fuzz->hba;
    uint32_t queue = random_below(3);
    struct fltvm_hba_command command = random_command(fuzz);

    if (hba->queue[queue].depth == 0) {
        return;
    }
    random_list(fuzz);
    hba_put(hba, queue, &command);
    if (random_below(3) == 0) {
        hba_ring(hba, queue);
        hba_set(hba, FLTVM_HBA_DOORBELLS + queue * 8 + 4, hba_queue_get(hba, queue, FLTVM_HBA_QUEUE_CQ_TAIL));
    }
}

static void random_source(Fuzz *fuzz)
{
    uint64_t source = fuzz->irq.bar + FLTVM_IRQ_REG_SOURCE(random_below(17));
    Rig *rig = fuzz->hba.rig;

    rig_writel(rig, source + FLTVM_IRQ_SOURCE_COMMAND, FLTVM_IRQ_COMMAND_DISARM);
    rig_writel(rig, source + FLTVM_IRQ_SOURCE_MODE, random_below(5));
    rig_writel(rig, source + FLTVM_IRQ_SOURCE_VECTOR, random_below(17));
    rig_writel(rig, source + FLTVM_IRQ_SOURCE_START_LO, random_below(10000));
    rig_writel(rig, source + FLTVM_IRQ_SOURCE_START_HI, random_below(20) == 0);
    rig_writel(rig, source + FLTVM_IRQ_SOURCE_INTERVAL_LO, random_below(5000));
    rig_writel(rig, source + FLTVM_IRQ_SOURCE_INTERVAL_HI, random_below(20) == 0);
    rig_writel(rig, source + FLTVM_IRQ_SOURCE_COUNT, random_below(10));
    rig_writel(rig, source + FLTVM_IRQ_SOURCE_COMMAND, random_below(8));
}

static void random_port(Fuzz *fuzz)
{
    static const unsigned sizes[] = {4, 4, 4, 1, 2};
    uint16_t port = (uint16_t)(FLTVM_LINK_IOBASE + random_below(FLTVM_LINK_IOSIZE));
    unsigned size = sizes[random_below(G_N_ELEMENTS(sizes))];

    if (random_below(2)) {
        rig_in(fuzz->hba.rig, port, size);
    } else if (port != FLTVM_LINK_IOBASE + FLTVM_LINK_REG_DOORBELL) {
        /* A command of the hba in memory can look like a CALL: see random_record(). */
        rig_out(fuzz->hba.rig, port, random_value(), size);
    }
}

/* Anything but a good CALL, which would wait for an answer, and a good EXIT. */
static void random_record(Fuzz *fuzz)
{
    struct fltvm_link_request request = {
        .op = (uint16_t)random_below(5),
        .kind = (uint16_t)random_below(12),
        .out_len = random_below(8) ? random_below(200) : random_value(),
        .in_cap = UINT32_MAX,
        .out_addr = random_address(fuzz),
        .in_addr = random_address(fuzz),
    };
    char sink[4096];

    if (request.op == FLTVM_LINK_OP_EXIT) {
        request.op = FLTVM_LINK_OP_SEND;
    }
    rig_write_block(fuzz->hba.rig, 0x40000, &request, sizeof(request));
    rig_out(fuzz->hba.rig, FLTVM_LINK_IOBASE + FLTVM_LINK_REG_DOORBELL, 0x40000, 4);
    while (recv(fuzz->host, sink, sizeof(sink), MSG_DONTWAIT) > 0) {
    }
}

static Fuzz fuzz_start(void)
{
    g_autofree char *path = rig_image("disk.raw", BLOCKS * HBA_BLOCK);
    g_autofree char *drive = g_strdup_printf("if=none,id=d0,format=raw,file=%s", path);
    g_autofree char *chardev = NULL;
    const char *arguments[] = {
        "-drive", drive, "-device", "fltvm-hba,id=hba,addr=1.0,drive=d0", "-device", "fltvm-irq,addr=2.0",
        "-chardev", NULL, "-device", "fltvm-link,chardev=link", NULL,
    };
    Fuzz fuzz = {0};
    int pair[2], fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), ==, 0);
    chardev = g_strdup_printf("socket,id=link,fd=%d", pair[1]);
    arguments[7] = chardev;
    fds[0] = pair[1];
    fds[1] = -1;
    fuzz.host = pair[0];
    fuzz.hba.rig = rig_start(arguments, fds);
    hba_again(&fuzz.hba);
    fuzz.irq = rig_pci(fuzz.hba.rig, IRQ_SLOT, FLTVM_PCI_DEVICE_IRQ);
    rig_msix_enable(&fuzz.irq);
    return fuzz;
}

static void fuzz_step(Fuzz *fuzz)
{
    switch (random_below(10)) {
    case 0:
    case 1:
        random_access(fuzz, &fuzz->hba.pci, FLTVM_HBA_BAR_SIZE);
        break;
    case 2:
        if (random_below(2)) {
            random_access(fuzz, &fuzz->irq, FLTVM_IRQ_BAR_SIZE);
        } else {
            random_source(fuzz);
        }
        break;
    case 3:
        if (random_below(8) == 0) {
            random_queue(fuzz);
        }
        break;
    case 4:
    case 5:
    case 6:
        random_submit(fuzz);
        break;
    case 7:
        random_port(fuzz);
        break;
    case 8:
        random_record(fuzz);
        break;
    default:
        rig_clock_step(fuzz->hba.rig, 1 + random_below(30000));
        break;
    }
}

/* Sanity after the storm. */
static void fuzz_check(Fuzz *fuzz)
{
    Hba *hba = &fuzz->hba;

    rig_reset(hba->rig);
    hba_again(hba);
    hba_enable(hba);
    hba_queue_start(hba, 0, HBA_DEPTH);
    hba_submit(hba, 0, hba_flush(1));
    rig_clock_step(hba->rig, 1000000);
    hba_expect(hba, 0, 1, FLTVM_HBA_S_OK, 0);
    g_assert_cmphex(rig_in(hba->rig, FLTVM_LINK_IOBASE, 4), ==, FLTVM_LINK_ID);
}

static void test_fuzz(void)
{
    const char *more = g_getenv("FLTVM_FUZZ_STEPS");
    unsigned long steps = more ? strtoul(more, NULL, 0) : g_getenv("FLTVM_TEST_LONG") ? 100 * STEPS : STEPS;
    Fuzz fuzz = fuzz_start();

    for (unsigned long i = 0; i < steps; i++) {
        fuzz_step(&fuzz);
    }
    fuzz_check(&fuzz);
    hba_stop(&fuzz.hba);
    close(fuzz.host);
}

int main(int argc, char **argv)
{
    rig_init(&argc, &argv);
    g_test_add_func("/fuzz/devices", test_fuzz);
    return g_test_run();
}
