// SPDX-License-Identifier: MIT
#include "Counter.h"

using namespace Plus;

static PFLT_FILTER g_filter;
static KSPIN_LOCK g_lock;
static Array<Counter *, 2> *g_counters;

static FLT_POSTOP_CALLBACK_STATUS FLTAPI PostRead(PFLT_CALLBACK_DATA data, PCFLT_RELATED_OBJECTS, PVOID, FLT_POST_OPERATION_FLAGS)
{
    Lock hold(g_lock);

    for (auto counter : *g_counters)
        counter->Note(data->IoStatus.Information);
    return FLT_POSTOP_FINISHED_PROCESSING;
}

static FLT_PREOP_CALLBACK_STATUS FLTAPI PreRead(PFLT_CALLBACK_DATA, PCFLT_RELATED_OBJECTS, PVOID *context)
{
    *context = nullptr;
    return FLT_PREOP_SUCCESS_WITH_CALLBACK;
}

static void Clear()
{
    for (auto counter : *g_counters)
        delete counter;
    delete g_counters;
    g_counters = nullptr;
}

static NTSTATUS FLTAPI Unload(FLT_FILTER_UNLOAD_FLAGS)
{
    FltUnregisterFilter(g_filter);
    Clear();
    auto *numbers = new LONG[4]();
    auto sum = [numbers](LONG more) { return numbers[0] + numbers[3] + more; };
    DbgPrint("plus: sum %d\n", sum(5));
    delete[] numbers;
    return STATUS_SUCCESS;
}

static const FLT_OPERATION_REGISTRATION g_operations[] = {
    {IRP_MJ_READ, 0, PreRead, PostRead},
    {IRP_MJ_OPERATION_END},
};

static const FLT_REGISTRATION g_registration = {sizeof(FLT_REGISTRATION), FLT_REGISTRATION_VERSION, 0, nullptr, g_operations, Unload};

static NTSTATUS ReadNull(const volatile int *where)
{
    __try {
        return *where;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return GetExceptionCode();
    }
}

extern "C" DRIVER_INITIALIZE DriverEntry;

#pragma alloc_text(INIT, DriverEntry)

extern "C" NTSTATUS DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING)
{
    KeInitializeSpinLock(&g_lock);
    DbgPrint("plus: 0x%08X\n", ReadNull(nullptr));
    g_counters = new Array<Counter *, 2>;
    (*g_counters)[0] = MakeCounter(Kind::Reads);
    (*g_counters)[1] = MakeCounter(Kind::Bytes);
    NTSTATUS status = FltRegisterFilter(driver, &g_registration, &g_filter);
    if (NT_SUCCESS(status)) {
        status = FltStartFiltering(g_filter);
        if (!NT_SUCCESS(status))
            FltUnregisterFilter(g_filter);
    }
    if (!NT_SUCCESS(status))
        Clear();
    return status;
}
