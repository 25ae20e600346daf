/**
 * udev-data: what udev found on a block device, from its database in /run/udev/data.
 */

export type UdevContent = {
  fileSystem: string | null;
  label: string | null;
  uuid: string | null;
  partitionLabel: string | null;
  partitionUuid: string | null;
  serial: string | null;
};

/** Lines of properties are `E:NAME=value`; names of a device, links and the rest begin with other letters. */
export function parseUdevData(data: string): UdevContent {
  const properties = new Map(
    [...data.matchAll(/^E:([^=\n]+)=(.+)$/gm)].map(([, name, value]) => [name, value]),
  );
  const decoded = (name: string) => decode(properties.get(name)) || null;
  return {
    fileSystem: properties.get('ID_FS_TYPE') ?? null,
    label: decoded('ID_FS_LABEL_ENC') ?? properties.get('ID_FS_LABEL') ?? null,
    uuid: properties.get('ID_FS_UUID') ?? null,
    partitionLabel: decoded('ID_PART_ENTRY_NAME'),
    partitionUuid: properties.get('ID_PART_ENTRY_UUID') ?? null,
    serial: properties.get('ID_SERIAL_SHORT') ?? null,
  };
}

/** Bytes that are not safe in names of links are written as `\x20`; together they are UTF-8. */
function decode(value: string | undefined): string {
  const latin = Buffer.from(value ?? '', 'utf8').toString('latin1');
  const bytes = latin.replace(/\\x([0-9a-fA-F]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8').replaceAll('\0', '').trim();
}
