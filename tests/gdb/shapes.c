/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Functions of every shape that the unwinder knows, compiled as guest code is.  unwind.py steps through all of it,
 * one instruction at a time.  Never run in the guest.
 */
typedef unsigned long long u64;

#define NOINLINE __attribute__((noinline))

u64 Chained(u64 Value);
u64 Trap(u64 Value);
u64 EntryPoint(void);
void __chkstk(void);
int _fltused;

static volatile u64 Sink;

NOINLINE static u64 Leaf(u64 Value)
{
    return Value * 3 + 1;
}

NOINLINE static u64 SmallFrame(u64 Value)
{
    volatile u64 Local[4] = {Value, 1, 2, 3};
    return Leaf(Local[0]) + Local[3];
}

NOINLINE static u64 LargeFrame(u64 Value)
{
    volatile char Local[3000];
    Local[Value & 1023] = 1;
    return Leaf(Value) + Local[Value & 1023];
}

NOINLINE static u64 HugeFrame(u64 Value)
{
    volatile char Local[600000];
    Local[Value & 1023] = 2;
    return SmallFrame(Value) + Local[Value & 1023];
}

NOINLINE static u64 ManyRegisters(u64 A, u64 B, u64 C, u64 D, u64 E, u64 F)
{
    u64 G = Leaf(A), H = Leaf(B), I = Leaf(C), J = Leaf(D), K = SmallFrame(E), L = LargeFrame(F);
    u64 M = Leaf(G ^ H), N = Leaf(I ^ J), O = Leaf(K ^ L);
    return A + B * C + D * E + F + G * H + I * J + K * L + M * N + O;
}

NOINLINE static u64 FramePointer(u64 Value)
{
    volatile char *Local = __builtin_alloca(Value * 16 + 16);
    Local[Value] = 5;
    return SmallFrame(Value) + Local[Value];
}

NOINLINE static double Floats(double A, double B, double C)
{
    volatile double D = A;
    double E = B * D, F = C * D, G = A + B;
    Sink += Leaf((u64)E);
    E += F;
    Sink += Leaf((u64)F);
    return E * F + G * D;
}

NOINLINE static u64 ManyReturns(u64 Value)
{
    if (Value == 1)
        return Leaf(Value);
    if (Value == 2)
        return SmallFrame(Value) + 1;
    Sink = Value;
    if (Leaf(Value) > 100)
        return LargeFrame(Value) * 7;
    return SmallFrame(Leaf(Value));
}

NOINLINE static u64 TailCall(u64 Value)
{
    Sink = SmallFrame(Value);
    __attribute__((musttail)) return ManyReturns(Value + 1);
}

NOINLINE static u64 Recursive(u64 Depth)
{
    return Depth == 0 ? Leaf(Depth) : Recursive(Depth - 1) * 3 + SmallFrame(Depth);
}

NOINLINE static u64 Pointer(u64 (*Routine)(u64), u64 Value)
{
    return Routine(Value) + 1;
}

u64 EntryPoint(void)
{
    u64 Result = 0;

    for (u64 Value = 1; Value <= 40; Value += 13)
        Result += ManyReturns(Value) + TailCall(Value) + FramePointer(Value);
    Result += ManyReturns(2);
    Result += ManyRegisters(1, 2, 3, 4, 5, 6);
    Result += (u64)Floats(1.5, 2.5, 3.5);
    Result += HugeFrame(7) + Recursive(5) + Pointer(Leaf, 4) + Pointer(FramePointer, 3);
    Result += Chained(Result & 3);
    Result += Trap(Result & 7);
    return Result;
}
