/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the kernel has a thread go on in user mode, with what was interrupted on its stack: the context at rsp, an
 * exception's record at 4F0h, what the processor pushed at 590h (guest/ke/upcall.c).
 */
        .intel_syntax noprefix
        .text

        .macro DISPATCHER name
        .p2align 4
        .globl \name
        .def \name
        .scl 2
        .type 32
        .endef
        .seh_proc \name
\name:
        .seh_pushframe
        .seh_stackalloc 0x590
        .seh_endprologue
        .endm

        DISPATCHER KiUserApcDispatcher
        mov rcx, [rsp]
        mov rdx, [rsp + 0x08]
        mov r8, [rsp + 0x10]
        call qword ptr [rsp + 0x18]
        mov rcx, rsp
        mov edx, 1
        call NtContinue
        mov ecx, eax
        call RtlRaiseStatus
        int3
        .seh_endproc

        DISPATCHER KiUserExceptionDispatcher
        lea rcx, [rsp + 0x4F0]
        mov rdx, rsp
        call NtdllDispatchException
        int3
        .seh_endproc
