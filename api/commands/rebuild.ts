/** rebuild: the command that builds the index anew from the bucket. */
import { openBucket } from '../bucket/open-bucket.ts';
import { openRebuild } from '../index/open-index.ts';
import type { Known } from '../load-plugins.ts';
import { makeProgressBar } from '../progress-bar.ts';
import { rebuildIndex } from '../rebuild.ts';
import type { ApiSettings } from '../settings.ts';
import { reportCorrupt } from './report-corrupt.ts';
import { stopSignal } from './stop-signal.ts';

export async function runRebuild(settings: ApiSettings, { plugins }: Known): Promise<number> {
  const signal = stopSignal();
  const bucket = await openBucket(settings.bucket);
  const bar = makeProgressBar(process.stderr);
  try {
    const rebuild = await openRebuild({ settings: settings.index, bucket: bucket.location, plugins });
    const { segments, reports, corrupt } = await rebuildIndex({
      bucket,
      rebuild,
      retentionMs: settings.retentionMs,
      onProgress: bar.update,
      signal,
    });
    bar.stop();
    process.stdout.write(
      `rebuilt the index from ${bucket.location}: ${segments} segments, ${reports} reports\n`,
    );
    return reportCorrupt(corrupt);
  } catch (cause) {
    bar.stop();
    if (!signal.aborted) throw cause;
    process.stderr.write('os-inspector-api: stopped; the next rebuild goes on from here\n');
    return 1;
  } finally {
    bucket.close();
  }
}
