/* SPDX-License-Identifier: MIT */
/* The compiler asks for this name where floating point is used. */
extern int _fltused;

int _fltused = 0x9875;
