/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu: privileged instructions that clang has no built-ins for under the names of the public headers. */
#ifndef FLTVM_RTL_CPU_H
#define FLTVM_RTL_CPU_H

#define _disable()        __asm__ volatile("cli" : : : "memory")
#define _enable()         __asm__ volatile("sti" : : : "memory")
#define __invlpg(Address) __asm__ volatile("invlpg (%0)" : : "r"(Address) : "memory")
#define __lidt(Pointer)   __asm__ volatile("lidt (%0)" : : "r"(Pointer) : "memory")

#endif
