/**
 * hardware: the machine as its maker built it: system, board, firmware, chassis, memory modules, graphics, batteries.
 *
 * Source: DMI in /sys, the device tree, /sys/bus/pci and /sys/class/power_supply on Linux, systeminformation
 * elsewhere. Serial numbers, the system's UUID and memory modules take root there; without it they are null.
 * Starts no process on Linux. Names of makers and products are those that firmware or an installed pci.ids tell.
 */

import { boolean, bytes, count, definePlugin, list, number, text } from './plugin.ts';
import { collectHardwareOnLinux } from './sources/hardware.linux.ts';
import { collectHardwareElsewhere } from './sources/hardware.portable.ts';

export default definePlugin({
  name: 'hardware',
  version: 1,
  description: 'System, board, firmware, chassis, memory modules, graphics adapters and batteries',
  facts: {
    systemVendor: text('Maker of the system; fillers such as "Default string" are null, here and below'),
    systemProduct: text('Product name or model of the system'),
    systemVersion: text('Version of the system'),
    systemSerial: text('Serial number of the system; on Linux it takes root'),
    systemUuid: text('UUID of the system, in lower case; on Linux it takes root'),
    systemSku: text('Stock keeping unit of the system'),
    systemFamily: text('Family of systems it belongs to'),
    boardVendor: text('Maker of the main board'),
    boardProduct: text('Product name of the main board'),
    boardVersion: text('Version of the main board'),
    boardSerial: text('Serial number of the main board; on Linux it takes root'),
    boardAssetTag: text('Asset tag of the main board'),
    firmwareVendor: text('Maker of the firmware'),
    firmwareVersion: text('Version of the firmware'),
    firmwareDate: text('Day of its release: 2025-03-31'),
    firmwareType: text('How the system was booted: uefi or bios; null on machines that know neither'),
    chassisType: text('Form of the case, in the words of SMBIOS: desktop, notebook, rack mount chassis'),
    chassisVendor: text('Maker of the case'),
    chassisVersion: text('Version of the case'),
    chassisSerial: text('Serial number of the case; on Linux it takes root'),
    chassisAssetTag: text('Asset tag of the case'),
    memorySlots: count('Slots for memory modules; null where the platform does not tell'),
    memoryMaxBytes: bytes('Most memory that the board takes; null where the platform does not tell'),
    memoryEcc: text('How its errors are found and mended: none, parity, single-bit ECC, multi-bit ECC, CRC'),
    memoryModules: list(
      'Memory modules by place, without empty slots; null where they cannot be read: on Linux it takes root',
      {
        locator: text('Place on the board: DIMM_A1'),
        bank: text('Bank it is in: P0 CHANNEL A'),
        sizeBytes: bytes('Its size'),
        type: text('DDR4, DDR5, LPDDR5, as the firmware numbers it; null for a type without a name'),
        formFactor: text('DIMM, SODIMM, as the firmware numbers it'),
        speedMts: number('Highest rate it can reach', { unit: 'megatransfers per second' }),
        configuredSpeedMts: number('Rate it runs at', { unit: 'megatransfers per second' }),
        manufacturer: text('Its maker'),
        partNumber: text('Part number'),
        serial: text('Serial number'),
      },
      { key: ['locator', 'bank'] },
    ),
    gpus: list(
      'Graphics adapters by address; null where the platform has no such list',
      {
        address: text('Where it is attached: 0000:01:00.0'),
        vendor: text('Its maker, by pci.ids; null where that file is not installed'),
        model: text('Its name, by pci.ids; null where that file is not installed'),
        vendorId: text('Number of its maker: 10de'),
        deviceId: text('Number of its model: 2684'),
        subsystemVendorId: text('Number of the maker of the card'),
        subsystemDeviceId: text('Number of the card'),
        driver: text('Driver in charge; null without one'),
        memoryBytes: bytes('Memory of its own; null where the platform does not tell'),
        bootDisplay: boolean('Whether the firmware showed its messages there'),
      },
      { key: 'address' },
    ),
    batteries: list(
      'Batteries that power the machine; empty where there are none',
      {
        name: text('Name the system has for it'),
        vendor: text('Its maker'),
        model: text('Its model'),
        serial: text('Serial number'),
        technology: text('Chemistry, as the system names it: Li-ion, Li-poly'),
        designWattHours: number('Energy it held when new', { unit: 'watt-hours' }),
        fullWattHours: number('Energy it holds when full', { unit: 'watt-hours' }),
        cycles: count('Times it was charged'),
      },
      { key: 'name' },
    ),
  },
  source:
    '/sys/class/dmi/id, /sys/firmware, /proc/device-tree, /sys/bus/pci, pci.ids, /sys/class/power_supply; systeminformation elsewhere',
  interval: '1d',
  async collect(context) {
    return process.platform === 'linux' ? collectHardwareOnLinux(context) : collectHardwareElsewhere(context);
  },
});
