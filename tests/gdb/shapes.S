/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shapes a compiler does not make here: chained unwind information, and a trap with its machine frame. */
    .intel_syntax noprefix
    .text

/* u64 Chained(u64): the middle part saves more registers, and has an entry of its own, chained to the first. */
    .globl Chained
    .def Chained; .scl 2; .type 32; .endef
    .seh_proc Chained
Chained:
    push rbx
    .seh_pushreg rbx
    sub rsp, 0x40
    .seh_stackalloc 0x40
    .seh_endprologue
    mov rbx, rcx
    .seh_startchained
    mov [rsp + 0x30], rsi
    .seh_savereg rsi, 0x30
    mov [rsp + 0x38], r12
    .seh_savereg r12, 0x38
    .seh_endprologue
    mov rsi, 0x1111
    mov r12, 0x2222
    jmp Chained_call
    nop
Chained_call:
    call Helper
    add rbx, rsi
    mov rax, rbx
    mov rsi, [rsp + 0x30]
    mov r12, [rsp + 0x38]
    add rsp, 0x40
    pop rbx
    ret
    .seh_endchained
    .seh_endproc

    .globl Helper
    .def Helper; .scl 2; .type 32; .endef
    .seh_proc Helper
Helper:
    push rbp
    .seh_pushreg rbp
    sub rsp, 0x90
    .seh_stackalloc 0x90
    lea rbp, [rsp + 0x80]
    .seh_setframe rbp, 0x80
    movaps [rbp - 0x20], xmm7
    .seh_savexmm xmm7, 0x60
    .seh_endprologue
    sub rsp, 0x100
    mov rcx, 5
    nop
    movaps xmm7, [rbp - 0x20]
    lea rsp, [rbp + 0x10]
    pop rbp
    ret
    .seh_endproc

/* u64 Trap(u64): interrupts itself, as a processor would, in the middle of its body. */
    .globl Trap
    .def Trap; .scl 2; .type 32; .endef
    .seh_proc Trap
Trap:
    push rdi
    .seh_pushreg rdi
    sub rsp, 0x20
    .seh_stackalloc 0x20
    .seh_endprologue
    mov rdi, rcx
    lea rdx, [rip + Trap_resume]
    mov r8, rsp
    mov eax, ss
    .globl Trap_push
Trap_push: /* unwind.py lets these pass: no processor is ever seen between them */
    push rax
    push r8
    pushfq
    mov eax, cs
    push rax
    push rdx
    jmp TrapEntry
    .globl Trap_resume
Trap_resume:
    lea rax, [rdi + 2]
    add rsp, 0x20
    pop rdi
    ret
    .seh_endproc

    .globl TrapEntry
    .def TrapEntry; .scl 2; .type 32; .endef
    .seh_proc TrapEntry
TrapEntry:
    .seh_pushframe
    push rbp
    .seh_pushreg rbp
    sub rsp, 0x40
    .seh_stackalloc 0x40
    lea rbp, [rsp + 0x20]
    .seh_setframe rbp, 0x20
    .seh_endprologue
    call Helper
    add rsp, 0x40
    pop rbp
    iretq
    .seh_endproc

    .globl __chkstk
__chkstk:
    ret
