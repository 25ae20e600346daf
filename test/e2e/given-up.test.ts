/** given-up: what a client no longer waits for, or has waited for too long, the database stops working on. */
import { Client } from 'pg';
import { expect, test } from 'vitest';
import { answerOf, startApi } from '../support/api-process.ts';
import { eventually } from '../support/eventually.ts';
import { describeIf } from '../support/needs.ts';
import { hasPostgres, postgresNeeded, runSql, startPostgres } from '../support/postgres.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describeIf(hasPostgres(), postgresNeeded, 'PostgreSQL', () => {
  test('by a client that goes, and by the time limit', { timeout: 180_000 }, async () => {
    const url = await (await startPostgres()).createDatabase();
    const folder = await temporaryFolder();
    const [patient, hasty] = await Promise.all(
      ['5m', '2s'].map((limit) => startApi(folder, { env: { INDEX_URL: url, QUERY_TIMEOUT: limit } })),
    );
    if (!patient || !hasty) throw new Error('two were started');
    const working = async () => {
      const [row] = await runSql(
        url,
        `SELECT count(*)::int AS n FROM pg_stat_activity
          WHERE state = 'active' AND application_name = 'os-inspector' AND datname = current_database()`,
      );
      return Number(row?.n);
    };
    const [schema] = await runSql(url, `SELECT schemaname FROM pg_tables WHERE tablename = 'reports'`);
    // As long as this transaction lasts, whoever reads reports waits in the database.
    const holder = new Client(url);
    await holder.connect();
    await holder.query(`BEGIN; LOCK TABLE ${schema?.schemaname}.reports IN ACCESS EXCLUSIVE MODE`);
    try {
      const leaving = new AbortController();
      const query = '{ reports { totalCount nodes { id } } }';
      const left = answerOf(patient.url, query, {}, leaving.signal);
      left.catch(() => {});
      await eventually('the database works on it', async () => (await working()) > 0);
      leaving.abort();
      await expect(left).rejects.toThrow();
      await eventually('the database does not', async () => (await working()) === 0);

      const late = answerOf(hasty.url, query);
      await eventually('the database works on it', async () => (await working()) > 0);
      expect((await late).errors?.[0]).toMatchObject({
        message: expect.stringMatching(
          /^the query took longer than 2s: ask for less, or narrow it by a filter$/,
        ),
        extensions: { code: 'QUERY_TIMEOUT' },
      });
      await eventually('the database does not', async () => (await working()) === 0);
    } finally {
      await holder.end();
    }
    for (const api of [patient, hasty]) {
      expect((await answerOf(api.url, '{ reports { totalCount } }')).data.reports.totalCount).toBe(0);
      api.child.kill('SIGTERM');
      expect((await api.exit).code).toBe(0);
    }
  });
});
