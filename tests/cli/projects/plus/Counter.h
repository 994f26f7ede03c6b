// SPDX-License-Identifier: MIT
#pragma once
extern "C" {
#include <fltKernel.h>
}

namespace Plus {

enum class Kind : UCHAR { Reads, Bytes };

class Counter {
public:
    explicit Counter(Kind kind) : m_kind(kind) {}
    virtual ~Counter();
    virtual void Note(ULONG_PTR information) = 0;
    LONG Value() const { return m_value; }
    Kind What() const { return m_kind; }

protected:
    volatile LONG m_value = 0;

private:
    Kind m_kind;
};

Counter *MakeCounter(Kind kind);

template <typename T, size_t Size> class Array {
public:
    T &operator[](size_t i) { return m_items[i]; }
    T *begin() { return m_items; }
    T *end() { return m_items + Size; }

private:
    T m_items[Size] = {};
};

class Lock {
public:
    explicit Lock(KSPIN_LOCK &lock) : m_lock(&lock) { KeAcquireSpinLock(m_lock, &m_irql); }
    ~Lock() { KeReleaseSpinLock(m_lock, m_irql); }
    Lock(const Lock &) = delete;
    Lock &operator=(const Lock &) = delete;

private:
    KSPIN_LOCK *m_lock;
    KIRQL m_irql;
};

} // namespace Plus
