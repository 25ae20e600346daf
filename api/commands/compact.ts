/** compact: the command that merges the small segments of past hours. */
import { openBucket } from '../bucket/open-bucket.ts';
import type { Failure } from '../failure.ts';
import { compact } from '../log/compact.ts';
import type { ApiSettings } from '../settings.ts';
import { reportCorrupt } from './report-corrupt.ts';
import { stopSignal } from './stop-signal.ts';

export async function runCompact(settings: ApiSettings): Promise<number> {
  const signal = stopSignal();
  const bucket = await openBucket(settings.bucket);
  const corrupt: Failure[] = [];
  try {
    const { merged, written, bytesBefore, bytesAfter } = await compact({
      bucket,
      now: Date.now,
      signal,
      onCorrupt: (failure) => corrupt.push(failure),
    });
    process.stdout.write(
      `compacted ${bucket.location}: ${merged} segments became ${written}, ${bytesBefore} bytes ${bytesAfter}\n`,
    );
    return reportCorrupt(corrupt);
  } catch (cause) {
    if (!signal.aborted) throw cause;
    process.stderr.write('os-inspector-api: stopped; what was merged until now stays\n');
    return 1;
  } finally {
    bucket.close();
  }
}
