import { rmSync } from 'node:fs';
import { release } from 'node:os';
import { zstdDecompressSync } from 'node:zlib';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { builtinPluginNames } from '../../plugins/index.ts';
import { runAgent } from '../support/agent-process.ts';
import { startApi } from '../support/api-process.ts';
import { testIf } from '../support/needs.ts';
import { node, run } from '../support/process.ts';
import {
  bucketUrl,
  hasRealS3,
  realS3,
  realS3Needed,
  type S3Server,
  startS3rver,
} from '../support/s3-servers.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** What another tool finds in the bucket: keys, and the lines of each object. */
async function readBucket({ endpoint, region, bucket, credentials }: S3Server) {
  const client = new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: {
      accessKeyId: credentials.AWS_ACCESS_KEY_ID,
      secretAccessKey: credentials.AWS_SECRET_ACCESS_KEY,
    },
  });
  const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
  const objects = await Promise.all(
    Contents.map(async ({ Key = '' }) => {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key }));
      const text = zstdDecompressSync((await Body?.transformToByteArray()) ?? new Uint8Array()).toString(
        'utf8',
      );
      return {
        key: Key,
        lines: text
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line)),
      };
    }),
  );
  client.destroy();
  return objects;
}

async function wholePath(server: S3Server): Promise<void> {
  const folder = await temporaryFolder();
  const env = { ...server.credentials, BUCKET_URL: bucketUrl(server, 'fleet/eu') };
  const first = await startApi(folder, { env });
  const once = () => runAgent(['once'], { cwd: folder, env: { OS_INSPECTOR_URL: first.url } });
  for (let sent = 0; sent < 2; sent += 1)
    expect(await once()).toMatchObject({ code: 0, stdout: 'success\n' });
  const query = '{ reports { nodes { id os { kernel } host { name } } } }';
  const { reports } = await first.ask(query);
  expect(reports.nodes).toHaveLength(2);
  expect(reports.nodes[0].os).toEqual({ kernel: release() });
  expect(await (await fetch(new URL('/ready', first.url))).json()).toEqual({ ready: true });

  const objects = await readBucket(server);
  const key =
    /^fleet\/eu\/reports\/date=\d{4}-\d{2}-\d{2}\/hour=\d{2}\/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]{18,}\.ndjson\.zst$/;
  for (const object of objects) expect(object.key).toMatch(key);
  const lines = objects.flatMap((object) => object.lines);
  expect(lines.map(({ id }) => id).toSorted()).toEqual(
    reports.nodes.map(({ id }: { id: string }) => id).toSorted(),
  );
  const plugins = lines[0].results.map(({ plugin }: { plugin: string }) => plugin);
  expect(plugins).toEqual(builtinPluginNames);

  first.child.kill('SIGTERM');
  expect((await first.exit).code).toBe(0);
  rmSync(`${folder}/index.db`);
  const again = await startApi(folder, { env });
  expect((await again.ask(query)).reports).toEqual(reports);
  again.child.kill('SIGTERM');
  await again.exit;

  const stores = { BUCKET_URL: env.BUCKET_URL, INDEX_URL: `sqlite:${folder}/index.db` };
  const rebuilt = await run(node, ['api/main.ts', 'rebuild'], { env: { ...env, ...stores } });
  expect(rebuilt).toMatchObject({ code: 0, stdout: expect.stringMatching(/2 segments, 2 reports/) });
}

test('agent, API, bucket and query on s3rver', async () => wholePath(await startS3rver()));

testIf(hasRealS3(), realS3Needed, 'agent, API, bucket and query on the server of S3_ENDPOINT', async () => {
  const server = await realS3();
  if (server) await wholePath(server);
  expect(server).not.toBeNull();
});

test('a bucket that is not there stops the start, and says what to do', async () => {
  const server = { ...(await startS3rver()), bucket: 'no-such-bucket' };
  const folder = await temporaryFolder();
  const env = {
    ...server.credentials,
    BUCKET_URL: bucketUrl(server, 'x'),
    INDEX_URL: `sqlite:${folder}/index.db`,
    PORT: '0',
  };
  const exit = await run(node, ['api/main.ts'], { env });
  expect(exit).toMatchObject({ code: 1, stderr: expect.stringMatching(/no such bucket; create it/) });
});
