/**
 * listening: the ports on which something waits for others to connect or to send, and what does.
 *
 * Source: /proc/net and /proc/[pid]; no process is started. Which process has a port can be told of the agent's own
 * processes only, unless it runs as root or with CAP_SYS_PTRACE. Process ids are left out: they change with every restart,
 * and what is told here are facts.
 */
import { count, definePlugin, ip, list, text } from './plugin.ts';
import { collectListening } from './sources/listening-sockets.ts';

export default definePlugin({
  name: 'listening',
  version: 1,
  description: 'Ports that are listened on, and the processes behind them',
  facts: {
    sockets: list(
      'Addresses and ports that TCP listens on, and that UDP is bound to without a peer, by protocol and port',
      {
        protocol: text('tcp or udp', { nullable: false }),
        address: ip('Address it is reached at; 0.0.0.0 and :: stand for every one', { nullable: false }),
        port: count('Port it is reached at', { nullable: false }),
        process: text('Name of the process that has it; null if unknown, or if it is the kernel itself'),
        executable: text('File that this process runs; null if unknown'),
        user: text('Name of the account that opened it; null when the host has no name for it'),
        uid: count('User id of that account', { nullable: false }),
      },
      { key: ['protocol', 'address', 'port'] },
    ),
  },
  source: '/proc/net/{tcp,tcp6,udp,udp6}, /proc/[pid], /etc/passwd',
  platforms: ['linux'],
  collect: collectListening,
});
