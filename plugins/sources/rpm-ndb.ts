/**
 * rpm-ndb: finds the package headers in Packages.db, the database that rpm has on SUSE.
 *
 * A page of slots says where each header lies, in blocks of 16 bytes; the header is wrapped in a blob that
 * names the package's number again. Numbers are little-endian. See lib/backend/ndb/rpmpkg.c of rpm.
 */

const pageBytes = 4096;
const blockBytes = 16;
const slotBytes = 16;
/** The database's own header takes the place of the first two slots. */
const firstSlot = 32;
const databaseMagic = 'RpmP';
const slotMagic = 'Slot';
const blobMagic = 'BlbS';
const blobHeaderBytes = 16;
/** Far more pages of slots than any host has packages for. */
const maxSlotPages = 4096;

/** The headers in the order of their slots; blobs that are damaged are left out. Null when it is no such database. */
export function readNdb(database: Uint8Array): Uint8Array[] | null {
  if (database.length < pageBytes || magicAt(database, 0) !== databaseMagic) return null;
  const view = new DataView(database.buffer, database.byteOffset, database.byteLength);
  const slotPages = Math.min(view.getUint32(12, true), maxSlotPages);
  const slotsEnd = Math.min(slotPages * pageBytes, database.length - slotBytes + 1);
  const headers: Uint8Array[] = [];
  for (let at = firstSlot; at < slotsEnd; at += slotBytes) {
    if (magicAt(database, at) !== slotMagic) continue;
    const [packageNumber, offset] = [view.getUint32(at + 4, true), view.getUint32(at + 8, true) * blockBytes];
    if (offset === 0 || offset + blobHeaderBytes > database.length) continue;
    if (magicAt(database, offset) !== blobMagic || view.getUint32(offset + 4, true) !== packageNumber)
      continue;
    const start = offset + blobHeaderBytes;
    const end = start + view.getUint32(offset + 12, true);
    if (end <= database.length) headers.push(database.subarray(start, end));
  }
  return headers;
}

function magicAt(database: Uint8Array, at: number): string {
  return String.fromCharCode(...database.subarray(at, at + 4));
}
