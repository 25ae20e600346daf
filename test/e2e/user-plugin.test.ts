import { expect, test } from 'vitest';
import { runAgent } from '../support/agent-process.ts';
import { startApi } from '../support/api-process.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const rack = `
import { bytes, count, definePlugin, ip, list, text, version, z } from 'os-inspector/plugin';

export default definePlugin({
  name: 'rack',
  version: 3,
  description: 'Where the host stands',
  facts: {
    row: count('Row of racks', { nullable: false }),
    label: text('What the sticker says'),
    firmware: version('Of the management controller'),
    disks: list('Slots of the chassis', { slot: text('Name of the slot', { nullable: false }), size: bytes('Size') }),
    consoles: list('Where its console is reached', ip('Address')),
  },
  readings: { fans: count('Fans that turn') },
  options: z.strictObject({ row: z.int() }),
  async collect({ options }: { options: { row: number } }) {
    return {
      row: options.row, label: null, firmware: '2.10.1', fans: 4,
      disks: [{ slot: 'a', size: 1024 }, { slot: 'b' }], consoles: ['10.9.0.7'],
    };
  },
});
`;

const config = JSON.stringify({
  plugins: ['os', { use: './plugins/rack.ts', timeout: '5s', options: { row: 7 } }],
});

test('a plugin of the user, known to agent and server, is typed, filterable and documented', async () => {
  const folder = await temporaryFolder({ 'agent.config.json': config, 'plugins/rack.ts': rack });
  const api = await startApi(folder, { env: { PLUGINS: `${folder}/plugins/rack.ts` } });
  const env = { OS_INSPECTOR_URL: api.url };
  expect(await runAgent(['once'], { cwd: folder, env })).toMatchObject({ code: 0, stdout: 'success\n' });

  const { reports, hosts, plugins } = await api.ask(`{
    reports(filter: { rack: {
      row: { gte: 7 }, firmware: { gt: "2.9.9" }, label: { isNull: true }
      disks: { some: { slot: { eq: "a" }, size: { lt: 2000 } } }, consoles: { some: { inSubnet: "10.9.0.0/24" } }
    } }) { totalCount nodes { rack { row label firmware fans disks { slot size } consoles } results { plugin version problems { path } } } }
    hosts(filter: { rack: { disks: { some: { slot: { eq: "b" }, size: { lt: 2000 } } } } }) { totalCount }
    plugins { name description facts { path kind unit } }
  }`);
  expect(reports).toEqual({
    totalCount: 1,
    nodes: [
      {
        rack: {
          row: 7,
          label: null,
          firmware: '2.10.1',
          fans: 4,
          disks: [
            { slot: 'a', size: 1024 },
            { slot: 'b', size: null },
          ],
          consoles: ['10.9.0.7'],
        },
        results: [
          { plugin: 'os', version: 1, problems: [] },
          { plugin: 'rack', version: 3, problems: [] },
        ],
      },
    ],
  });
  expect(hosts.totalCount).toBe(0);
  expect(plugins.find(({ name }: { name: string }) => name === 'rack')).toEqual({
    name: 'rack',
    description: 'Where the host stands',
    facts: expect.arrayContaining([
      { path: 'rack.disks.size', kind: 'bytes', unit: 'bytes' },
      { path: 'rack.fans', kind: 'count', unit: null },
    ]),
  });
});

test('known to the agent alone, its facts are kept and readable, and typed once the server learns of it', async () => {
  const folder = await temporaryFolder({ 'agent.config.json': config, 'plugins/rack.ts': rack });
  const before = await startApi(folder);
  const env = { OS_INSPECTOR_URL: before.url };
  expect(await runAgent(['once'], { cwd: folder, env })).toMatchObject({ code: 0 });
  const { reports, hosts } = await before.ask(`{
    reports { nodes { facts(plugin: "rack") } } hosts { nodes { facts(plugin: "rack") } }
  }`);
  expect(reports.nodes[0].facts).toMatchObject({ row: 7, firmware: '2.10.1', consoles: ['10.9.0.7'] });
  expect(hosts.nodes[0]).toEqual(reports.nodes[0]);
  await expect(before.ask('{ reports { nodes { rack { row } } } }')).rejects.toThrow('rack');
  before.child.kill('SIGTERM');
  await before.exit;

  const after = await startApi(folder, { env: { PLUGINS: `${folder}/plugins/rack.ts` } });
  const typed = await after.ask(
    '{ reports(filter: { rack: { row: { eq: 7 } } }) { nodes { rack { row } } } }',
  );
  expect(typed.reports.nodes).toEqual([{ rack: { row: 7 } }]);
});
