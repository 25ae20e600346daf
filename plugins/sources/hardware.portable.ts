/**
 * hardware.portable: the machine on macOS, Windows and the BSDs.
 *
 * systeminformation starts a dozen processes for it, so it is asked once: it is the same for as long as the agent runs.
 */
import type { Systeminformation as Si } from 'systeminformation';
import type { CollectContext } from '../plugin.ts';
import { dmiText, dmiUuid } from './dmi.ts';
import { once } from './once.ts';

export type RawPortableHardware = {
  system: Pick<Si.SystemData, 'manufacturer' | 'model' | 'version' | 'serial' | 'uuid' | 'sku'>;
  bios: Pick<Si.BiosData, 'vendor' | 'version' | 'releaseDate'>;
  board: Pick<
    Si.BaseboardData,
    'manufacturer' | 'model' | 'version' | 'serial' | 'assetTag' | 'memMax' | 'memSlots'
  >;
  chassis: Pick<Si.ChassisData, 'manufacturer' | 'type' | 'version' | 'serial' | 'assetTag'>;
  modules: Pick<
    Si.MemLayoutData,
    'size' | 'bank' | 'type' | 'clockSpeed' | 'formFactor' | 'manufacturer' | 'partNum' | 'serialNum'
  >[];
  controllers: Pick<Si.GraphicsControllerData, 'vendor' | 'model' | 'busAddress' | 'vram' | 'vramDynamic'>[];
  battery: Pick<Si.BatteryData, 'hasBattery' | 'manufacturer' | 'model' | 'serial' | 'type' | 'cycleCount'>;
};

export async function collectHardwareElsewhere({ cache, signal }: CollectContext) {
  signal.throwIfAborted();
  return once(cache, 'systeminformation', async () => {
    const si = await import('systeminformation');
    return toPortableHardware({
      system: await si.system(),
      bios: await si.bios(),
      board: await si.baseboard(),
      chassis: await si.chassis(),
      modules: await si.memLayout(),
      controllers: (await si.graphics()).controllers,
      battery: await si.battery(),
    });
  });
}

/** Shapes systeminformation's answers into facts; its empty text, 0 and `-` mean unknown. */
export function toPortableHardware(raw: RawPortableHardware) {
  const { system, bios, board, chassis, battery } = raw;
  const modules = raw.modules.filter(({ size }) => size > 0);
  return {
    systemVendor: dmiText(system.manufacturer),
    systemProduct: dmiText(system.model),
    systemVersion: dmiText(system.version),
    systemSerial: dmiText(system.serial),
    systemUuid: dmiUuid(system.uuid),
    systemSku: dmiText(system.sku),
    boardVendor: dmiText(board.manufacturer),
    boardProduct: dmiText(board.model),
    boardVersion: dmiText(board.version),
    boardSerial: dmiText(board.serial),
    boardAssetTag: dmiText(board.assetTag),
    firmwareVendor: dmiText(bios.vendor),
    firmwareVersion: dmiText(bios.version),
    firmwareDate: /^\d{4}-\d{2}-\d{2}$/.test(bios.releaseDate) ? bios.releaseDate : null,
    chassisType: dmiText(chassis.type)?.toLowerCase() ?? null,
    chassisVendor: dmiText(chassis.manufacturer),
    chassisVersion: dmiText(chassis.version),
    chassisSerial: dmiText(chassis.serial),
    chassisAssetTag: dmiText(chassis.assetTag),
    memorySlots: board.memSlots || null,
    memoryMaxBytes: board.memMax || null,
    memoryModules: modules.length === 0 ? null : modules.map(toModule),
    gpus: raw.controllers.map(toGpu),
    batteries: battery.hasBattery ? [toBattery(battery)] : [],
  };
}

function toModule(module: RawPortableHardware['modules'][number]) {
  return {
    bank: dmiText(module.bank),
    sizeBytes: module.size,
    type: dmiText(module.type),
    formFactor: dmiText(module.formFactor),
    configuredSpeedMts: module.clockSpeed || null,
    manufacturer: dmiText(module.manufacturer),
    partNumber: dmiText(module.partNum),
    serial: dmiText(module.serialNum),
  };
}

/** Memory is in units of 1024 × 1024 bytes. */
function toGpu({ vendor, model, busAddress, vram, vramDynamic }: RawPortableHardware['controllers'][number]) {
  return {
    address: dmiText(busAddress),
    vendor: dmiText(vendor),
    model: dmiText(model),
    memoryBytes: vram && !vramDynamic ? Math.round(vram * 1024 ** 2) : null,
  };
}

function toBattery({ manufacturer, model, serial, type, cycleCount }: RawPortableHardware['battery']) {
  return {
    name: 'battery',
    vendor: dmiText(manufacturer),
    model: dmiText(model),
    serial: dmiText(serial),
    technology: dmiText(type),
    cycles: cycleCount || null,
  };
}
