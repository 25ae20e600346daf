/** parse: kinds of values that several settings have; each throws an Error that says what to write instead. */
import { formatDuration, parseDuration } from '../../plugins/duration.ts';

/** @param or what else may stand there */
export function parseDurationWithin(
  value: string,
  least: number,
  most: number,
  example: string,
  or = '',
): number {
  const ms = parseDuration(value);
  if (ms === null || ms < least || ms > most) {
    const bounds = `from ${formatDuration(least)} to ${formatDuration(most)}`;
    throw new Error(
      `must be ${or}a length of time ${bounds}, as in ${example}, but is ${JSON.stringify(value)}`,
    );
  }
  return ms;
}

export function parseChoice<const Choice extends string>(value: string, choices: readonly Choice[]): Choice {
  const chosen = choices.find((choice) => choice === value);
  if (chosen === undefined)
    throw new Error(`must be ${choices.join(' or ')}, but is ${JSON.stringify(value)}`);
  return chosen;
}

export function parseSwitch(value: string): boolean {
  return parseChoice(value, ['on', 'off']) === 'on';
}

export function parseWholeNumber(value: string, least: number, most: number): number {
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < least || number > most) {
    throw new Error(`must be a whole number from ${least} to ${most}, but is ${JSON.stringify(value)}`);
  }
  return number;
}
