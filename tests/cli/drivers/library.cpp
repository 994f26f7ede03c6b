// SPDX-License-Identifier: GPL-2.0-or-later
// The C++ headers that need no run-time, as a driver uses them beside the WDK's.
#define NOMINMAX
extern "C" {
#include <ntifs.h>
#include <ntstrsafe.h>
}
#include <algorithm>
#include <array>
#include <atomic>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace {

template <typename T> class List {
    struct Node { LIST_ENTRY Link; T Value; };
    LIST_ENTRY Head;

public:
    List() { InitializeListHead(&Head); }
    ~List() { while (!IsListEmpty(&Head)) delete CONTAINING_RECORD(RemoveHeadList(&Head), Node, Link); }
    template <typename... A> bool Add(A &&...a)
    {
        auto node = new (std::nothrow) Node{ {}, T(std::forward<A>(a)...) };
        if (!node) return false;
        InsertTailList(&Head, &node->Link);
        return true;
    }
    template <typename F> void ForEach(F &&f) const { for (auto e = Head.Flink; e != &Head; e = e->Flink) f(CONTAINING_RECORD(e, Node, Link)->Value); }
};

struct Closer { void operator()(HANDLE h) const { DbgPrint("library: closed %u\n", HandleToULong(h)); } };
struct Shape { virtual ~Shape() {} virtual int Sides() const = 0; };
struct Square final : Shape { int Sides() const override { return 4; } ~Square() override { DbgPrint("library: square gone\n"); } };
enum class Level : std::uint32_t { Info = 1, Error };
DEFINE_ENUM_FLAG_OPERATORS(Level);

template <typename T, std::enable_if_t<std::is_integral_v<T>, int> = 0> constexpr T Half(T v) { return v / 2; }
template <typename T, T... N> constexpr T Sum(std::integer_sequence<T, N...>) { return (N + ... + 0); }

static_assert(std::numeric_limits<LONG>::max() == LONG_MAX && std::numeric_limits<USHORT>::max() == 0xffff && std::numeric_limits<INT64>::min() == INT64_MIN);
static_assert(std::is_same_v<std::decay_t<const int &>, int> && !std::is_copy_constructible_v<std::unique_ptr<int>> && std::is_enum_v<Level>);
static_assert(std::is_base_of_v<Shape, Square> && std::has_virtual_destructor_v<Shape> && std::is_trivially_copyable_v<UNICODE_STRING>);

std::atomic<long> Count;
constexpr std::array<int, 4> Table{ 1, 3, 5, 7 };

} // namespace

extern "C" DRIVER_INITIALIZE DriverEntry;

extern "C" void Gone(PDRIVER_OBJECT) {}

extern "C" NTSTATUS DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING)
{
    List<std::pair<int, const wchar_t *>> list;
    int sum = 0;

    driver->DriverUnload = Gone;
    for (int i : { 3, 1, 2 })
        list.Add(i, L"x");
    list.ForEach([&sum](auto &p) { sum = sum * 10 + p.first; Count++; });
    DbgPrint("library: list %d of %d\n", sum, Count.load());

    alignas(List<long>) unsigned char raw[sizeof(List<long>)];
    auto placed = new (raw) List<long>();
    placed->Add(4L);
    std::destroy_at(placed);

    std::unique_ptr<Shape> shape = std::make_unique<Square>();
    std::unique_ptr<void, Closer> handle(ULongToHandle(5));
    auto other = std::move(shape);
    DbgPrint("library: %d sides, moved %d\n", other ? other->Sides() : 0, shape == nullptr);

    auto at = std::lower_bound(Table.begin(), Table.end(), 4);
    __try {
        DbgPrint("library: bound %d, max %d, min %d, half %d, sum %d\n", *at, std::max(2, 9), std::min<int>(2, 9), Half(9), Sum(std::make_index_sequence<5>{}) == 10);
        DbgPrint("library: %d\n", Table.at(4));
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        DbgPrint("library: raised %08x\n", GetExceptionCode());
    }
    std::swap(sum, *raw ? sum : sum);
    DbgPrint("library: %d, any %d, level %u\n", std::exchange(sum, 0), std::any_of(Table.begin(), Table.end(), [](int v) { return v == 5; }), (ULONG)(Level::Info | Level::Error));
    return STATUS_SUCCESS;
}
