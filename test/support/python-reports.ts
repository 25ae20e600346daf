/** python-reports: what an agent of the Python system sends. */
export const pythonReport = {
  cpu: 'x86_64',
  os_username: 'alice',
  os_name: 'Linux',
  server_ip: '192.0.2.20',
  timestamp: '2024-11-05 10:20:30.123456',
  os_version: '5.10.0',
};
