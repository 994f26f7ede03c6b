/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bare guest: tests of QEMU's side alone, without the fltvm kernel.
 *
 * The first word of the kernel command line chooses one:
 *   exit      shut down at once; the floor under the start-to-exit benchmark
 *   spin N    N million instructions of arithmetic, for the cost of the scheduler
 *   schedule  4 CPUs race, idle, interrupt each other; prints a hash of what they saw
 *   pageable  the x-fltvm-pageable CPU property: TAP on the serial port
 *   translations  what the processors still know of a page that is mapped elsewhere; prints it
 */
#include <stdint.h>

#define MAX_CPUS            8
#define TRAMPOLINE          0x8000u
#define LAPIC(reg)          (*(volatile uint32_t *)(uintptr_t)(0xfee00000u + (reg)))
#define LAPIC_EOI           0xb0
#define LAPIC_SPURIOUS      0xf0
#define LAPIC_ICR_LOW       0x300
#define LAPIC_ICR_HIGH      0x310
#define LAPIC_TIMER         0x320
#define LAPIC_TIMER_INITIAL 0x380
#define LAPIC_TIMER_DIVIDE  0x3e0
#define VECTOR_IPI          0x40
#define VECTOR_TIMER        0x50
#define PTE_PAGEABLE        (1ull << 11)

/* boot.S */
extern uint64_t page_root[512], bare_faults, bare_fault_error, bare_fault_rip, bare_fault_address;
extern char bare_trampoline[], bare_trampoline_end[];
extern char bare_paged_code[], bare_paged_raise[], bare_paged_code_end[];
void bare_fault_stub(void);
void bare_stub_40(void);
void bare_stub_50(void);
int bare_try(void (*routine)(void));
void bare_main(uint32_t start_info);
void bare_ap(uint32_t cpu);
void bare_interrupt(uint32_t vector);

static uint64_t idt[256][2] __attribute__((aligned(16)));
static volatile uint32_t cpus_up, cpus_done;
static uint32_t seeds[MAX_CPUS];

static void outb(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}

static uint8_t inb(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static uint64_t rdtsc(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

static void write_cr8(uint64_t value)
{
    __asm__ volatile("mov %0, %%cr8" ::"r"(value) : "memory");
}

static void print(const char *text)
{
    for (; *text; text++) {
        while (!(inb(0x3fd) & 0x20)) {
        }
        outb(0x3f8, (uint8_t)*text);
    }
}

static void print_hex(uint64_t value)
{
    char text[17];
    for (int i = 0; i < 16; i++)
        text[i] = "0123456789abcdef"[value >> (60 - 4 * i) & 15];
    text[16] = 0;
    print(text);
}

static void power_off(void)
{
    *(volatile uint8_t *)0xfea00200 = 0x34; /* ACPI GED: sleep enable, S5 */
    for (;;)
        __asm__ volatile("cli; hlt");
}

static void set_gate(int vector, void (*stub)(void))
{
    uint64_t address = (uint64_t)(uintptr_t)stub;
    idt[vector][0] = (address & 0xffff) | 8ull << 16 | 0x8e00ull << 32 | (address >> 16 & 0xffff) << 48;
    idt[vector][1] = address >> 32;
}

static void load_idt(void)
{
    struct __attribute__((packed)) {
        uint16_t limit;
        uint64_t base;
    } pointer = {sizeof(idt) - 1, (uint64_t)(uintptr_t)idt};
    __asm__ volatile("lidt %0" ::"m"(pointer));
    LAPIC(LAPIC_SPURIOUS) = 0x1ff;
    LAPIC(LAPIC_TIMER_DIVIDE) = 11;
    LAPIC(LAPIC_TIMER) = VECTOR_TIMER;
}

/* ---- schedule ---- */

#define EVENTS 3000
static volatile uint32_t lock_word, unlocked_counter;
static volatile uint64_t trace_hash = 0x6c62272e07bb0142ull;
static volatile uint64_t interrupts[MAX_CPUS];

static uint32_t this_cpu(void)
{
    return LAPIC(0x20) >> 24;
}

static uint32_t random_of(uint32_t cpu)
{
    seeds[cpu] = seeds[cpu] * 1664525u + 1013904223u;
    return seeds[cpu] >> 8;
}

__attribute__((noinline)) static void record(uint32_t cpu, uint64_t what)
{
    uint64_t flags;
    __asm__ volatile("pushfq; pop %0; cli" : "=r"(flags)::"memory");
    while (__atomic_exchange_n(&lock_word, 1, __ATOMIC_ACQUIRE))
        __asm__ volatile("pause");
    trace_hash = (trace_hash ^ (rdtsc() << 12 | what << 4 | cpu)) * 0x100000001b3ull;
    __atomic_store_n(&lock_word, 0, __ATOMIC_RELEASE);
    if (flags & 0x200)
        __asm__ volatile("sti" ::: "memory");
}

void bare_interrupt(uint32_t vector)
{
    uint32_t cpu = this_cpu();
    interrupts[cpu]++;
    record(cpu, vector);
    LAPIC(LAPIC_EOI) = 0;
}

static void race(uint32_t cpu, uint32_t cpus)
{
    __asm__ volatile("sti");
    for (uint32_t i = 0; i < EVENTS; i++) {
        uint32_t dice = random_of(cpu);
        for (uint32_t n = dice % 700; n; n--) {
            uint32_t value = unlocked_counter;
            __asm__ volatile("inc %0" : "+r"(value));
            unlocked_counter = value;
        }
        record(cpu, unlocked_counter & 0xff);
        switch (dice >> 12 & 31) {
        case 0: /* idle until the timer: all CPUs may be idle at once */
            __asm__ volatile("cli");
            LAPIC(LAPIC_TIMER_INITIAL) = 500 + random_of(cpu) % 20000;
            __asm__ volatile("sti; hlt");
            break;
        case 1:
        case 2: /* interrupt another */
            LAPIC(LAPIC_ICR_HIGH) = random_of(cpu) % cpus << 24;
            LAPIC(LAPIC_ICR_LOW) = 0x4000 | VECTOR_IPI;
            break;
        }
    }
    __atomic_add_fetch(&cpus_done, 1, __ATOMIC_SEQ_CST);
}

static void run_other(uint32_t cpu)
{
    race(cpu, 4);
}

static void (*other_routine)(uint32_t cpu) = run_other;

void bare_ap(uint32_t cpu)
{
    load_idt();
    __atomic_add_fetch(&cpus_up, 1, __ATOMIC_SEQ_CST);
    other_routine(cpu);
    for (;;)
        __asm__ volatile("sti; hlt");
}

static void start_others(uint32_t count)
{
    for (char *from = bare_trampoline, *to = (char *)(uintptr_t)TRAMPOLINE; from < bare_trampoline_end;)
        *to++ = *from++;
    cpus_up = 1;
    LAPIC(LAPIC_ICR_LOW) = 0xc4500; /* INIT, then STARTUP, to all others */
    LAPIC(LAPIC_ICR_LOW) = 0xc4600 | TRAMPOLINE >> 12;
    while (cpus_up < count)
        __asm__ volatile("pause");
}

static void run_schedule(void)
{
    for (uint32_t i = 0; i < MAX_CPUS; i++)
        seeds[i] = i * 77777 + 1;
    start_others(4);
    race(0, 4);
    while (cpus_done < 4)
        __asm__ volatile("pause");
    __asm__ volatile("cli");
    print_hex(trace_hash ^ unlocked_counter);
    print(" ");
    print_hex(rdtsc());
    print(" ");
    print_hex(unlocked_counter);
    print("\n");
}

/* ---- pageable ---- */

static uint64_t table3[512] __attribute__((aligned(4096)));
static uint64_t table2[512] __attribute__((aligned(4096)));
static uint64_t table1[512] __attribute__((aligned(4096)));
static uint8_t small_page[4096] __attribute__((aligned(4096)));
static uint32_t test_number;

/* Virtual addresses: slot 1 of the root; a 4 KiB page, the same not pageable, a pageable 2 MiB page. */
#define WINDOW      (1ull << 39)
#define PAGED       (*(volatile uint64_t *)WINDOW)
#define RESIDENT    (*(volatile uint64_t *)(WINDOW + 0x1000))
#define PAGED_LARGE (*(volatile uint64_t *)(WINDOW + 0x200000))

static void read_paged(void)
{
    (void)PAGED;
}
static void write_paged(void)
{
    PAGED = 0;
}
static void increment_paged(void)
{
    __asm__ volatile("lock incq %0" : "+m"(PAGED));
}
static void read_resident(void)
{
    (void)RESIDENT;
}
static void read_large(void)
{
    (void)PAGED_LARGE;
}
static void call_paged(void)
{
    ((void (*)(void))(WINDOW + 0x800))();
}
static void raise_on_paged(void)
{
    ((void (*)(void))(WINDOW + 0x810))();
}
static void string_paged(void)
{
    uint64_t count = 8;
    void *to = (void *)WINDOW;
    __asm__ volatile("rep stosb" : "+c"(count), "+D"(to) : "a"(0) : "memory");
}

static void report(int ok, const char *name)
{
    char number[4] = {0, 0, ' ', 0};

    test_number++;
    number[0] = (char)('0' + test_number / 10);
    number[1] = (char)('0' + test_number % 10);
    print(ok ? "ok " : "not ok ");
    print(number);
    print(name);
    print("\n");
}

static void expect(void (*routine)(void), uint64_t irql, int fault, uint64_t error, uint64_t address, const char *name)
{
    bare_fault_error = bare_fault_address = ~0ull;
    write_cr8(irql);
    int faulted = bare_try(routine);
    write_cr8(0);
    report(faulted == fault && (!fault || (bare_fault_error == error && bare_fault_address == address)), name);
}

static void run_pageable(int on)
{
    uint64_t small = (uint64_t)(uintptr_t)small_page;
    page_root[1] = (uint64_t)(uintptr_t)table3 | 3;
    table3[0] = (uint64_t)(uintptr_t)table2 | 3;
    table2[0] = (uint64_t)(uintptr_t)table1 | 3;
    table2[1] = 0x200000 | 0x83 | PTE_PAGEABLE;
    table1[0] = small | 3 | PTE_PAGEABLE;
    table1[1] = small | 3;
    for (int i = 0; i < bare_paged_code_end - bare_paged_code; i++)
        small_page[0x800 + i] = (uint8_t)bare_paged_code[i];
    set_gate(14, bare_fault_stub);
    load_idt();

    print("TAP version 13\n1..21\n");
    expect(read_paged, 0, 0, 0, 0, "read at 0");
    expect(write_paged, 0, 0, 0, 0, "write at 0");
    expect(call_paged, 0, 0, 0, 0, "call at 0");
    expect(read_large, 0, 0, 0, 0, "read of a large page at 0");
    expect(read_paged, 1, 0, 0, 0, "read at 1");
    expect(call_paged, 1, 0, 0, 0, "call at 1");
    for (uint64_t irql = 2; irql <= 15; irql += 13) {
        expect(read_paged, irql, on, 0, WINDOW, "read at 2 and 15");
        expect(write_paged, irql, on, 2, WINDOW, "write at 2 and 15");
        expect(call_paged, irql, on, 0x10, WINDOW + 0x800, "call at 2 and 15");
        expect(read_large, irql, on, 0, WINDOW + 0x200000, "read of a large page at 2 and 15");
    }
    expect(increment_paged, 2, on, 0, WINDOW, "locked increment at 2"); /* one-threaded TCG loads first */
    expect(string_paged, 2, on, 2, WINDOW, "string store at 2");
    expect(read_resident, 2, 0, 0, 0, "read of the resident alias at 2");
    expect(raise_on_paged, 0, on, 0x10, WINDOW + 0x819, "IRQL raised while on the page");
    expect(read_paged, 0, 0, 0, 0, "read at 0 again");
    expect(call_paged, 0, 0, 0, 0, "call at 0 again");
    /* Chained blocks: many rounds through the same code on both sides. */
    uint64_t before = bare_faults;
    for (int i = 0; i < 1000; i++) {
        write_cr8(i & 2);
        bare_try(read_paged);
    }
    write_cr8(0);
    report(bare_faults - before == (on ? 500 : 0), "a thousand rounds");
}

/* ---- translations ---- */

#define PHASES       50
#define ROUNDS_SMALL 1000
#define ROUNDS_LARGE 20

static uint8_t other_page[4096] __attribute__((aligned(4096)));
static volatile uint32_t step;
static volatile uint64_t seen;

static void wait_for(uint32_t wanted)
{
    while (step != wanted)
        __asm__ volatile("pause");
}

/* The second processor: what it reads, and reads again after the first has mapped another page there. */
static void look_twice(uint32_t cpu)
{
    (void)cpu;
    wait_for(1);
    seen = PAGED;
    step = 2;
    wait_for(3);
    seen = PAGED;
    step = 4;
}

static void flush_all(void)
{
    uint64_t root;
    __asm__ volatile("mov %%cr3, %0; mov %0, %%cr3" : "=r"(root)::"memory");
}

/* Whether the first page is still known as it was, though mapped elsewhere, when so many more have been read. */
static uint64_t read_stale(int pages)
{
    table1[0] = (uint64_t)(uintptr_t)small_page | 3;
    flush_all();
    (void)PAGED;
    table1[0] = (uint64_t)(uintptr_t)other_page | 3; /* and no INVLPG */
    for (int i = 1; i < pages; i++)
        (void)*(volatile uint64_t *)(WINDOW + (uint64_t)i * 4096);
    return PAGED;
}

static void run_translations(void)
{
    uint64_t hash = 0x6c62272e07bb0142ull;

    page_root[1] = (uint64_t)(uintptr_t)table3 | 3;
    table3[0] = (uint64_t)(uintptr_t)table2 | 3;
    table2[0] = (uint64_t)(uintptr_t)table1 | 3;
    for (int i = 0; i < 512; i++)
        table1[i] = (uint64_t)(uintptr_t)small_page | 3;
    *(volatile uint64_t *)small_page = 1;
    *(volatile uint64_t *)other_page = 2;
    other_routine = look_twice;
    start_others(2);
    step = 1;
    wait_for(2);
    print_hex(seen);
    table1[0] = (uint64_t)(uintptr_t)other_page | 3;
    __asm__ volatile("invlpg (%0)" ::"r"(WINDOW) : "memory");
    step = 3;
    wait_for(4);
    print(" ");
    print_hex(seen);
    for (int phase = 0; phase < PHASES; phase++) {
        for (int round = 0; round < ROUNDS_LARGE; round++)
            hash = (hash ^ read_stale(512)) * 0x100000001b3ull;
        for (int round = 0; round < ROUNDS_SMALL; round++)
            hash = (hash ^ read_stale(20)) * 0x100000001b3ull;
    }
    print(" ");
    print_hex(hash);
    print("\n");
}

/* ---- */

static void run_spin(uint32_t millions)
{
    uint64_t iterations = (uint64_t)millions * 500000;
    __asm__ volatile("1: dec %0; jnz 1b" : "+r"(iterations));
}

void bare_main(uint32_t start_info)
{
    const char *command = (const char *)(uintptr_t)*(uint64_t *)(uintptr_t)(start_info + 24);
    uint32_t number = 0;
    for (const char *c = command; *c; c++)
        if (*c >= '0' && *c <= '9')
            number = number * 10 + (uint32_t)(*c - '0');
    switch (command[0] << 8 | command[1]) {
    case 's' << 8 | 'p': run_spin(number); break;
    case 's' << 8 | 'c':
        set_gate(VECTOR_IPI, bare_stub_40);
        set_gate(VECTOR_TIMER, bare_stub_50);
        load_idt();
        run_schedule();
        break;
    case 'p' << 8 | 'a': run_pageable(number); break;
    case 't' << 8 | 'r': run_translations(); break;
    }
    power_off();
}
