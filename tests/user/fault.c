// SPDX-License-Identifier: GPL-2.0-or-later
/* A program that ends by a fault: which one, its image says. */
#include <ntifs.h>

NTSTATUS Main(PVOID Peb);
ULONG NTAPI DbgPrint(PCSTR Format, ...);

#pragma clang diagnostic ignored "-Winfinite-recursion"
static __attribute__((noinline)) ULONG Endless(volatile UCHAR *Above)
{
    volatile UCHAR Room[1000];

    Room[0] = *Above;
    return Endless(Room) + Room[0];
}

static UCHAR Data[16] = {0xC3};

NTSTATUS Main(PVOID Peb)
{
    volatile ULONG Zero = 0;
    UCHAR First = 0;

    UNREFERENCED_PARAMETER(Peb);
#if FAULT == 1
    *(volatile ULONG *)8 = 1;
#elif FAULT == 2
    return *(volatile LONG *)0xFFFF800000000000;
#elif FAULT == 3
    ((void (*)(void))0xFFFFF80000201000)();
#elif FAULT == 4
    ((void (*)(void))(ULONG_PTR)Data)();
#elif FAULT == 5
    return (NTSTATUS)Endless(&First);
#elif FAULT == 6
    return (NTSTATUS)(*(volatile UCHAR *)Peb / Zero);
#elif FAULT == 7
    __asm__ volatile("hlt");
#elif FAULT == 8
    __asm__ volatile("ud2");
#elif FAULT == 9
    __asm__ volatile("int3");
#elif FAULT == 10
    __asm__ volatile("mov $5, %ecx; int $0x29");
#elif FAULT == 11
    __asm__ volatile("xor %esp, %esp; syscall; push %rax");
#elif FAULT == 12
    __asm__ volatile("std; mov $0x247FD7, %eax; push %rax; popfq; mov $99, %eax; syscall; mov %rax, 0");
#elif FAULT == 13
    for (;;)
        Zero++;
#endif
    return (NTSTATUS)(Zero + First + Data[1]);
}
