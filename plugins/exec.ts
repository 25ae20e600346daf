/**
 * exec: makes a plugin of any executable or script that prints JSON; each use of it is a plugin of its own name.
 *
 * What the command prints is one object of facts and readings by name, or null where there is nothing to report.
 * It runs without a shell and with few of the agent's variables, and is ended with all that it started when its
 * time is up. No plugin that the API knows: what such a plugin tells is stored and found as it was sent.
 */
import { isAbsolute, resolve, sep } from 'node:path';
import { type AnyPlugin, type CollectContext, factsDeclaration, type Secret, secret, z } from './plugin.ts';
import { parseOutput } from './sources/command-output.ts';
import { runProgram } from './sources/run-program.ts';

const word = z.string().refine((value) => !value.includes('\0'), 'must not hold U+0000');

const commandHint = 'must be a list of a program and its arguments, such as ["./rack.sh", "--json"]';

const envHint = 'must be text, or { "env": "NAME" } or { "file": "/path" } that says where a secret is';

export const execOptions = z
  .strictObject({
    command: z
      .array(word, commandHint)
      .refine(([program]) => program, commandHint)
      .describe('The program, which is a file (relative to the config) or found by PATH, and its arguments.'),
    cwd: word.min(1).optional().describe('Folder it runs in; by default that of the config.'),
    env: z
      .record(z.string().regex(/^[^=\0]+$/, 'is no name of a variable'), z.union([word, secret()], envHint))
      .default({})
      .describe('Variables that it gets beside PATH and the like.'),
    facts: factsDeclaration.optional().describe('Its facts; without them whatever it prints is a fact.'),
    readings: factsDeclaration
      .optional()
      .describe('Which of what it prints are readings, which change by themselves.'),
    description: z.string().min(1).optional().describe('What it tells, in one line.'),
    version: z
      .int32()
      .positive()
      .default(1)
      .describe('Raised when a fact is renamed or comes to mean something else.'),
  })
  .superRefine(({ facts, readings }, ctx) => {
    for (const name of Object.keys(readings ?? {})) {
      if (!facts || !Object.hasOwn(facts, name)) continue;
      ctx.addIssue({ code: 'custom', path: ['readings', name], message: 'is declared as a fact already' });
    }
  });

export type ExecOptions = z.output<typeof execOptions>;

/** A command as it is run: every path absolute, but for a program that PATH finds. */
export type Command = { program: string; args: readonly string[]; cwd: string };

/** @param folder what relative paths are relative to: that of the config */
export function toCommand({ command: [program = '', ...args], cwd }: ExecOptions, folder: string): Command {
  const isFile = program.includes('/') || program.includes(sep);
  const file = isFile && !isAbsolute(program) ? resolve(folder, program) : program;
  return { program: file, args, cwd: resolve(folder, cwd ?? '.') };
}

/** Without declared facts the plugin has none: whoever collects must keep what is undeclared. */
export function execPlugin(name: string, options: ExecOptions, folder: string): AnyPlugin {
  const { version, description, facts = {}, readings, env } = options;
  const command = toCommand(options, folder);
  return {
    name,
    version,
    description: description ?? `What ${options.command[0]} prints`,
    facts,
    ...(readings ? { readings } : {}),
    source: options.command[0],
    async collect({ root, signal }: CollectContext) {
      const run = { ...command, env: { ...passedOn(process.env), HOST_ROOT: root, ...revealed(env) } };
      // biome-ignore lint/suspicious/noExplicitAny: what a command prints is held against its declaration by whoever collects
      return parseOutput(await runProgram(run, signal)) as any;
    },
  };
}

/** A program has no other way to them. */
function revealed(env: Readonly<Record<string, string | Secret>>): Record<string, string> {
  const pairs = Object.entries(env);
  return Object.fromEntries(
    pairs.map(([name, value]) => [name, typeof value === 'string' ? value : value.reveal()]),
  );
}

/** What programs need to run; all else that the agent has may be a secret, as its token is. */
const passedNames = [
  ...['PATH', 'HOME', 'USER', 'LOGNAME', 'TMPDIR', 'TZ'],
  ...[
    'SystemRoot',
    'SystemDrive',
    'ComSpec',
    'PATHEXT',
    'TEMP',
    'TMP',
    'USERPROFILE',
    'ProgramData',
    'ProgramFiles',
  ],
];

function passedOn(own: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const passed = passedNames.map((name) => [name, own[name]]).filter(([, value]) => value !== undefined);
  // The same words and numbers on every host, whatever its language.
  return { ...Object.fromEntries(passed), LC_ALL: 'C', LANGUAGE: 'C' };
}
