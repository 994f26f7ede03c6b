/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The context switch.  Both sides run with the dispatcher lock held at DISPATCH_LEVEL; whoever is switched to
 * releases it.  A switched-out stack can be walked: its top is KiSwapContext's frame.
 */
        .intel_syntax noprefix
        .set KtKernelStack, 0x58

        .text

/* VOID KiSwapContext(PKTHREAD Old, PKTHREAD New) */
        .p2align 4
        .globl KiSwapContext
        .def KiSwapContext
        .scl 2
        .type 32
        .endef
        .seh_proc KiSwapContext
KiSwapContext:
        sub rsp, 0xE8
        .seh_stackalloc 0xE8
        movaps [rsp], xmm6
        .seh_savexmm xmm6, 0
        movaps [rsp + 0x10], xmm7
        .seh_savexmm xmm7, 0x10
        movaps [rsp + 0x20], xmm8
        .seh_savexmm xmm8, 0x20
        movaps [rsp + 0x30], xmm9
        .seh_savexmm xmm9, 0x30
        movaps [rsp + 0x40], xmm10
        .seh_savexmm xmm10, 0x40
        movaps [rsp + 0x50], xmm11
        .seh_savexmm xmm11, 0x50
        movaps [rsp + 0x60], xmm12
        .seh_savexmm xmm12, 0x60
        movaps [rsp + 0x70], xmm13
        .seh_savexmm xmm13, 0x70
        movaps [rsp + 0x80], xmm14
        .seh_savexmm xmm14, 0x80
        movaps [rsp + 0x90], xmm15
        .seh_savexmm xmm15, 0x90
        mov [rsp + 0xA0], rbx
        .seh_savereg rbx, 0xA0
        mov [rsp + 0xA8], rbp
        .seh_savereg rbp, 0xA8
        mov [rsp + 0xB0], rdi
        .seh_savereg rdi, 0xB0
        mov [rsp + 0xB8], rsi
        .seh_savereg rsi, 0xB8
        mov [rsp + 0xC0], r12
        .seh_savereg r12, 0xC0
        mov [rsp + 0xC8], r13
        .seh_savereg r13, 0xC8
        mov [rsp + 0xD0], r14
        .seh_savereg r14, 0xD0
        mov [rsp + 0xD8], r15
        .seh_savereg r15, 0xD8
        .seh_endprologue
        mov [rcx + KtKernelStack], rsp
        mov rsp, [rdx + KtKernelStack]
        .globl KiSwapContextResume
KiSwapContextResume:
        movaps xmm6, [rsp]
        movaps xmm7, [rsp + 0x10]
        movaps xmm8, [rsp + 0x20]
        movaps xmm9, [rsp + 0x30]
        movaps xmm10, [rsp + 0x40]
        movaps xmm11, [rsp + 0x50]
        movaps xmm12, [rsp + 0x60]
        movaps xmm13, [rsp + 0x70]
        movaps xmm14, [rsp + 0x80]
        movaps xmm15, [rsp + 0x90]
        mov rbx, [rsp + 0xA0]
        mov rbp, [rsp + 0xA8]
        mov rdi, [rsp + 0xB0]
        mov rsi, [rsp + 0xB8]
        mov r12, [rsp + 0xC0]
        mov r13, [rsp + 0xC8]
        mov r14, [rsp + 0xD0]
        mov r15, [rsp + 0xD8]
        add rsp, 0xE8
        ret
        .seh_endproc

/*
 * A thread's first instruction.  KeInitThread left an 0xE8 byte frame (rbx: StartRoutine, rdi: StartContext,
 * rsi: SystemRoutine), this address and a zero, where a walk ends.
 */
        .p2align 4
        .globl KiThreadStartup
        .def KiThreadStartup
        .scl 2
        .type 32
        .endef
        .seh_proc KiThreadStartup
KiThreadStartup:
        sub rsp, 0x20
        .seh_stackalloc 0x20
        .seh_endprologue
        call KiBeginThread
        mov rcx, rbx
        mov rdx, rdi
        call rsi
        int3
        .seh_endproc

/*
 * KiCallOnStack(Callout, Parameter, StackBase): runs Callout(Parameter) on another stack.  rbp remembers this
 * one, for the way back and for the unwinder.
 */
        .p2align 4
        .globl KiCallOnStack
        .def KiCallOnStack
        .scl 2
        .type 32
        .endef
        .seh_proc KiCallOnStack
KiCallOnStack:
        push rbp
        .seh_pushreg rbp
        mov rbp, rsp
        .seh_setframe rbp, 0
        .seh_endprologue
        mov rsp, r8
        sub rsp, 0x20
        mov rax, rcx
        mov rcx, rdx
        call rax
        nop
        mov rsp, rbp
        pop rbp
        ret
        .seh_endproc

/* VOID KiLoadSegments(PVOID GdtDescriptor): reloads everything with the kernel's selectors. */
        .globl KiLoadSegments
KiLoadSegments:
        lgdt [rcx]
        mov eax, 0x18
        mov ss, eax
        mov eax, 0x2B
        mov ds, eax
        mov es, eax
        xor eax, eax
        mov fs, eax
        mov gs, eax
        mov eax, 0x40
        ltr ax
        pop rax
        push 0x10
        push rax
        rex64 retf
