/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who asks for a back trace: the caller's registers, for the workers in backtrace.c. */
        .intel_syntax noprefix
        .text

/*
 * USHORT RtlCaptureStackBackTrace(Skip, Count, Frames, Hash) and RtlNumberStack(Skip, Number): pass their
 * caller's pc, rsp and rbp on to the workers in backtrace.c.
 */
        .macro CAPTURE Name, Worker
        .globl \Name
        .def \Name; .scl 2; .type 32; .endef
        .seh_proc \Name
\Name:
        sub     rsp, 0x38
        .seh_stackalloc 0x38
        .seh_endprologue
        mov     rax, [rsp + 0x38]
        mov     [rsp + 0x20], rax
        lea     rax, [rsp + 0x40]
        mov     [rsp + 0x28], rax
        mov     [rsp + 0x30], rbp
        call    \Worker
        add     rsp, 0x38
        ret
        .seh_endproc
        .endm

        CAPTURE RtlCaptureStackBackTrace, RtlpCaptureBackTrace
        CAPTURE RtlNumberStack, RtlpNumberFrames
