import { expect, test } from 'vitest';
import { bytes, definePlugin, list, mac, number, text } from '../plugins/plugin.ts';
import { describePlugins } from './describe-plugins.ts';

test('every fact and reading has an aligned line, records within lists too', () => {
  const plugin = definePlugin({
    name: 'rack',
    version: 2,
    description: 'Where it stands',
    facts: {
      row: text('Row'),
      slots: list('Slots', { mac: mac('Address'), sizes: list('Sizes', bytes('Size')) }),
    },
    readings: { heat: number('Heat', { unit: 'celsius' }) },
    collect: async () => null,
  });
  expect(describePlugins([plugin])).toBe(`rack (version 2): Where it stands
  facts
    row          text                    Row
    slots        list                    Slots
    slots.mac    mac                     Address
    slots.sizes  list of bytes           Sizes
  readings
    heat         number         celsius  Heat
`);
});
