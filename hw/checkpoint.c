/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checkpoints in memory: see checkpoint.h.
 *
 * RAM is copied once; afterwards the dirty log tells which pages a run has written, and only those are put back.  Blocks
 * translated from what thereby changes are invalidated, all others stay: that is what makes a run short.  Devices are
 * saved and loaded by their VMState, in memory.  A VMState leaves out what has its default value, and so cannot bring it
 * back: of the processors everything that a reset clears is copied as well, and of the other devices the state is saved
 * again after loading if the host wants it verified.
 */

#include "qemu/osdep.h"
#include "qemu/bitmap.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "qemu/memalign.h"
#include "qemu/seqlock.h"
#include "qemu/units.h"
#include "qapi/error.h"
#include "cpu.h"
#include "exec/exec-all.h"
#include "exec/memory.h"
#include "exec/ram_addr.h"
#include "exec/ramlist.h"
#include "io/channel-buffer.h"
#include "migration/global_state.h"
#include "migration/qemu-file.h"
#include "migration/savevm.h"
#include "system/cpu-timers.h"
#include "system/cpu-timers-internal.h"
#include "system/tcg.h"
#include "checkpoint.h"
#include "inplace.h"
#include "trace.h"

/* qemu_save_device_state() begins with it, qemu_load_device_state() does not expect it. */
#define STATE_HEADER 8

typedef struct SavedBlock {
    RAMBlock *block;
    uint8_t *copy;
    ram_addr_t length;
} SavedBlock;

typedef struct SavedCpu {
    CPUState *cpu;
    uint8_t env[offsetof(CPUX86State, end_reset_fields)];
    uint32_t halted;
    uint32_t interrupt_request;
    int32_t exception_index;
    bool crash_occurred;
} SavedCpu;

static struct {
    bool there;
    GArray *blocks; /* SavedBlock */
    GArray *cpus;   /* SavedCpu */
    GByteArray *devices;
    GArray *timers;
    GRand *random;
    uint64_t seed;
} saved;

static QTAILQ_HEAD(, FltvmCheckpointGuest) guests =
    QTAILQ_HEAD_INITIALIZER(guests);

static void (*paused)(void *opaque);
static void *paused_opaque;

void fltvm_checkpoint_join(FltvmCheckpointGuest *guest)
{
    QTAILQ_INSERT_TAIL(&guests, guest, entry);
}

void fltvm_checkpoint_leave(FltvmCheckpointGuest *guest)
{
    QTAILQ_REMOVE(&guests, guest, entry);
}

/* Between two slices */

static bool boundary(void)
{
    void (*func)(void *opaque) = paused;

    if (!func) {
        return false;
    }
    paused = NULL;
    func(paused_opaque);
    return true;
}

bool fltvm_checkpoint_pause(void (*func)(void *opaque), void *opaque)
{
    if (!tcg_enabled() || !icount_sched_enabled()) {
        return false;
    }
    rr_sched_boundary = boundary;
    paused = func;
    paused_opaque = opaque;
    if (current_cpu) {
        cpu_exit(current_cpu);
    }
    return true;
}

void fltvm_checkpoint_settle(void)
{
    CPUState *cpu;

    CPU_FOREACH(cpu) {
        tlb_renew(cpu);
    }
}

void fltvm_checkpoint_seed(uint64_t seed)
{
    timers_state.sched_seed = seed;
    qemu_guest_random_renew(seed);
}

/* RAM */

/* Call @func for each page of @block that was written since the last time. */
static void for_dirty_pages(const SavedBlock *block,
                            void (*func)(const SavedBlock *, ram_addr_t))
{
    DirtyMemoryBlocks *dirty;
    unsigned long page = block->block->offset >> TARGET_PAGE_BITS;
    unsigned long end = page + (block->length >> TARGET_PAGE_BITS);

    RCU_READ_LOCK_GUARD();
    dirty = qatomic_rcu_read(&ram_list.dirty_memory[DIRTY_MEMORY_MIGRATION]);
    while (page < end) {
        unsigned long *bits = dirty->blocks[page / DIRTY_MEMORY_BLOCK_SIZE];
        unsigned long first = ROUND_DOWN(page, DIRTY_MEMORY_BLOCK_SIZE);
        unsigned long from = page - first;
        unsigned long until = MIN(end - first, DIRTY_MEMORY_BLOCK_SIZE);
        unsigned long bit = from;

        while (func && (bit = find_next_bit(bits, until, bit)) < until) {
            func(block, ((ram_addr_t)(first + bit) << TARGET_PAGE_BITS) -
                        block->block->offset);
            bit++;
        }
        /* No TLB knows a page as written: they are all renewed. */
        bitmap_clear(bits, from, until - from);
        page = first + until;
    }
}

static unsigned pages_restored;

static void restore_page(const SavedBlock *block, ram_addr_t offset)
{
    uint8_t *now = block->block->host + offset;
    const uint8_t *then = block->copy + offset;
    ram_addr_t address = block->block->offset + offset;
    size_t first = 0, last = TARGET_PAGE_SIZE - sizeof(uint64_t);

    pages_restored++;
    if (memcmp(now, then, TARGET_PAGE_SIZE) == 0) {
        return;
    }
    while (ldq_he_p(now + first) == ldq_he_p(then + first)) {
        first += sizeof(uint64_t);
    }
    while (ldq_he_p(now + last) == ldq_he_p(then + last)) {
        last -= sizeof(uint64_t);
    }
    last += sizeof(uint64_t) - 1;
    memcpy(now + first, then + first, last - first + 1);
    /* A page without translated code is marked as written for that client. */
    if (!cpu_physical_memory_get_dirty_flag(address, DIRTY_MEMORY_CODE)) {
        tb_invalidate_phys_range(address + first, address + last);
    }
}

static void forget_ram(void)
{
    for (guint i = 0; saved.blocks && i < saved.blocks->len; i++) {
        SavedBlock *block = &g_array_index(saved.blocks, SavedBlock, i);

        qemu_vfree(block->copy);
    }
    g_clear_pointer(&saved.blocks, g_array_unref);
}

static void save_ram(void)
{
    RAMBlock *block;

    forget_ram();
    saved.blocks = g_array_new(false, false, sizeof(SavedBlock));
    RCU_READ_LOCK_GUARD();
    QLIST_FOREACH_RCU(block, &ram_list.blocks, next) {
        SavedBlock entry = { .block = block, .length = block->used_length };

        if (!qemu_ram_is_migratable(block)) {
            continue;
        }
        entry.copy = qemu_memalign(qemu_real_host_page_size(), entry.length);
        memcpy(entry.copy, block->host, entry.length);
        g_array_append_val(saved.blocks, entry);
        for_dirty_pages(&entry, NULL);
    }
}

static void restore_ram(void)
{
    pages_restored = 0;
    for (guint i = 0; i < saved.blocks->len; i++) {
        for_dirty_pages(&g_array_index(saved.blocks, SavedBlock, i),
                        restore_page);
    }
}

static bool verify_ram(Error **errp)
{
    for (guint i = 0; i < saved.blocks->len; i++) {
        const SavedBlock *block = &g_array_index(saved.blocks, SavedBlock, i);

        if (memcmp(block->block->host, block->copy, block->length) != 0) {
            error_setg(errp, "memory '%s' is not as it was at the checkpoint",
                       block->block->idstr);
            return false;
        }
    }
    return true;
}

/* Processors */

static void save_cpus(void)
{
    CPUState *cpu;

    g_clear_pointer(&saved.cpus, g_array_unref);
    saved.cpus = g_array_new(false, false, sizeof(SavedCpu));
    CPU_FOREACH(cpu) {
        SavedCpu entry = {
            .cpu = cpu,
            .halted = cpu->halted,
            .interrupt_request = cpu->interrupt_request,
            .exception_index = cpu->exception_index,
            .crash_occurred = cpu->crash_occurred,
        };

        memcpy(entry.env, cpu_env(cpu), sizeof(entry.env));
        g_array_append_val(saved.cpus, entry);
    }
}

static void restore_cpu(const SavedCpu *entry)
{
    CPUX86State *env = cpu_env(entry->cpu);
    struct CPUBreakpoint *breakpoints[ARRAY_SIZE(env->cpu_breakpoint)];

    /* Loading has made them anew. */
    memcpy(breakpoints, env->cpu_breakpoint, sizeof(breakpoints));
    memcpy(env, entry->env, sizeof(entry->env));
    memcpy(env->cpu_breakpoint, breakpoints, sizeof(breakpoints));
    entry->cpu->halted = entry->halted;
    entry->cpu->interrupt_request = entry->interrupt_request;
    entry->cpu->exception_index = entry->exception_index;
    entry->cpu->crash_occurred = entry->crash_occurred;
}

/* Devices */

static GByteArray *save_devices(Error **errp)
{
    g_autoptr(QIOChannelBuffer) buffer = qio_channel_buffer_new(64 * KiB);
    QEMUFile *file = qemu_file_new_output(QIO_CHANNEL(buffer));
    GByteArray *bytes;
    int result;

    global_state_store();
    result = qemu_save_device_state(file);
    if (result == 0) {
        result = qemu_fflush(file);
    }
    if (result < 0) {
        error_setg_errno(errp, -result, "a device cannot be saved");
        qemu_fclose(file);
        return NULL;
    }
    bytes = g_byte_array_sized_new(buffer->usage);
    g_byte_array_append(bytes, buffer->data, buffer->usage);
    qemu_fclose(file);
    return bytes;
}

static bool load_devices(Error **errp)
{
    QIOChannelBuffer *buffer =
        qio_channel_buffer_new(saved.devices->len - STATE_HEADER);
    QEMUFile *file = qemu_file_new_input(QIO_CHANNEL(buffer));
    int result;

    memcpy(buffer->data, saved.devices->data + STATE_HEADER,
           saved.devices->len - STATE_HEADER);
    buffer->usage = saved.devices->len - STATE_HEADER;
    object_unref(OBJECT(buffer));
    cpu_load_keeps_code = true;
    result = qemu_load_device_state(file);
    cpu_load_keeps_code = false;
    qemu_fclose(file);
    if (result < 0) {
        error_setg_errno(errp, -result, "a device cannot be put back");
        return false;
    }
    return true;
}

static bool verify_devices(Error **errp)
{
    g_autoptr(GByteArray) now = save_devices(errp);

    if (!now) {
        return false;
    }
    for (guint i = 0; i < saved.devices->len; i++) {
        if (i >= now->len || now->data[i] != saved.devices->data[i]) {
            error_setg(errp, "the devices' state is not as it was at the "
                       "checkpoint, from byte %u of %u on (now %u)", i,
                       saved.devices->len, now->len);
            return false;
        }
    }
    return true;
}

/* The whole */

bool fltvm_checkpoint_busy(Error **errp)
{
    FltvmCheckpointGuest *guest;

    QTAILQ_FOREACH(guest, &guests, entry) {
        const char *why = guest->busy(guest->opaque);

        if (why) {
            error_setg(errp, "%s", why);
            return true;
        }
    }
    return false;
}

bool fltvm_checkpoint_choose(unsigned number, const char *text, Error **errp)
{
    FltvmCheckpointGuest *guest;
    unsigned count = 0;

    QTAILQ_FOREACH(guest, &guests, entry) {
        if (count++ == number) {
            return guest->choose(guest->opaque, text, errp);
        }
    }
    error_setg(errp, "there is no disk %u", number);
    return false;
}

bool fltvm_checkpoint_saved(void)
{
    return saved.there;
}

bool fltvm_checkpoint_save(Error **errp)
{
    FltvmCheckpointGuest *guest;
    GByteArray *devices;

    if (!memory_global_dirty_log_start(GLOBAL_DIRTY_MIGRATION, errp)) {
        return false;
    }
    save_cpus();
    devices = save_devices(errp);
    if (!devices) {
        return false;
    }
    if (saved.devices) {
        g_byte_array_unref(saved.devices);
    }
    saved.devices = devices;
    g_clear_pointer(&saved.timers, g_array_unref);
    saved.timers = qemu_clock_save_timers(QEMU_CLOCK_VIRTUAL);
    g_clear_pointer(&saved.random, g_rand_free);
    saved.random = qemu_guest_random_save();
    saved.seed = timers_state.sched_seed;
    save_ram();
    QTAILQ_FOREACH(guest, &guests, entry) {
        guest->begin(guest->opaque);
    }
    fltvm_checkpoint_settle();
    saved.there = true;
    trace_fltvm_checkpoint_save(saved.devices->len, saved.timers->len);
    return true;
}

bool fltvm_checkpoint_restore(bool verify, Error **errp)
{
    FltvmCheckpointGuest *guest;
    int64_t begin = get_clock();

    if (!saved.there) {
        error_setg(errp, "there is no checkpoint");
        return false;
    }
    if (!load_devices(errp)) {
        return false;
    }
    QTAILQ_FOREACH(guest, &guests, entry) {
        if (!guest->restore(guest->opaque, errp)) {
            return false;
        }
    }
    restore_ram();
    for (guint i = 0; i < saved.cpus->len; i++) {
        restore_cpu(&g_array_index(saved.cpus, SavedCpu, i));
    }
    qemu_clock_restore_timers(QEMU_CLOCK_VIRTUAL, saved.timers);
    qemu_guest_random_restore(saved.random);
    timers_state.sched_seed = saved.seed;
    fltvm_checkpoint_settle();
    trace_fltvm_checkpoint_restore(pages_restored, get_clock() - begin);
    if (verify && (!verify_ram(errp) || !verify_devices(errp))) {
        return false;
    }
    if (verify) {
        /* Saving has brought the processors' fields into another form. */
        for (guint i = 0; i < saved.cpus->len; i++) {
            restore_cpu(&g_array_index(saved.cpus, SavedCpu, i));
        }
    }
    return true;
}
