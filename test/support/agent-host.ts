/** agent-host: a host with plugins and a config of its own, for tests of the agent's commands. */
import type { SubmitReportInput } from '../../agent/report.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** Plugins as users write them: TypeScript with our module, a plain object, and one that goes wrong. */
export const files = {
  'rack.ts': `import { count, definePlugin, z } from 'os-inspector/plugin';
    export default definePlugin({
      name: 'rack', version: 2, description: 'Where it stands',
      facts: { row: count('Row in the hall') },
      options: z.strictObject({ row: z.int() }),
      collect: async ({ options }) => ({ row: options.row as number }),
    });`,
  'plain.mjs': `export default {
      name: 'plain', version: 1, description: 'A plain object',
      facts: { hall: { kind: 'text', description: 'Hall' } },
      readings: { heat: { kind: 'number', description: 'Heat', unit: 'celsius' } },
      collect: async () => ({ hall: 'B', heat: 21.5 }),
    };`,
  'stray.mjs': `export default {
      name: 'stray', version: 1, description: 'Leaves a rejection behind',
      facts: { hall: { kind: 'text', description: 'Hall' } },
      async collect() {
        Promise.reject(new Error('nobody awaits me'));
        setImmediate(() => { throw new Error('nobody catches me'); });
        await new Promise((resolve) => setTimeout(resolve, 20));
        throw 'not an Error';
      },
    };`,
  'hang.mjs': `export default {
      name: 'hang', version: 1, description: 'Never comes back, and keeps the process alive',
      facts: { hall: { kind: 'text', description: 'Hall' } },
      collect: () => new Promise(() => setInterval(() => {}, 1000)),
    };`,
};

export const plugins = [{ use: './rack.ts', options: { row: 7 } }, './plain.mjs'];

/** A folder with these plugins and a config. */
export async function hostWith(config: object, more: Record<string, string> = {}): Promise<string> {
  return temporaryFolder({ ...files, 'agent.config.json': JSON.stringify(config), ...more });
}

export const withoutTimes = (report: SubmitReportInput): SubmitReportInput => ({
  ...report,
  results: report.results.map((result) => ({ ...result, durationMs: 0 })),
});
