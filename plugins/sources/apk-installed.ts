/**
 * apk-installed: reads the database of Alpine's apk, in which each field has one letter for its name.
 */
import { type InstalledPackage, sizeOf } from './installed-package.ts';
import { fieldOf, paragraphsOf } from './paragraphs.ts';

export function parseApkInstalled(database: string): InstalledPackage[] {
  const found: InstalledPackage[] = [];
  for (const paragraph of paragraphsOf(database)) {
    const name = fieldOf(paragraph, '\nP:');
    // A name with a dot in front is a set that `apk add --virtual` made, no package.
    if (!name || name.startsWith('.')) continue;
    found.push({
      name,
      version: fieldOf(paragraph, '\nV:'),
      architecture: fieldOf(paragraph, '\nA:'),
      manager: 'apk',
      source: fieldOf(paragraph, '\no:'),
      sizeBytes: sizeOf(fieldOf(paragraph, '\nI:')),
    });
  }
  return found;
}
