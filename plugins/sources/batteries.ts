/**
 * batteries: those in /sys/class/power_supply that power the machine itself.
 */
import { dmiText } from './dmi.ts';
import type { LinuxFiles } from './linux-files.ts';
import { wholeNumber } from './whole-number.ts';

export type RawBattery = { name: string; files: Record<BatteryFile, string | null> };

const batteryFiles = [
  ...(['type', 'scope', 'present', 'manufacturer', 'model_name', 'serial_number', 'technology'] as const),
  ...(['energy_full_design', 'energy_full', 'charge_full_design', 'charge_full'] as const),
  ...(['voltage_min_design', 'cycle_count'] as const),
] as const;
type BatteryFile = (typeof batteryFiles)[number];

const folder = '/sys/class/power_supply';

/** Null when the system keeps no such folder. */
export async function gatherBatteries(files: LinuxFiles): Promise<RawBattery[] | null> {
  const names = await files.list(folder);
  if (names === null) return null;
  const supplies = await Promise.all(
    names.map(async (name) => {
      const texts = await Promise.all(batteryFiles.map((file) => files.read(`${folder}/${name}/${file}`)));
      const read = Object.fromEntries(batteryFiles.map((file, at) => [file, texts[at] ?? null]));
      return { name, files: read as RawBattery['files'] };
    }),
  );
  // Mice and headsets have batteries of their own.
  return supplies.filter(
    ({ files }) => files.type === 'Battery' && files.scope !== 'Device' && files.present !== '0',
  );
}

/** Energy is in microwatt-hours; batteries that count charge tell microampere-hours and a voltage. */
export function toBattery({ name, files }: RawBattery) {
  const volts = (wholeNumber(files.voltage_min_design) ?? 0) / 1e6;
  const wattHours = (energy: string | null, charge: string | null) => {
    const hours = (wholeNumber(energy) ?? (wholeNumber(charge) ?? 0) * volts) / 1e6;
    return Math.round(hours * 100) / 100 || null;
  };
  return {
    name,
    vendor: dmiText(files.manufacturer),
    model: dmiText(files.model_name),
    serial: dmiText(files.serial_number),
    technology: dmiText(files.technology),
    designWattHours: wattHours(files.energy_full_design, files.charge_full_design),
    fullWattHours: wattHours(files.energy_full, files.charge_full),
    cycles: wholeNumber(files.cycle_count) || null,
  };
}
