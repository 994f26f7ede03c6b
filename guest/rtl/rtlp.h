/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rtl: private declarations. */
#ifndef FLTVM_GUEST_RTLP_H
#define FLTVM_GUEST_RTLP_H

#include "rtl.h"

/* Tag of the strings that Rtl routines allocate. */
#define RTLP_STRING_TAG 'rtSR'

/* Call a language handler so that an exception or unwind that passes over the call is noticed (context.S). */
EXCEPTION_DISPOSITION RtlpExecuteHandlerForException(PEXCEPTION_RECORD ExceptionRecord,
                                                     ULONG64 EstablisherFrame, PCONTEXT ContextRecord,
                                                     PDISPATCHER_CONTEXT DispatcherContext);
EXCEPTION_DISPOSITION RtlpExecuteHandlerForUnwind(PEXCEPTION_RECORD ExceptionRecord, ULONG64 EstablisherFrame,
                                                  PCONTEXT ContextRecord,
                                                  PDISPATCHER_CONTEXT DispatcherContext);

/* Drops what backtrace.c remembers of an image that goes. */
VOID RtlpForgetBackTraces(VOID);

#endif
