/**
 * containers: the containers of Docker and Podman, and the engines themselves.
 *
 * Source: the HTTP API of the engines on their unix sockets. Whoever may speak to one can do with the host what root can:
 * an agent with fewer rights reports an error that says so. Environment, command and labels of a container may hold
 * secrets and are not told, but for the names that Compose gives. Starts no process, though systemd starts Podman
 * when its socket is asked.
 */

import { boolean, count, definePlugin, instant, ip, list, text, version, z } from './plugin.ts';
import { collectContainers } from './sources/container-engines.ts';

export default definePlugin({
  name: 'containers',
  version: 1,
  description: 'Containers of Docker and Podman with their images, states and ports',
  facts: {
    engines: list(
      'Engines that answer, in the order of their sockets',
      {
        socket: text('Socket it is asked on', { nullable: false }),
        name: text('As it calls itself: Engine for Docker, Podman Engine'),
        version: version('Its version'),
        apiVersion: version('Newest version of its API'),
        storageDriver: text('What keeps the layers: overlay2, btrfs'),
        dataFolder: text('Folder that holds images and containers'),
        cgroupVersion: text('Version of control groups: 1, 2'),
        rootless: boolean('Whether it runs without the rights of root'),
      },
      { key: 'socket' },
    ),
    containers: list(
      'Every container, stopped ones too, by name',
      {
        id: text('First 12 digits of its id', { nullable: false }),
        name: text('Its first name'),
        socket: text('Socket of its engine', { nullable: false }),
        image: text('Name of its image, as it was started with'),
        imageId: text('Digest of that image, in hexadecimal, which tells builds of one name apart'),
        state: text('created, running, paused, restarting, exited, dead'),
        createdAt: instant('When it was made'),
        composeProject: text('Project of Compose that it belongs to'),
        composeService: text('Service in that project'),
        networks: list('Networks it is in, by name', text('Its name')),
        ports: list(
          'Ports that it opens, by number; those of a stopped one are not told',
          {
            containerPort: count('Port inside', { nullable: false }),
            protocol: text('tcp, udp, sctp'),
            address: ip('Address of the host where it can be reached; null when it cannot from outside'),
            hostPort: count('Port of the host; null when it cannot be reached from outside'),
          },
          { key: ['containerPort', 'protocol', 'address', 'hostPort'] },
        ),
      },
      { key: ['socket', 'id'] },
    ),
  },
  readings: {
    total: count('Containers'),
    running: count('Those that run'),
    paused: count('Those that are paused'),
    stopped: count('Those that are neither running nor paused'),
    unhealthy: count('Those that run and whose own check of health fails'),
  },
  source: '/run/docker.sock, /run/podman/podman.sock',
  platforms: ['linux', 'darwin'],
  options: z.strictObject({
    sockets: z
      .array(z.string().regex(/^\//, 'must be an absolute path of a socket'))
      .min(1)
      .default(['/run/docker.sock', '/var/run/docker.sock', '/run/podman/podman.sock'])
      .describe('Sockets to ask; of several that are the same one, the first.'),
  }),
  collect: collectContainers,
});
