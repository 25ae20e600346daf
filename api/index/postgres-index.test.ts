import { describe } from 'vitest';
import { loadBuiltinPlugins } from '../../plugins/index.ts';
import { describeIndex } from '../../test/contracts/index-suite.ts';
import { whenFileIsDone } from '../../test/support/cleanup.ts';
import { dumpPostgres } from '../../test/support/index-dump.ts';
import { describeIf } from '../../test/support/needs.ts';
import { hasPostgres, postgresNeeded, startPostgres } from '../../test/support/postgres.ts';
import { openPostgresIndex } from './postgres-index.ts';
import { schemaVersion } from './tables.ts';

const bucket = 'file:/srv/bucket';
const builtin = await loadBuiltinPlugins();

describeIf(hasPostgres(), postgresNeeded, 'PostgreSQL index', async () => {
  const server = await startPostgres();
  describe('as every index', () => {
    describeIndex(async () => {
      const url = await server.createDatabase();
      const index = await openPostgresIndex({ url, bucket, plugins: builtin });
      whenFileIsDone(() => index.close());
      return { index, dump: () => dumpPostgres(url, `os_inspector_v${schemaVersion}`) };
    });
  });
});
