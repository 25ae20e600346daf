/** needs: tests of what a machine may lack; where it does they are skipped, and the run says why. */
import { describe, test } from 'vitest';

type Body = () => void | Promise<void>;

/** Skips a test, in its name and in the run's output, when `can` is false. */
export function testIf(can: boolean, reason: string, name: string, body: Body): void {
  test.runIf(can)(can ? name : told(name, reason), body);
}

/** The same for a group of tests. */
export function describeIf(can: boolean, reason: string, name: string, body: () => void): void {
  describe.runIf(can)(can ? name : told(name, reason), body);
}

function told(name: string, reason: string): string {
  console.warn(`skipped: ${name}: ${reason}`);
  return `${name} (skipped: ${reason})`;
}
