/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entry from and exit to interrupted code.
 *
 * Interrupts (vectors 20h to FFh) save the volatile registers in a KTRAP_FRAME and set CR8 to the vector's
 * level.  Exceptions (0 to 1Fh, 2Ch, 2Dh) save the non-volatile ones too, in a KEXCEPTION_FRAME below it, so that a
 * handler can look at and change all of them.  Both describe themselves to the unwinder as machine
 * frames: a stack walk goes through.
 */
        .intel_syntax noprefix

        .set TfVector, 0x2B
        .set TfIrql, 0x29
        .set TfMxCsr, 0x2C
        .set TfRax, 0x30
        .set TfRcx, 0x38
        .set TfRdx, 0x40
        .set TfR8, 0x48
        .set TfR9, 0x50
        .set TfR10, 0x58
        .set TfR11, 0x60
        .set TfXmm, 0x70
        .set TfFault, 0xD0
        .set TfRbx, 0x140
        .set TfRdi, 0x148
        .set TfRsi, 0x150
        .set TfRbp, 0x158
        .set TfError, 0x160
        .set TfRip, 0x168
        .set TfCs, 0x170
        .set TfEFlags, 0x178
        .set TfRsp, 0x180
        .set TfSs, 0x188
        .set PcUserRsp, 0x10
        .set PcMxCsr, 0x180
        .set PcThread, 0x188
        .set PcRspBase, 0x1A8
        .set KtUserApcPending, 0xC2
        .set EfXmm, 0x20
        .set EfR12, 0xC0
        .set EfSize, 0xE0

        .macro SAVE_VOLATILE base
        mov [rsp + \base + TfRax], rax
        mov [rsp + \base + TfRcx], rcx
        mov [rsp + \base + TfRdx], rdx
        mov [rsp + \base + TfR8], r8
        mov [rsp + \base + TfR9], r9
        mov [rsp + \base + TfR10], r10
        mov [rsp + \base + TfR11], r11
        movaps [rsp + \base + TfXmm], xmm0
        movaps [rsp + \base + TfXmm + 0x10], xmm1
        movaps [rsp + \base + TfXmm + 0x20], xmm2
        movaps [rsp + \base + TfXmm + 0x30], xmm3
        movaps [rsp + \base + TfXmm + 0x40], xmm4
        movaps [rsp + \base + TfXmm + 0x50], xmm5
        .endm

        .macro RESTORE_VOLATILE base
        movaps xmm0, [rsp + \base + TfXmm]
        movaps xmm1, [rsp + \base + TfXmm + 0x10]
        movaps xmm2, [rsp + \base + TfXmm + 0x20]
        movaps xmm3, [rsp + \base + TfXmm + 0x30]
        movaps xmm4, [rsp + \base + TfXmm + 0x40]
        movaps xmm5, [rsp + \base + TfXmm + 0x50]
        movzx eax, byte ptr [rsp + \base + TfIrql]
        mov cr8, rax
        mov rax, [rsp + \base + TfRax]
        mov rcx, [rsp + \base + TfRcx]
        mov rdx, [rsp + \base + TfRdx]
        mov r8, [rsp + \base + TfR8]
        mov r9, [rsp + \base + TfR9]
        mov r10, [rsp + \base + TfR10]
        mov r11, [rsp + \base + TfR11]
        .endm

        .text

/* The stubs: eight bytes each, they push the vector where an error code would be. */
        .globl KiInterruptStubs
        .p2align 4
        .skip 8, 0xCC
        .byte 0x6A, 0x1F                /* APC_LEVEL's, eight bytes before the first */
        jmp KiInterruptCommon
        .p2align 3
KiInterruptStubs:
        .set vector, 0x20
        .rept 0xE0
        .p2align 3
        .byte 0x6A, vector & 0xFF       /* push imm8, sign-extended: only its low byte counts */
        jmp KiInterruptCommon
        .set vector, vector + 1
        .endr

        .p2align 4
        .globl KiInterruptCommon
        .def KiInterruptCommon
        .scl 2
        .type 32
        .endef
        .seh_proc KiInterruptCommon
KiInterruptCommon:
        .seh_pushframe @code
        sub rsp, 0x160
        .seh_stackalloc 0x160
        .seh_endprologue
        test byte ptr [rsp + TfCs], 1
        jnz .LInterruptFromUser
.LInterruptKernel:
        SAVE_VOLATILE 0
        mov [rsp + TfRbp], rbp
        movzx edx, byte ptr [rsp + TfError]
        mov rax, cr8
        mov [rsp + TfIrql], al
        mov [rsp + TfVector], dl
        mov eax, edx
        shr eax, 4
        mov cr8, rax
        mov rcx, rsp
        cld
        call KiDispatchVector
        test byte ptr [rsp + TfCs], 1
        jnz KiUserExit
        RESTORE_VOLATILE 0
        add rsp, 0x168
        iretq
.LInterruptFromUser:
        swapgs
        stmxcsr [rsp + TfMxCsr]
        ldmxcsr gs:[PcMxCsr]
        jmp .LInterruptKernel

/* To user mode, interrupts off, rsp at a trap frame whose volatile registers are all there. */
KiUserExit:
        mov rcx, gs:[PcThread]
        cmp byte ptr [rcx + KtUserApcPending], 0
        jne .LUserWork
        ldmxcsr [rsp + TfMxCsr]
        RESTORE_VOLATILE 0
        swapgs
        add rsp, 0x168
        iretq
.LUserWork:
        mov rcx, rsp
        call KiBeforeUser
        jmp KiUserExit
        .seh_endproc

/* Exception stubs push a zero where the processor pushes no error code, then the vector. */
        .macro EXCEPTION number, error=0
        .globl KiTrap\number
KiTrap\number:
        .if \error == 0
        push 0
        .endif
        push 0x\number
        jmp KiExceptionCommon
        .endm

        EXCEPTION 00
        EXCEPTION 01
        EXCEPTION 02
        EXCEPTION 03
        EXCEPTION 04
        EXCEPTION 05
        EXCEPTION 06
        EXCEPTION 07
        EXCEPTION 08, 1
        EXCEPTION 09
        EXCEPTION 0A, 1
        EXCEPTION 0B, 1
        EXCEPTION 0C, 1
        EXCEPTION 0D, 1
        EXCEPTION 0E, 1
        EXCEPTION 10
        EXCEPTION 11, 1
        EXCEPTION 12
        EXCEPTION 13
        EXCEPTION 29
        EXCEPTION 2C
        EXCEPTION 2D

        .p2align 4
        .globl KiExceptionCommon
        .def KiExceptionCommon
        .scl 2
        .type 32
        .endef
        .seh_proc KiExceptionCommon
KiExceptionCommon:
        .seh_pushframe @code
        sub rsp, 0x158 + EfSize
        .seh_stackalloc 0x240   /* the vector's slot included */
        mov [rsp + EfSize + TfRax], rax
        mov eax, [rsp + EfSize + TfRbp]
        mov [rsp + EfSize + TfVector], al
        mov rax, [rsp + EfSize + TfRax]
        mov [rsp + EfSize + TfRbp], rbp
        .seh_savereg rbp, 0x238
        mov [rsp + EfSize + TfRbx], rbx
        .seh_savereg rbx, 0x220
        mov [rsp + EfSize + TfRdi], rdi
        .seh_savereg rdi, 0x228
        mov [rsp + EfSize + TfRsi], rsi
        .seh_savereg rsi, 0x230
        mov [rsp + EfR12], r12
        .seh_savereg r12, 0xC0
        mov [rsp + EfR12 + 8], r13
        .seh_savereg r13, 0xC8
        mov [rsp + EfR12 + 16], r14
        .seh_savereg r14, 0xD0
        mov [rsp + EfR12 + 24], r15
        .seh_savereg r15, 0xD8
        movaps [rsp + EfXmm], xmm6
        .seh_savexmm xmm6, 0x20
        movaps [rsp + EfXmm + 0x10], xmm7
        .seh_savexmm xmm7, 0x30
        movaps [rsp + EfXmm + 0x20], xmm8
        .seh_savexmm xmm8, 0x40
        movaps [rsp + EfXmm + 0x30], xmm9
        .seh_savexmm xmm9, 0x50
        movaps [rsp + EfXmm + 0x40], xmm10
        .seh_savexmm xmm10, 0x60
        movaps [rsp + EfXmm + 0x50], xmm11
        .seh_savexmm xmm11, 0x70
        movaps [rsp + EfXmm + 0x60], xmm12
        .seh_savexmm xmm12, 0x80
        movaps [rsp + EfXmm + 0x70], xmm13
        .seh_savexmm xmm13, 0x90
        movaps [rsp + EfXmm + 0x80], xmm14
        .seh_savexmm xmm14, 0xA0
        movaps [rsp + EfXmm + 0x90], xmm15
        .seh_savexmm xmm15, 0xB0
        .seh_endprologue
        SAVE_VOLATILE EfSize
        stmxcsr [rsp + EfSize + TfMxCsr]
        test byte ptr [rsp + EfSize + TfCs], 1
        jz 1f
        swapgs
        ldmxcsr gs:[PcMxCsr]
1:
        mov rax, cr2
        mov [rsp + EfSize + TfFault], rax
        mov rax, cr8
        mov [rsp + EfSize + TfIrql], al
        lea rcx, [rsp + EfSize]
        mov rdx, rsp
        cld
        call KiDispatchTrap
        test byte ptr [rsp + EfSize + TfCs], 1
        jz 3f
2:
        cli
        mov rcx, gs:[PcThread]
        cmp byte ptr [rcx + KtUserApcPending], 0
        je 3f
        cmp byte ptr [rsp + EfSize + TfVector], 2
        je 3f                           /* on a stack that is not the thread's */
        sti
        lea rcx, [rsp + EfSize]
        mov rdx, rsp
        call KiUserWork
        jmp 2b
3:
        ldmxcsr [rsp + EfSize + TfMxCsr]
        RESTORE_VOLATILE EfSize
        mov rbx, [rsp + EfSize + TfRbx]
        mov rdi, [rsp + EfSize + TfRdi]
        mov rsi, [rsp + EfSize + TfRsi]
        mov rbp, [rsp + EfSize + TfRbp]
        mov r12, [rsp + EfR12]
        mov r13, [rsp + EfR12 + 8]
        mov r14, [rsp + EfR12 + 16]
        mov r15, [rsp + EfR12 + 24]
        movaps xmm6, [rsp + EfXmm]
        movaps xmm7, [rsp + EfXmm + 0x10]
        movaps xmm8, [rsp + EfXmm + 0x20]
        movaps xmm9, [rsp + EfXmm + 0x30]
        movaps xmm10, [rsp + EfXmm + 0x40]
        movaps xmm11, [rsp + EfXmm + 0x50]
        movaps xmm12, [rsp + EfXmm + 0x60]
        movaps xmm13, [rsp + EfXmm + 0x70]
        movaps xmm14, [rsp + EfXmm + 0x80]
        movaps xmm15, [rsp + EfXmm + 0x90]
        test byte ptr [rsp + EfSize + TfCs], 1
        jz 4f
        swapgs
4:
        add rsp, EfSize + 0x168
        iretq
        .seh_endproc

/*
 * The system call of user mode: eax is the service, r10, rdx, r8, r9 the first arguments, the others stand on the user's
 * stack.  rcx and r11 are the processor's.  What of the volatile registers the kernel has used is cleared.
 */
        .p2align 4
        .globl KiSystemCall64
        .def KiSystemCall64
        .scl 2
        .type 32
        .endef
        .seh_proc KiSystemCall64
KiSystemCall64:
        .seh_pushframe
        swapgs
        mov gs:[PcUserRsp], rsp
        mov rsp, gs:[PcRspBase]
        sub rsp, 0x190
        .seh_stackalloc 0x168
        .seh_endprologue
        mov [rsp + TfRip], rcx
        mov qword ptr [rsp + TfCs], 0x33
        mov [rsp + TfEFlags], r11
        mov rcx, gs:[PcUserRsp]
        mov [rsp + TfRsp], rcx
        mov qword ptr [rsp + TfSs], 0x2B
        mov [rsp + TfRbp], rbp
        mov [rsp + TfRax], rax
        mov [rsp + TfRcx], r10
        mov [rsp + TfRdx], rdx
        mov [rsp + TfR8], r8
        mov [rsp + TfR9], r9
        mov byte ptr [rsp + TfIrql], 0
        stmxcsr [rsp + TfMxCsr]
        ldmxcsr gs:[PcMxCsr]
        sti
        cld
        mov rcx, rsp
        call KiSystemService
        cli
        xor edx, edx
        xor r8d, r8d
        xor r9d, r9d
        xor r10d, r10d
        pxor xmm0, xmm0
        pxor xmm1, xmm1
        pxor xmm2, xmm2
        pxor xmm3, xmm3
        pxor xmm4, xmm4
        pxor xmm5, xmm5
        mov rcx, gs:[PcThread]
        cmp byte ptr [rcx + KtUserApcPending], 0
        jne 1f
        ldmxcsr [rsp + TfMxCsr]
        mov rcx, [rsp + TfRip]
        mov r11, [rsp + TfEFlags]
        mov rsp, [rsp + TfRsp]
        swapgs
        sysretq
1:
        xor ecx, ecx
        xor r11d, r11d
        SAVE_VOLATILE 0
        jmp KiUserExit
        .seh_endproc

/*
 * VOID KiEnterUser(PKTRAP_FRAME Frame, PVOID StackBase): from a frame that lies on the stack, which is given up, to its
 * top, from the last word on because they may overlap.  Interrupts off.
 */
        .globl KiEnterUser
KiEnterUser:
        lea rsi, [rcx + 0x188]
        lea rdi, [rdx - 8]
        mov ecx, 0x32
        std
        rep movsq
        cld
        lea rsp, [rdi + 8]
        xor ebx, ebx
        xor ebp, ebp
        xor edi, edi
        xor esi, esi
        xor r12d, r12d
        xor r13d, r13d
        xor r14d, r14d
        xor r15d, r15d
        jmp KiUserExit

/* VOID KiBeforeUser(PKTRAP_FRAME Frame): KiUserWork with all registers, interrupts on meanwhile. */
        .p2align 4
        .def KiBeforeUser
        .scl 3
        .type 32
        .endef
        .seh_proc KiBeforeUser
KiBeforeUser:
        sub rsp, EfSize + 8
        .seh_stackalloc EfSize + 8
        .seh_endprologue
        mov [rcx + TfRbx], rbx
        mov [rcx + TfRdi], rdi
        mov [rcx + TfRsi], rsi
        mov [rcx + TfRbp], rbp
        mov [rsp + EfR12], r12
        mov [rsp + EfR12 + 8], r13
        mov [rsp + EfR12 + 16], r14
        mov [rsp + EfR12 + 24], r15
        movaps [rsp + EfXmm], xmm6
        movaps [rsp + EfXmm + 0x10], xmm7
        movaps [rsp + EfXmm + 0x20], xmm8
        movaps [rsp + EfXmm + 0x30], xmm9
        movaps [rsp + EfXmm + 0x40], xmm10
        movaps [rsp + EfXmm + 0x50], xmm11
        movaps [rsp + EfXmm + 0x60], xmm12
        movaps [rsp + EfXmm + 0x70], xmm13
        movaps [rsp + EfXmm + 0x80], xmm14
        movaps [rsp + EfXmm + 0x90], xmm15
        mov rdx, rsp
        mov rbx, rcx
        xor eax, eax
        mov cr8, rax
        sti
        call KiUserWork
        cli
        mov rcx, rbx
        mov rbx, [rcx + TfRbx]
        mov rdi, [rcx + TfRdi]
        mov rsi, [rcx + TfRsi]
        mov rbp, [rcx + TfRbp]
        mov r12, [rsp + EfR12]
        mov r13, [rsp + EfR12 + 8]
        mov r14, [rsp + EfR12 + 16]
        mov r15, [rsp + EfR12 + 24]
        movaps xmm6, [rsp + EfXmm]
        movaps xmm7, [rsp + EfXmm + 0x10]
        movaps xmm8, [rsp + EfXmm + 0x20]
        movaps xmm9, [rsp + EfXmm + 0x30]
        movaps xmm10, [rsp + EfXmm + 0x40]
        movaps xmm11, [rsp + EfXmm + 0x50]
        movaps xmm12, [rsp + EfXmm + 0x60]
        movaps xmm13, [rsp + EfXmm + 0x70]
        movaps xmm14, [rsp + EfXmm + 0x80]
        movaps xmm15, [rsp + EfXmm + 0x90]
        add rsp, EfSize + 8
        ret
        .seh_endproc

/* Entry points by vector, 00h to 2Fh; zero where there is none of its own. */
        .section .rdata, "dr"
        .p2align 3
        .globl KiTrapTable
KiTrapTable:
        .quad KiTrap00, KiTrap01, KiTrap02, KiTrap03, KiTrap04, KiTrap05, KiTrap06, KiTrap07
        .quad KiTrap08, KiTrap09, KiTrap0A, KiTrap0B, KiTrap0C, KiTrap0D, KiTrap0E, 0
        .quad KiTrap10, KiTrap11, KiTrap12, KiTrap13, 0, 0, 0, 0
        .quad 0, 0, 0, 0, 0, 0, 0, 0
        .quad 0, 0, 0, 0, 0, 0, 0, 0
        .quad 0, KiTrap29, 0, 0, KiTrap2C, KiTrap2D, 0, 0
