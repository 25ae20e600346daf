/** did-you-mean: guesses which known word a wrong one stands for. */
import leven from 'leven';

/** Of names and paths that people type. */
const maxLength = 100;

/** A hint such as `did you mean "network"?`, or null when nothing known is near. */
export function didYouMean(wrong: string, known: readonly string[]): string | null {
  // Comparing takes the product of both lengths, and what is long is no slip of the finger.
  if (wrong.length > maxLength) return null;
  const near = known
    .filter((word) => word.length <= 2 * maxLength)
    .map((word) => ({ word, distance: leven(wrong.toLowerCase(), word.toLowerCase()) }))
    .filter(
      ({ word, distance }) => distance <= Math.max(1, Math.floor(Math.min(word.length, wrong.length) / 2)),
    )
    .sort((a, b) => a.distance - b.distance)[0];
  return near ? `did you mean ${JSON.stringify(near.word)}?` : null;
}
