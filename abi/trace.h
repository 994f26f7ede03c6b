/* SPDX-License-Identifier: MIT */
/*
 * Trace events: what the kernel, the filter manager and the drivers record, and with which arguments.
 * X (name, "field", "field", ...): up to five fields.  A field that begins with '*' is an address to
 * be shown as a symbol, '#' an address that names an object, the rest plain numbers.
 */
#ifndef FLTVM_ABI_TRACE_H
#define FLTVM_ABI_TRACE_H

#define FLTVM_TRACE_EVENTS(X)                                                                                          \
    X(INTERRUPT_ENTER, "vector", "*routine", "", "", "")                                                               \
    X(INTERRUPT_LEAVE, "vector", "", "", "", "")                                                                       \
    X(DPC_INSERT, "#dpc", "*routine", "target", "importance", "")                                                      \
    X(DPC_ENTER, "#dpc", "*routine", "", "", "")                                                                       \
    X(DPC_LEAVE, "#dpc", "", "", "", "")                                                                               \
    X(THREAD_CREATE, "#thread", "*routine", "priority", "", "")                                                        \
    X(THREAD_NAME, "#thread", "chars0", "chars1", "chars2", "")                                                        \
    X(THREAD_EXIT, "#thread", "status", "", "", "")                                                                    \
    X(CONTEXT_SWITCH, "#from", "#to", "from_state", "priority", "")                                                    \
    X(APC_DELIVER, "#apc", "*routine", "", "", "")                                                                     \
    X(WORKITEM_QUEUE, "#item", "*routine", "queue", "", "")                                                            \
    X(WORKITEM_ENTER, "#item", "*routine", "queue", "", "")                                                            \
    X(WORKITEM_LEAVE, "#item", "", "", "", "")                                                                         \
    X(IRP_CALL, "#irp", "major", "minor", "#device", "#file")                                                          \
    X(IRP_PENDING, "#irp", "", "", "", "")                                                                             \
    X(IRP_COMPLETE, "#irp", "status", "information", "", "")                                                           \
    X(IRP_CANCEL, "#irp", "", "", "", "")                                                                              \
    X(FLT_PRE_ENTER, "#data", "major", "#instance", "*routine", "altitude")                                            \
    X(FLT_PRE_LEAVE, "#data", "status", "#instance", "", "")                                                           \
    X(FLT_POST_ENTER, "#data", "major", "#instance", "*routine", "status")                                             \
    X(FLT_POST_LEAVE, "#data", "status", "#instance", "", "")                                                          \
    X(FLT_WORKITEM_ALLOCATE, "#item", "*caller", "", "", "")                                                           \
    X(FLT_WORKITEM_QUEUE, "#item", "*routine", "queue", "#object", "")                                                 \
    X(FLT_WORKITEM_ENTER, "#item", "*routine", "#object", "", "")                                                      \
    X(FLT_WORKITEM_LEAVE, "#item", "", "", "", "")                                                                     \
    X(FLT_WORKITEM_FREE, "#item", "*caller", "", "", "")                                                               \
    X(POOL_ALLOCATE, "*caller", "bytes", "tag", "stack", "")                                                           \
    X(DRIVER_CALL, "*caller", "*routine", "number", "", "")                                                            \
    X(HBA_SUBMIT, "disk", "command", "opcode", "lba", "blocks")                                                        \
    X(HBA_COMPLETE, "disk", "command", "status", "", "")                                                               \
    X(TIMER_EXPIRE, "#timer", "*routine", "", "", "")                                                                  \
    X(USER, "a", "b", "c", "d", "e")

#define FLTVM_TRACE_ENUM_(name, a, b, c, d, e) FLTVM_TRACE_##name,
enum fltvm_trace_event { FLTVM_TRACE_NONE_, FLTVM_TRACE_EVENTS(FLTVM_TRACE_ENUM_) FLTVM_TRACE_END_ };

#endif
