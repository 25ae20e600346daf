import { expect } from 'vitest';
import { testIf } from './needs.ts';
import { hasPostgres, postgresNeeded, runSql, startPostgres } from './postgres.ts';

testIf(hasPostgres(), postgresNeeded, 'a server keeps what it was told, however it ends', async () => {
  const server = await startPostgres();
  const url = await server.createDatabase();
  await runSql(url, "create table host (name text); insert into host values ('web-1')");
  await server.stop();
  await expect(runSql(url, 'select 1')).rejects.toThrow('ECONNREFUSED');
  await server.restart();
  await runSql(url, "insert into host values ('Web-2')");
  await server.kill();
  await expect(runSql(url, 'select 1')).rejects.toThrow('ECONNREFUSED');
  await server.restart();
  expect(await runSql(url, 'select name from host')).toEqual([{ name: 'web-1' }, { name: 'Web-2' }]);
});

testIf(hasPostgres(), postgresNeeded, 'databases order text by bytes or naturally', async () => {
  const server = await startPostgres();
  const smaller = "select 'web-1' < 'Web-2' as smaller";
  expect(await runSql(await server.createDatabase('natural'), smaller)).toEqual([{ smaller: true }]);
  expect(await runSql(await server.createDatabase('bytes'), smaller)).toEqual([{ smaller: false }]);
  expect(await runSql(server.url(), 'show fsync')).toEqual([{ fsync: 'on' }]);
});
