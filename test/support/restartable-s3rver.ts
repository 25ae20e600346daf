/** restartable-s3rver: an s3rver that can be killed, and started again with the same port and objects. */
import { node, type Running, start } from './process.ts';
import type { S3Server } from './s3-servers.ts';
import { temporaryFolder } from './temporary-folder.ts';

export type RestartableS3Server = S3Server & {
  kill(): Promise<void>;
  restart(): Promise<void>;
};

export async function startRestartableS3rver(): Promise<RestartableS3Server> {
  const bucket = 'inventory';
  const folder = await temporaryFolder();
  let server: Running;
  let port = '0';

  async function launch(): Promise<void> {
    // Its cursors for long listings use a cipher that OpenSSL 3 has put away.
    const flags = ['--openssl-legacy-provider', '--disable-warning=DEP0106'];
    const program = [...flags, 'node_modules/s3rver/bin/s3rver.js'];
    const args = ['-d', folder, '-a', '127.0.0.1', '-p', port, '--configure-bucket', bucket];
    server = start(node, [...program, ...args]);
    [, port = ''] = await server.waitFor(/listening on \S+?:(\d+)/);
  }

  await launch();
  return {
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    bucket,
    credentials: { AWS_ACCESS_KEY_ID: 'S3RVER', AWS_SECRET_ACCESS_KEY: 'S3RVER' },
    async kill() {
      server.child.kill('SIGKILL');
      await server.exit;
    },
    restart: launch,
  };
}
