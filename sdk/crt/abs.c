/* SPDX-License-Identifier: MIT */
/* The absolute value, which Microsoft's compiler knows without a library.  Any IRQL. */
int abs(int Number);
long labs(long Number);
__int64 _abs64(__int64 Number);

int abs(int Number)
{
    return Number < 0 ? -Number : Number;
}

long labs(long Number)
{
    return Number < 0 ? -Number : Number;
}

__int64 _abs64(__int64 Number)
{
    return Number < 0 ? -Number : Number;
}
