# SPDX-License-Identifier: GPL-2.0-or-later
"""Names of folders that a shell, make, ninja, clang, lld, QEMU or llvm-symbolizer could take amiss."""

EACH = ['with blank', 'double"quote', "single'quote", 'a%25x%%', 'a&b;c', '$HOME', '`id`', '#hash', '(paren)', 'grüße 文',
        'comma,equals=', 'colon: x', 'back\\slash', '@at', '~', '-dash', 'glob*[?]']

# All that ninja, Meson and the compilers must take at once.  No backslash and no colon: make's rules have no word for them.
ALL = 'sp ace "q" \'a\' %25x & $HOME `é#;(~,*文'
