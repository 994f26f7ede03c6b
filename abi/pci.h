/* SPDX-License-Identifier: MIT */
/*
 * PCI identities of fltvm's devices.
 *
 * 0x1234 is the vendor number that QEMU's own demonstration devices use; it is assigned to nobody.
 * The device numbers are fltvm's choice and clash with none of QEMU's.
 */
#ifndef FLTVM_ABI_PCI_H
#define FLTVM_ABI_PCI_H

#define FLTVM_PCI_VENDOR 0x1234u

#define FLTVM_PCI_DEVICE_HBA 0xF1B0u /* storage controller, abi/hba.h */
#define FLTVM_PCI_DEVICE_IRQ 0xF1B1u /* interrupt source, abi/irq.h */

#define FLTVM_PCI_REVISION 1u

#define FLTVM_PCI_CLASS_HBA 0x0180u /* mass storage, other */
#define FLTVM_PCI_CLASS_IRQ 0x0880u /* system peripheral, other */

#endif
