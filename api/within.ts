/** within: bounds how long is waited for what may never answer: a server that is frozen or cut off does not say so. */
import { Failure } from './failure.ts';

/** @throws Failure UNAVAILABLE when it takes longer; the work itself goes on */
export async function within<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(new Failure('UNAVAILABLE', `${what} does not answer within ${ms / 1000} s`));
  }, ms);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
