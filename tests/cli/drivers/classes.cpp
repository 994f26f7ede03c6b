// SPDX-License-Identifier: GPL-2.0-or-later
// A minifilter in C++: owning pointers, locks that release themselves, a virtual interface, objects beside __try.
#include <fltKernel.h>
#include <ntstrsafe.h>

#pragma warning(disable: 4201)

inline void* __cdecl operator new(size_t, void* p) noexcept { return p; }
void* __cdecl operator new(size_t size, POOL_TYPE type, ULONG tag = 'wenC') noexcept { return size ? ExAllocatePoolWithTag(type, size, tag) : nullptr; }
void* __cdecl operator new[](size_t size, POOL_TYPE type, ULONG tag) { return ExAllocatePoolWithTag(type, size, tag); }
void __cdecl operator delete(void* p) { if (p) ExFreePool(p); }
void __cdecl operator delete(void* p, size_t) { if (p) ExFreePool(p); }
void __cdecl operator delete[](void* p) { if (p) ExFreePool(p); }
void __cdecl operator delete[](void* p, size_t) { if (p) ExFreePool(p); }

namespace kern {
template <typename T> struct remove_reference { using type = T; };
template <typename T> struct remove_reference<T&> { using type = T; };
template <typename T> struct remove_reference<T&&> { using type = T; };
template <typename T> constexpr typename remove_reference<T>::type&& move(T&& t) noexcept { return static_cast<typename remove_reference<T>::type&&>(t); }

template <class T> class unique_ptr {
    T* p_{nullptr};
public:
    unique_ptr() = default;
    explicit unique_ptr(T* p) : p_(p) {}
    unique_ptr(unique_ptr&& o) noexcept : p_(o.release()) {}
    unique_ptr(const unique_ptr&) = delete;
    unique_ptr& operator=(const unique_ptr&) = delete;
    unique_ptr& operator=(unique_ptr&& o) noexcept { if (this != &o) reset(o.release()); return *this; }
    ~unique_ptr() { reset(); }
    T* release() noexcept { auto t = p_; p_ = nullptr; return t; }
    void reset(T* p = nullptr) noexcept { delete p_; p_ = p; }
    T* get() const { return p_; }
    T* operator->() const { return p_; }
    explicit operator bool() const { return p_ != nullptr; }
};

class FastMutex {
    FAST_MUTEX m_;
public:
    void Init() { ExInitializeFastMutex(&m_); }
    _IRQL_raises_(APC_LEVEL) void Lock() { ExAcquireFastMutex(&m_); }
    void Unlock() { ExReleaseFastMutex(&m_); }
};
template <typename TLock> struct AutoLock {
    explicit AutoLock(TLock& l) : l_(l) { l_.Lock(); }
    ~AutoLock() { l_.Unlock(); }
private:
    TLock& l_;
};
template <typename TLock> AutoLock(TLock&) -> AutoLock<TLock>;

class String {
    UNICODE_STRING s_{};
public:
    explicit String(PCWSTR t) { UNICODE_STRING x; RtlInitUnicodeString(&x, t); Assign(&x); }
    ~String() { if (s_.Buffer) ExFreePoolWithTag(s_.Buffer, 'rtsC'); }
    bool Assign(PCUNICODE_STRING u) {
        s_.Buffer = static_cast<PWCH>(ExAllocatePoolWithTag(PagedPool, u->Length, 'rtsC'));
        if (!s_.Buffer) return false;
        s_.MaximumLength = u->Length;
        RtlCopyUnicodeString(&s_, u);
        return true;
    }
    operator PCUNICODE_STRING() const { return &s_; }
};
} // namespace kern

class IFilter { public: virtual ~IFilter() {} virtual NTSTATUS Start(PDRIVER_OBJECT) = 0; virtual void Stop() noexcept = 0; };

class Filter final : public IFilter {
public:
    static Filter* Instance;
    NTSTATUS Start(PDRIVER_OBJECT d) override;
    void Stop() noexcept override { if (f_) { FltUnregisterFilter(f_); f_ = nullptr; } }
    static FLT_PREOP_CALLBACK_STATUS FLTAPI PreWrite(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS o, PVOID* ctx);
    static FLT_PREOP_CALLBACK_STATUS FLTAPI PreRead(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS, PVOID*) { kern::AutoLock g(Instance->m_); Instance->bytes_ += Data->Iopb->Parameters.Read.Length; return FLT_PREOP_SUCCESS_NO_CALLBACK; }
    static NTSTATUS FLTAPI Unload(FLT_FILTER_UNLOAD_FLAGS);
    ~Filter() override { DbgPrint("classes: %u bytes, %wZ\n", bytes_, (PCUNICODE_STRING)name_); }
    Filter() : name_(L"the filter") { m_.Init(); }
private:
    PFLT_FILTER f_ = nullptr;
    ULONG bytes_ = 0;
    kern::FastMutex m_;
    kern::String name_;
};
Filter* Filter::Instance;

namespace {
constexpr FLT_OPERATION_REGISTRATION g_Ops[] = {
    { IRP_MJ_READ, 0, Filter::PreRead, nullptr },
    { IRP_MJ_WRITE, 0, &Filter::PreWrite, nullptr },
    { IRP_MJ_OPERATION_END }
};
const FLT_REGISTRATION g_Reg = { sizeof(FLT_REGISTRATION), FLT_REGISTRATION_VERSION, 0, nullptr, g_Ops, Filter::Unload };
}

NTSTATUS Filter::Start(PDRIVER_OBJECT d)
{
    auto st = FltRegisterFilter(d, &g_Reg, &f_);
    if (NT_SUCCESS(st)) { st = FltStartFiltering(f_); if (!NT_SUCCESS(st)) Stop(); }
    return st;
}
FLT_PREOP_CALLBACK_STATUS Filter::PreWrite(PFLT_CALLBACK_DATA Data, PCFLT_RELATED_OBJECTS, PVOID* ctx)
{
    *ctx = nullptr;
    kern::String temp(L"temporary");
    NTSTATUS st = STATUS_SUCCESS;
    __try {
        if (Data->Iopb->Parameters.Write.WriteBuffer) {
            volatile UCHAR c = *static_cast<UCHAR*>(Data->Iopb->Parameters.Write.WriteBuffer);
            (void)c;
        }
    } __except (EXCEPTION_EXECUTE_HANDLER) { st = GetExceptionCode(); }
    return NT_SUCCESS(st) ? FLT_PREOP_SUCCESS_NO_CALLBACK : FLT_PREOP_COMPLETE;
}
NTSTATUS Filter::Unload(FLT_FILTER_UNLOAD_FLAGS) { Instance->Stop(); delete Instance; Instance = nullptr; return STATUS_SUCCESS; }

EXTERN_C DRIVER_INITIALIZE DriverEntry;
extern "C" NTSTATUS DriverEntry(_In_ PDRIVER_OBJECT DriverObject, _In_ PUNICODE_STRING)
{
    kern::unique_ptr<Filter> f(new (NonPagedPoolNx, 'tliF') Filter);
    if (!f) return STATUS_INSUFFICIENT_RESOURCES;
    Filter::Instance = f.get();
    NTSTATUS st = f->Start(DriverObject);
    if (NT_SUCCESS(st)) f.release();
    return st;
}
