// SPDX-License-Identifier: MIT
#include "Counter.h"

namespace Plus {

static constexpr ULONG Square(ULONG n) { return n * n; }
static ULONG g_made = Square(0);

Counter::~Counter()
{
    DbgPrint("plus: counter %u gone at %d\n", static_cast<unsigned>(m_kind), m_value);
}

class Reads : public Counter {
public:
    Reads() : Counter(Kind::Reads) {}
    void Note(ULONG_PTR) override { InterlockedIncrement(&m_value); }
};

class Bytes final : public Counter {
public:
    Bytes() : Counter(Kind::Bytes) {}
    void Note(ULONG_PTR information) override { InterlockedExchangeAdd(&m_value, static_cast<LONG>(information)); }
};

Counter *MakeCounter(Kind kind)
{
    g_made++;
    if (kind == Kind::Reads)
        return new Reads;
    return new Bytes;
}

} // namespace Plus
