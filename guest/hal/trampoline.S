/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trampoline: a processor's way from real mode to the kernel.  Runs as a copy in a page below 1 MiB; finds itself by
 * its code segment.  The start page table shows that page at its own address.
 */
        .section .rdata, "dr"
        .p2align 4
        .globl HalpTrampoline, HalpTrampolineData, HalpTrampolineEnd
HalpTrampoline:
        .code16
        cli
        cld
        movw %cs, %ax
        movw %ax, %ds
        movzwl %ax, %ebx
        shll $4, %ebx                           /* ebx: where this page is */
        leal (gdt - HalpTrampoline)(%ebx), %eax
        movl %eax, (gdt_pointer - HalpTrampoline + 2)
        leal (enter64 - HalpTrampoline)(%ebx), %eax
        movl %eax, (far_pointer - HalpTrampoline)
        movl (HalpTrampolineData - HalpTrampoline), %eax
        movl %eax, %cr3
        movl $0x620, %eax                       /* PAE, OSFXSR, OSXMMEXCPT */
        movl %eax, %cr4
        movl $0xC0000080, %ecx
        rdmsr
        orl $0x900, %eax                        /* LME, NXE */
        wrmsr
        lgdtl (gdt_pointer - HalpTrampoline)
        movl $0x80010033, %eax                  /* PG, WP, NE, ET, MP, PE */
        movl %eax, %cr0
        ljmpl *(far_pointer - HalpTrampoline)

        .code64
enter64:
        xorl %eax, %eax
        movl %eax, %ds
        movl %eax, %es
        movl %eax, %ss
        movl %eax, %fs
        movl %eax, %gs
        movl %ebx, %ebx
        movq (HalpTrampolineData - HalpTrampoline + 16)(%rbx), %rsp
        movl (HalpTrampolineData - HalpTrampoline + 4)(%rbx), %ecx
        movq (HalpTrampolineData - HalpTrampoline + 8)(%rbx), %rax
        movl $1, (HalpTrampolineData - HalpTrampoline + 24)(%rbx)
        xorl %ebp, %ebp
        jmpq *%rax

        .p2align 3
gdt:
        .quad 0
        .quad 0x00AF9B000000FFFF
gdt_pointer:
        .word 15
        .long 0
        .p2align 2
far_pointer:
        .long 0
        .word 8
        .p2align 3
HalpTrampolineData:
        .skip 32
HalpTrampolineEnd:
