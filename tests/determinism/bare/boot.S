/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bare guest's way up: PVH entry (32-bit, paging off), identity map of 4 GiB, long mode, bare_main.
 * Other processors come through the trampoline, which bare.c copies to TRAMPOLINE, and end in bare_ap.
 */
#define TRAMPOLINE 0x8000
#define STACK_SIZE 0x4000

    .section .note.pvh, "a", @note
    .long 4, 4, 18 /* XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz "Xen"
    .long start32

    .text
    .code32
    .globl start32
start32:
    cld
    mov %ebx, start_info
    /* Four page directories of 2 MiB pages: present, writable, large. */
    mov $page_directories, %edi
    mov $0x83, %eax
1:  mov %eax, (%edi)
    movl $0, 4(%edi)
    add $8, %edi
    add $0x200000, %eax
    cmp $page_directories + 4 * 4096, %edi
    jb 1b
    mov $page_directories + 3, %eax
    mov $page_pointers, %edi
2:  mov %eax, (%edi)
    add $8, %edi
    add $4096, %eax
    cmp $page_pointers + 32, %edi
    jb 2b
    movl $page_pointers + 3, page_root
    xor %esi, %esi /* processor 0 */
enter64:
    mov $page_root, %eax
    mov %eax, %cr3
    mov $0x6a0, %eax /* PAE, PGE, OSFXSR, OSXMMEXCPT */
    mov %eax, %cr4
    mov $0xc0000080, %ecx
    rdmsr
    or $0x900, %eax /* LME, NXE */
    wrmsr
    mov $0x80010013, %eax /* PG, WP, ET, MP, PE */
    mov %eax, %cr0
    lgdt gdt_pointer
    ljmp $8, $start64

    .code64
start64:
    mov $16, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov %esi, %edi
    inc %esi
    imul $STACK_SIZE, %esi, %eax
    lea stacks(%rax), %rsp
    test %edi, %edi
    jnz 1f
    mov start_info, %edi
    call bare_main
1:  call bare_ap
2:  hlt
    jmp 2b

    /* void bare_fault_stub: page faults continue at bare_resume, and tell what they were. */
    .globl bare_fault_stub
bare_fault_stub:
    popq bare_fault_error
    pushq %rax
    mov 8(%rsp), %rax
    mov %rax, bare_fault_rip
    mov %cr2, %rax
    mov %rax, bare_fault_address
    incq bare_faults
    mov bare_resume, %rax
    mov %rax, 8(%rsp)
    popq %rax
    iretq

    /* Everything else that interrupts: vector in bare_interrupt's argument. */
    .macro interrupt_stub vector
    .globl bare_stub_\vector
bare_stub_\vector:
    push %rdi
    mov $0x\vector, %edi
    jmp interrupt_common
    .endm
    interrupt_stub 40
    interrupt_stub 50
interrupt_common:
    push %rax
    push %rcx
    push %rdx
    push %rsi
    push %r8
    push %r9
    push %r10
    push %r11
    cld
    call bare_interrupt
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rsi
    pop %rdx
    pop %rcx
    pop %rax
    pop %rdi
    iretq

    /* int bare_try(void (*routine)(void)): 0 if it returned, 1 if it faulted */
    .globl bare_try
bare_try:
    push %rbx
    push %rbp
    mov %rsp, bare_try_rsp
    movq $1f, bare_resume
    call *%rdi
    pop %rbp
    pop %rbx
    xor %eax, %eax
    ret
1:  mov bare_try_rsp, %rsp
    pop %rbp
    pop %rbx
    mov $1, %eax
    ret

    /* What runs on a pageable page; copied there. */
    .globl bare_paged_code, bare_paged_code_end, bare_paged_raise
bare_paged_code:
    ret
    .org bare_paged_code + 16
bare_paged_raise: /* raises the IRQL while it runs on the page: the next instruction must fault */
    mov $2, %eax
    mov %rax, %cr8
    nop
    ret
bare_paged_code_end:

    .code16
    .globl bare_trampoline, bare_trampoline_end
bare_trampoline:
    cli
    xor %ax, %ax
    mov %ax, %ds
    lgdtl gdt_pointer_copy - bare_trampoline + TRAMPOLINE
    mov $1, %eax
    mov %eax, %cr0
    ljmpl $24, $ap32 - bare_trampoline + TRAMPOLINE
    .code32
ap32:
    mov $16, %eax
    mov %eax, %ds
    mov 0xfee00020, %esi
    shr $24, %esi
    jmp *enter64_pointer - bare_trampoline + TRAMPOLINE
    .balign 8
gdt_pointer_copy:
    .word 31
    .long gdt
enter64_pointer:
    .long enter64
bare_trampoline_end:

    .data
    .balign 8
gdt:
    .quad 0
    .quad 0x00af9b000000ffff /* 8: 64-bit code */
    .quad 0x00cf93000000ffff /* 16: data */
    .quad 0x00cf9b000000ffff /* 24: 32-bit code */
gdt_pointer:
    .word 31
    .quad gdt
    .globl start_info
start_info:
    .long 0
    .globl bare_faults, bare_fault_error, bare_fault_rip, bare_fault_address
bare_faults: .quad 0
bare_fault_error: .quad 0
bare_fault_rip: .quad 0
bare_fault_address: .quad 0
bare_resume: .quad 0
bare_try_rsp: .quad 0

    .bss
    .balign 4096
    .globl page_root
page_root: .skip 4096
page_pointers: .skip 4096
page_directories: .skip 4 * 4096
stacks: .skip 8 * STACK_SIZE
