# SPDX-License-Identifier: GPL-2.0-or-later
#
# What fltvm's QEMU is built with: two machines and our devices (--with-devices-x86_64=fltvm).

CONFIG_MICROVM=y
CONFIG_Q35=y
CONFIG_FLTVM_LINK=y
CONFIG_FLTVM_IRQ=y
CONFIG_FLTVM_HBA=y
