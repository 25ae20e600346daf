/** refuse-before-running: holds what has been parsed and validated against a rule, before any of it is run. */
import type { ExecutionArgs, GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { ApiContext } from './context.ts';

type Refusals = readonly GraphQLError[];

/** @param refusalsOf why an operation may not run; none where it may */
export function refuseBeforeRunning(
  refusalsOf: (args: ExecutionArgs) => Refusals | Promise<Refusals>,
): Plugin<ApiContext> {
  type Stop = (result: { errors: Refusals }) => void;
  const check = ({
    args,
    setResultAndStopExecution,
  }: {
    args: unknown;
    setResultAndStopExecution: unknown;
  }) => {
    const stopIfRefused = (errors: Refusals) => {
      if (errors.length > 0) (setResultAndStopExecution as Stop)({ errors });
    };
    const errors = refusalsOf(args as ExecutionArgs);
    // Most rules have nothing to wait for, and each report passes all of them.
    return errors instanceof Promise ? errors.then(stopIfRefused) : stopIfRefused(errors);
  };
  return { onExecute: check, onSubscribe: check } as Plugin<ApiContext>;
}
