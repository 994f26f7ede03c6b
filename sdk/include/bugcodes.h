/* SPDX-License-Identifier: MIT */
/*
 * bugcodes.h: mingw-w64's, and the documented codes that it lacks.  The names in fltvm's reports are taken from both.
 */
#ifndef FLTVM_BUGCODES_H
#define FLTVM_BUGCODES_H

#include_next <bugcodes.h>

#undef IMPERSONATING_WORKER_THREAD /* another number there */

#define SYSTEM_SERVICE_EXCEPTION                            ((ULONG)0x0000003BL)
#define INTERRUPT_EXCEPTION_NOT_HANDLED                     ((ULONG)0x0000003DL)
#define MACHINE_CHECK_EXCEPTION                             ((ULONG)0x0000009CL)
#define DRIVER_POWER_STATE_FAILURE                          ((ULONG)0x0000009FL)
#define MUTEX_ALREADY_OWNED                                 ((ULONG)0x000000BFL)
#define DRIVER_VERIFIER_DETECTED_VIOLATION                  ((ULONG)0x000000C4L)
#define TIMER_OR_DPC_INVALID                                ((ULONG)0x000000C7L)
#define DRIVER_VERIFIER_IOMANAGER_VIOLATION                 ((ULONG)0x000000C9L)
#define PAGE_FAULT_IN_FREED_SPECIAL_POOL                    ((ULONG)0x000000CCL)
#define PAGE_FAULT_BEYOND_END_OF_ALLOCATION                 ((ULONG)0x000000CDL)
#define DRIVER_PAGE_FAULT_IN_FREED_SPECIAL_POOL             ((ULONG)0x000000D5L)
#define DRIVER_PAGE_FAULT_BEYOND_END_OF_ALLOCATION          ((ULONG)0x000000D6L)
#define LOCKED_PAGES_TRACKER_CORRUPTION                     ((ULONG)0x000000D9L)
#define SYSTEM_PTE_MISUSE                                   ((ULONG)0x000000DAL)
#define POOL_CORRUPTION_IN_FILE_AREA                        ((ULONG)0x000000DEL)
#define IMPERSONATING_WORKER_THREAD                         ((ULONG)0x000000DFL)
#define DRIVER_VERIFIER_DMA_VIOLATION                       ((ULONG)0x000000E6L)
#define SCSI_VERIFIER_DETECTED_VIOLATION                    ((ULONG)0x000000F1L)
#define HARDWARE_INTERRUPT_STORM                            ((ULONG)0x000000F2L)
#define FLTMGR_FILE_SYSTEM                                  ((ULONG)0x000000F5L)
#define DRIVER_OVERRAN_STACK_BUFFER                         ((ULONG)0x000000F7L)
#define DRIVER_RETURNED_HOLDING_CANCEL_LOCK                 ((ULONG)0x000000F9L)
#define HTTP_DRIVER_CORRUPTED                               ((ULONG)0x000000FAL)
#define CLOCK_WATCHDOG_TIMEOUT                              ((ULONG)0x00000101L)
#define CRITICAL_STRUCTURE_CORRUPTION                       ((ULONG)0x00000109L)
#define FSRTL_EXTRA_CREATE_PARAMETER_VIOLATION              ((ULONG)0x0000010CL)
#define WDF_VIOLATION                                       ((ULONG)0x0000010DL)
#define DRIVER_VIOLATION                                    ((ULONG)0x00000121L)
#define WHEA_UNCORRECTABLE_ERROR                            ((ULONG)0x00000124L)
#define DPC_WATCHDOG_VIOLATION                              ((ULONG)0x00000133L)
#define KERNEL_SECURITY_CHECK_FAILURE                       ((ULONG)0x00000139L)
#define KERNEL_MODE_HEAP_CORRUPTION                         ((ULONG)0x0000013AL)
#define KERNEL_AUTO_BOOST_INVALID_LOCK_RELEASE              ((ULONG)0x00000162L)
#define KERNEL_AUTO_BOOST_LOCK_ACQUISITION_WITH_RAISED_IRQL ((ULONG)0x00000192L)
#define EXCEPTION_ON_INVALID_STACK                          ((ULONG)0x000001AAL)
#define MANUALLY_INITIATED_CRASH1                           ((ULONG)0xDEADDEADL)

#include <fltvm_bugcodes.h>

#endif
