/**
 * rack: where the machine stands, as the config tells, and how warm it is there.
 *
 * Source: the options of the agent's config, /sys/class/dmi/id and /sys/class/thermal.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { count, definePlugin, number, text, z } from 'os-inspector/plugin';

export default definePlugin({
  name: 'rack',
  version: 1,
  description: 'Where the machine stands, and how warm it is there',
  facts: {
    row: count('Row of the room, as the config tells', { nullable: false }),
    slot: count('Height unit from the floor, as the config tells'),
    assetTag: text('Asset tag of the chassis; null where the firmware does not tell'),
  },
  readings: {
    temperatureCelsius: number('Temperature of the first thermal zone', { unit: 'degrees Celsius' }),
  },
  source: "the agent's config, /sys/class/dmi/id, /sys/class/thermal",
  platforms: ['linux'],
  options: z.strictObject({ row: z.int().positive(), slot: z.int().positive().optional() }),
  async collect({ root, signal, options }) {
    const read = (path: string) => readIfThere(join(root, path), signal);
    const [tag, milliCelsius] = await Promise.all([
      read('sys/class/dmi/id/chassis_asset_tag'),
      read('sys/class/thermal/thermal_zone0/temp'),
    ]);
    return { ...options, assetTag: tag, temperatureCelsius: toCelsius(milliCelsius) };
  },
});

/** The kernel tells thousandths of a degree. */
function toCelsius(text: string | null): number | null {
  return text !== null && /^-?\d+$/.test(text) ? Number(text) / 1000 : null;
}

/** The text of a file; null where there is none, it is empty or the agent may not read it. */
async function readIfThere(path: string, signal: AbortSignal): Promise<string | null> {
  try {
    return (await readFile(path, { encoding: 'utf8', signal })).trim() || null;
  } catch {
    signal.throwIfAborted();
    return null;
  }
}
