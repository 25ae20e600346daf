import { expect, test } from 'vitest';
import { collectChecked, collectContext, hostRoot } from '../test/support/recorded-hosts.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import hardware from './hardware.ts';
import { toBattery } from './sources/batteries.ts';
import { chassisType, dmiDate, dmiText, dmiUuid } from './sources/dmi.ts';
import { toPortableHardware } from './sources/hardware.portable.ts';
import { findPciNames } from './sources/pci-devices.ts';
import { parseSmbiosMemory } from './sources/smbios.ts';

const isLinux = process.platform === 'linux';

/** A structure as firmware writes it: type, length, handle, fields, strings. */
function structure(type: number, fields: Uint8Array, strings: string[]): Buffer {
  const text = strings.length > 0 ? strings.map((string) => `${string}\0`).join('') : '\0';
  return Buffer.concat([
    Buffer.from([type, fields.length + 4, 0, 0]),
    fields,
    Buffer.from(`${text}\0`, 'latin1'),
  ]);
}

/** Fields of a memory module; `set` writes at offsets of the whole structure, as the standard counts them. */
function moduleOf(length: number, strings: string[], set: (body: DataView) => void): Buffer {
  const whole = new DataView(new ArrayBuffer(length));
  set(whole);
  return structure(17, new Uint8Array(whole.buffer, 4), strings);
}

const endOfTable = structure(127, new Uint8Array(), []);

test('a module of an early standard tells what it has', () => {
  const module = moduleOf(0x15, ['DIMM 1', 'BANK 0'], (body) => {
    body.setUint16(0x0c, 512, true);
    body.setUint8(0x0e, 9);
    body.setUint8(0x10, 1);
    body.setUint8(0x11, 2);
    body.setUint8(0x12, 19);
  });
  expect(parseSmbiosMemory(Buffer.concat([module, endOfTable])).modules).toEqual([
    {
      locator: 'DIMM 1',
      bank: 'BANK 0',
      sizeBytes: 512 * 1024 ** 2,
      type: 'DDR2',
      formFactor: 'DIMM',
      speedMts: null,
      configuredSpeedMts: null,
      manufacturer: null,
      partNumber: null,
      serial: null,
    },
  ]);
});

test.each([
  [4096, 0, 4 * 1024 ** 3],
  [0x8000 | 64, 0, 64 * 1024],
  [0x7fff, 131_072, 128 * 1024 ** 3],
  [0xffff, 0, null],
])('a size of %i, extended %i, is %j bytes', (size, extended, expected) => {
  const module = moduleOf(0x5c, [], (body) => {
    body.setUint16(0x0c, size, true);
    body.setUint32(0x1c, extended, true);
    body.setUint16(0x15, 0xffff, true);
    body.setUint32(0x54, 66_000, true);
    body.setUint8(0x10, 9);
  });
  expect(parseSmbiosMemory(Buffer.concat([module, endOfTable])).modules).toMatchObject([
    { sizeBytes: expected, speedMts: 66_000, locator: null },
  ]);
});

test('empty slots, what follows the end, and a torn structure are left out', () => {
  const full = moduleOf(0x15, ['A'], (body) => body.setUint16(0x0c, 1, true));
  const empty = moduleOf(0x15, ['B'], () => {});
  expect(parseSmbiosMemory(Buffer.concat([full, empty, endOfTable, full])).modules).toHaveLength(1);
  expect(parseSmbiosMemory(Buffer.concat([full, full.subarray(0, 20)])).modules).toHaveLength(1);
  expect(parseSmbiosMemory(Buffer.from([17, 0, 0, 0, 0, 0]))).toEqual({ arrays: [], modules: [] });
  expect(parseSmbiosMemory(new Uint8Array())).toEqual({ arrays: [], modules: [] });
});

test('fillers are unknown', () => {
  for (const filler of [
    '',
    ' ',
    'To Be Filled By O.E.M.',
    'Default string',
    'None',
    '0000000',
    'XXXX',
    '...',
    null,
  ]) {
    expect(dmiText(filler)).toBeNull();
  }
  expect(['Dell Inc. ', '00A1', 'Unknown Worlds'].map(dmiText)).toEqual([
    'Dell Inc.',
    '00A1',
    'Unknown Worlds',
  ]);
  expect(dmiUuid('4C4C4544-0058-4B10-8032-B7C04F513334')).toBe('4c4c4544-0058-4b10-8032-b7c04f513334');
  for (const none of [
    null,
    'Not Settable',
    '00000000-0000-0000-0000-000000000000',
    'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF',
  ]) {
    expect(dmiUuid(none)).toBeNull();
  }
});

test('dates are in the order that sorts, and what is none is unknown', () => {
  expect(dmiDate('07/12/2024')).toBe('2024-07-12');
  expect([null, '', '13/01/2024', '07/12/24', '2024-07-12'].map(dmiDate)).toEqual([
    null,
    null,
    null,
    null,
    null,
  ]);
});

test('the lock bit is no part of the chassis type', () => {
  expect(['3', '131', '10', '23', '36', '1', '2', '0', '99', 'x', null].map(chassisType)).toEqual([
    ...[
      'desktop',
      'desktop',
      'notebook',
      'rack mount chassis',
      'stick PC',
      null,
      null,
      null,
      null,
      null,
      null,
    ],
  ]);
});

test('names of PCI devices are those of the right maker', () => {
  const ids =
    '1028  Dell\n\t0536  Other\n102b  Matrox\n\t0010  MGA\n\t0536  G200eW3\n\t\t1028 0c08  Card\n10de  NVIDIA\n';
  expect([...findPciNames(ids, ['102b:0536', '102b:9999', '10de:0536', 'beef:0001', '102b:0536'])]).toEqual([
    ['102b:0536', { vendor: 'Matrox', model: 'G200eW3' }],
    ['102b:9999', { vendor: 'Matrox', model: null }],
    ['10de:0536', { vendor: 'NVIDIA', model: null }],
  ]);
  expect(findPciNames('', ['102b:0536']).size).toBe(0);
});

test('a battery may count energy, or charge at a voltage', () => {
  const none = {
    ...{
      type: 'Battery',
      scope: null,
      present: '1',
      manufacturer: null,
      model_name: null,
      serial_number: null,
    },
    ...{ technology: 'Unknown', energy_full_design: null, energy_full: null, charge_full_design: null },
    ...{ charge_full: null, voltage_min_design: null, cycle_count: '0' },
  };
  const charge = { charge_full_design: '5000000', charge_full: '4100000', voltage_min_design: '7700000' };
  expect(toBattery({ name: 'BAT0', files: { ...none, ...charge } })).toMatchObject({
    designWattHours: 38.5,
    fullWattHours: 31.57,
    cycles: null,
    technology: null,
  });
  expect(toBattery({ name: 'BAT0', files: none })).toMatchObject({
    designWattHours: null,
    fullWattHours: null,
  });
});

test.runIf(isLinux)('pci.ids is read once for the same devices', async () => {
  const context = collectContext(hostRoot('ubuntu-24.04-resolved'));
  const first = await collectChecked(hardware, context);
  const gpu = 'sys/bus/pci/devices/vga';
  const root = await temporaryFolder({
    'node-os.json': '{}',
    [`${gpu}/class`]: '0x030000\n',
    [`${gpu}/vendor`]: '0x10de\n',
    [`${gpu}/device`]: '0x2684\n',
  });
  const [model] = (first.gpus as { model: string }[]).map(({ model }) => model);
  const second = await collectChecked(hardware, { ...context, root });
  expect(second.gpus).toMatchObject([{ address: 'vga', model }]);
  expect((await collectChecked(hardware, collectContext(root))).gpus).toMatchObject([{ model: null }]);
});

test.runIf(isLinux)('a virtual machine that tells nothing is skipped', async () => {
  const root = await temporaryFolder({
    'node-os.json': '{}',
    'sys/bus/pci/devices/host/class': '0x060000\n',
    'sys/class/power_supply/AC/type': 'Mains\n',
  });
  expect(await hardware.collect(collectContext(root))).toBeNull();
});

test('systeminformation has empty text, - and 0 for unknown', () => {
  const values = toPortableHardware({
    system: { manufacturer: 'Apple Inc.', model: 'Mac14,2', version: '', serial: 'C02', uuid: '', sku: '-' },
    bios: { vendor: 'Apple Inc.', version: '10151.1', releaseDate: '' },
    board: { manufacturer: '', model: '', version: '', serial: '-', assetTag: '', memMax: null, memSlots: 0 },
    chassis: { manufacturer: 'Apple Inc.', type: 'Notebook', version: '', serial: '', assetTag: '' },
    modules: [
      {
        ...{ size: 8_589_934_592, bank: '', type: 'LPDDR5', clockSpeed: 0, formFactor: '' },
        ...{ manufacturer: 'Micron', partNum: '', serialNum: '' },
      },
      { size: 0, bank: 'B', type: 'Empty', clockSpeed: 0, formFactor: '', partNum: '', serialNum: '' },
    ],
    controllers: [{ vendor: 'Apple', model: 'Apple M2', vram: null, vramDynamic: true }],
    battery: {
      hasBattery: true,
      manufacturer: 'Apple',
      model: '',
      serial: 'F8Y',
      type: 'Li-ion',
      cycleCount: 12,
    },
  });
  expect(values).toMatchObject({
    systemProduct: 'Mac14,2',
    systemUuid: null,
    systemSku: null,
    boardSerial: null,
    firmwareDate: null,
    chassisType: 'notebook',
    memorySlots: null,
    memoryModules: [
      { sizeBytes: 8_589_934_592, type: 'LPDDR5', configuredSpeedMts: null, manufacturer: 'Micron' },
    ],
    gpus: [{ address: null, vendor: 'Apple', model: 'Apple M2', memoryBytes: null }],
    batteries: [{ technology: 'Li-ion', cycles: 12 }],
  });
});
