/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PVH entry: 32-bit protected mode, paging off, EBX = struct hvm_start_info.
 * Builds page tables that show the first 4 GiB at their own address and in the direct map, enters long
 * mode and calls loader_main on a small stack.
 */
#include "boot.h"

        .section .note.Xen, "a", @note
        .align 4
        .long 4                 /* name size */
        .long 8                 /* descriptor size */
        .long 18                /* XEN_ELFNOTE_PHYS32_ENTRY */
        .asciz "Xen"
        .quad start32

        .text
        .code32
        .globl start32
start32:
        cld
        movl $stack_top, %esp
        movl %ebx, %esi

        /* Four directories of 512 pages of 2 MiB. */
        movl $start_pd, %edi
        movl $(FLTVM_PTE_PRESENT | FLTVM_PTE_WRITE | FLTVM_PTE_LARGE), %eax
1:      movl %eax, (%edi)
        movl $0, 4(%edi)
        addl $8, %edi
        addl $0x200000, %eax
        jnc 1b

        movl $start_pdpt, %edi
        movl $(start_pd + 3), %eax
        movl $4, %ecx
2:      movl %eax, (%edi)
        addl $8, %edi
        addl $0x1000, %eax
        loop 2b
        movl $(start_pdpt + 3), start_pml4
        movl $(start_pdpt + 3), start_pml4 + 8 * 256

        movl $start_pml4, %eax
        movl %eax, %cr3
        movl $0x620, %eax       /* PAE, OSFXSR, OSXMMEXCPT */
        movl %eax, %cr4
        movl $0xC0000080, %ecx
        rdmsr
        orl $0x900, %eax        /* LME, NXE */
        wrmsr
        movl $0x80010033, %eax  /* PG, WP, NE, ET, MP, PE */
        movl %eax, %cr0
        lgdt gdt_pointer
        ljmp $8, $start64

        .code64
start64:
        xorl %eax, %eax
        movl %eax, %ds
        movl %eax, %es
        movl %eax, %ss
        movl %eax, %fs
        movl %eax, %gs
        movl %esi, %edi
        call loader_main

/* loader_enter(entry, loader block, stack): the kernel speaks Microsoft's calling convention. */
        .globl loader_enter
loader_enter:
        movq %rdx, %rsp
        movq %rsi, %rcx
        subq $0x28, %rsp
        xorl %ebp, %ebp
        jmpq *%rdi

        .section .rodata
        .align 8
gdt:
        .quad 0
        .quad 0x00AF9B000000FFFF
gdt_pointer:
        .word 15
        .long gdt

        .bss
        .align 4096
        .globl start_pml4, start_pdpt, start_pd
start_pml4: .skip 4096
start_pdpt: .skip 4096
start_pd: .skip 4 * 4096
        .skip 8192
stack_top:
