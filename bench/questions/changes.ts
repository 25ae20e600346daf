/** changes: what became another, of all hosts and of one. */
import type { ChangeFilter } from '../../api/index/filter.ts';
import { isCommon, pageSize, type Question } from './question.ts';

const everything: ChangeFilter = {
  ...{ host: null, reports: null, plugin: null, path: null, start: null, end: null },
  ...{ before: null, after: null, initial: false },
};
const newest = (name: string, filter: Partial<ChangeFilter>): Question => ({
  name: `newest 20 changes${name}`,
  looksAt: 'page',
  ask: (index) => index.changes({ ...everything, ...filter }, { limit: pageSize }),
});
const hourMs = 60 * 60 * 1000;

export const changeQuestions: readonly Question[] = [
  {
    ...newest('', {}),
    graphql: () => ({
      query: `{ changes(first: ${pageSize}) { nodes { at path before after host { id name } } } }`,
    }),
  },
  newest(' of a fact that changes often', { path: 'os.kernel' }),
  newest(' of a fact that changes rarely', { path: 'network.primaryAddress' }),
  newest(' of a fact that never does', { path: 'cpu.model' }),
  newest(' of a plugin', { plugin: 'network' }),
  newest(' to one value', { path: 'os.kernel', after: '"6.1.0-25-amd64"' }),
  newest(' from one value, of whatever fact', { before: '"6.1.0-25-amd64"' }),
  newest(' of hosts with a common fact', { host: isCommon }),
  {
    name: 'newest 20 changes of a host',
    looksAt: 'page',
    ask: (index, { hostId }) => index.changesOf('host', [hostId()], everything, { limit: pageSize }),
  },
  {
    name: 'newest 20 changes within an hour',
    looksAt: 'page',
    ask(index, { instant }) {
      const start = instant();
      return index.changes({ ...everything, start, end: start + hourMs }, { limit: pageSize });
    },
  },
  {
    name: 'newest 20 changes of a fact within an hour',
    looksAt: 'page',
    ask(index, { instant }) {
      const start = instant();
      return index.changes(
        { ...everything, path: 'os.kernel', start, end: start + hourMs },
        { limit: pageSize },
      );
    },
  },
  {
    name: 'count of all changes',
    looksAt: 'all',
    ask: (index) => index.countChanges(everything),
  },
  {
    name: 'count of the changes of a fact',
    looksAt: 'all',
    ask: (index) => index.countChanges({ ...everything, path: 'os.kernel' }),
  },
];
