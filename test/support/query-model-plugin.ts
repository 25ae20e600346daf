/** query-model-plugin: a plugin with a fact of every kind, and JSON of one that nobody declares. */
import {
  boolean,
  bytes,
  count,
  definePlugin,
  duration,
  hertz,
  instant,
  ip,
  list,
  mac,
  number,
  ratio,
  text,
  version,
} from '../../plugins/plugin.ts';

export const device = definePlugin({
  name: 'device',
  version: 1,
  description: 'A fact of every kind',
  facts: {
    label: text('A text'),
    slots: count('A count'),
    load: number('A number'),
    disk: bytes('An amount of storage'),
    clock: hertz('A frequency'),
    share: ratio('A ratio'),
    active: boolean('A truth value'),
    bootedAt: instant('An instant'),
    uptime: duration('A length of time'),
    release: version('A version'),
    address: ip('An address'),
    hardware: mac('A hardware address'),
    tags: list('Texts', text('A text')),
    weights: list('Numbers', number('A number')),
    ports: list(
      'Records with a key',
      {
        name: text('A text'),
        speed: number('A number'),
        addresses: list('Records in records', { address: ip('An address'), scope: text('A text') }),
      },
      { key: 'name' },
    ),
    events: list('Records without a key', { code: count('A count'), note: text('A text') }),
  },
  readings: { heat: number('A number'), samples: list('Numbers', number('A number')) },
  collect: async () => null,
});

/** Its facts are arbitrary JSON. */
export const undeclaredPlugin = 'rack';

/** Values of each kind, of which some are the same when compared and some do not fit. */
export const pools = {
  label: ['Äpfel', 'äpfel', 'ÄPFEL und Birnen', 'ΟΔΟΣ', 'οδος', 'Web-1', 'web-1', '100%_\\', '𝒳y', null, ''],
  slots: [0, 1, 2, 12, null, -1, 'many'],
  load: [-1.5, 0, 0.25, 3, 1e12, null],
  disk: [0, 1000, 4000, 4096, 8192, 1_073_741_824, null, 1.5],
  clock: [0.5, 1_000_000, 2_400_000_000, null],
  share: [0, 0.25, 0.5, 1, null, 1.5],
  active: [true, false, null, 'yes'],
  bootedAt: [
    ...['2026-05-01T00:00:00Z', '2026-05-01T02:00:00+02:00', '2026-05-01T00:00:00.500Z'],
    ...['2026-05-02T12:00:00.000Z', '2025-12-31T23:59:59-08:00', null, 'yesterday'],
  ],
  uptime: [0, 90, 5400, 86_400, 0.5, null],
  release: ['6.1.9', '6.1.90', '6.01.9', '6.1', '6.1~rc1', '6.6.0-2', '6.6.0-10', '12', 'v7.1', null],
  address: ['10.2.0.7', '10.2.255.1', '10.20.0.1', '2001:db8::7', '2001:DB8:0::7', '::ffff:10.2.0.7', null],
  hardware: ['aa:bb:cc:00:11:22', 'aa:bb:cc:00:11:23', '02:00:00:00:00:01', null, 'AA:BB:CC:00:11:22'],
  tags: ['blue', 'Blue', 'grün', 'GRÜN', 'red', ''],
  weights: [-2, 0, 0.5, 7, 100],
  portNames: ['eth0', 'eth1', 'lo', 'wlan0'],
  speeds: [10, 100, 1000, null],
  scopes: ['global', 'link', null],
  codes: [1, 2, 3, null],
  notes: ['up', 'down', 'Überhitzt', null],
  row: ['a', 'b', 'C', 'ä', null],
  height: [1, 2, 42, 0.5, null],
  parts: ['fan', 'psu', 'Fan'],
  racks: ['north', 'Süd', 'süd'],
  environments: ['production', 'Test', ''],
  errors: ['no such file', 'Permission denied', 'Keine Übersicht', 'KEINE ÜBERSICHT'],
} as const;
