/** tokens: who may do what, for administrators; and how an agent gets a credential of its own. */
import { GraphQLError } from 'graphql';
import type { CredentialDraft } from '../auth/credential.ts';
import type { Listed } from '../auth/credentials.ts';
import type { CredentialState } from '../auth/directory.ts';
import { toDraft } from '../auth/draft.ts';
import { type Enrolled, enrol } from '../auth/enrol.ts';
import type { Identity, Scope } from '../auth/identity.ts';
import type { Builder } from '../builder.ts';
import { Failure } from '../failure.ts';
import { inputError } from './input-error.ts';
import type { ScopeType } from './viewer.ts';

const states: Record<CredentialState, string> = {
  valid: 'It is good.',
  expired: 'Its time is over.',
  revoked: 'Somebody has ended it.',
  replaced: 'Its host has enrolled again since.',
  spent: 'The uses of its enrolment secret were taken by others before it.',
};

const credentialKindNames = {
  TOKEN: { value: 'token', description: 'For people and programs.' },
  HOST: { value: 'host', description: 'Of an agent: it sends reports of its own host.' },
  ENROLMENT: { value: 'enrolment', description: 'With it an agent gets a credential of its own.' },
} as const;

type Made = { token: Listed; secret: string };

export function defineTokens(builder: Builder, scope: ScopeType): void {
  const kind = builder.enumType('TokenKind', { values: credentialKindNames, description: 'What it is for.' });
  const state = builder.enumType('TokenState', {
    description: 'Whether it is good.',
    values: Object.fromEntries(
      Object.entries(states).map(([value, description]) => [value.toUpperCase(), { value, description }]),
    ),
  });
  const token = builder.objectRef<Listed>('Token').implement({
    description: 'A credential that was made here, without its secret.',
    fields: (t) => ({
      id: t.field({ type: 'UUID', resolve: ({ credential }) => credential.id }),
      name: t.string({ resolve: ({ credential }) => credential.name }),
      kind: t.field({ type: kind, resolve: ({ credential }) => credential.kind }),
      state: t.field({ type: state, resolve: (listed) => listed.state }),
      scopes: t.field({ type: [scope], resolve: ({ credential }) => [...credential.scopes] }),
      hostId: t.field({
        type: 'UUID',
        nullable: true,
        description: 'The only host that it is good for; null for all hosts.',
        resolve: ({ credential }) => credential.narrowedTo?.hostId ?? null,
      }),
      labels: t.field({
        type: 'Labels',
        nullable: true,
        description: 'It is good for hosts with these labels alone; null for all hosts.',
        resolve: ({ credential }) => credential.narrowedTo?.labels ?? null,
      }),
      createdAt: t.field({ type: 'DateTime', resolve: ({ credential }) => new Date(credential.createdAt) }),
      expiresAt: t.field({
        type: 'DateTime',
        nullable: true,
        description: 'Null for never.',
        resolve: ({ credential }) => toDate(credential.expiresAt),
      }),
      uses: t.int({
        nullable: true,
        description: 'How many hosts may enrol with it; null for any number, and for what enrols nobody.',
        resolve: ({ credential }) => credential.uses,
      }),
      enrolledHosts: t.int({
        description: 'How often a host has enrolled with it.',
        resolve: ({ enrolled }) => enrolled,
      }),
    }),
  });
  const made = builder.objectRef<Made>('CreateTokenPayload').implement({
    description: 'A new token.',
    fields: (t) => ({
      token: t.field({ type: token, resolve: (payload) => payload.token }),
      secret: t.exposeString('secret', { description: 'Shown this once: nobody can show it again.' }),
    }),
  });
  const input = builder.inputType('CreateTokenInput', {
    description: 'What a new token is for.',
    fields: (t) => ({
      name: t.string({ required: true, description: 'For people: who has it, and what for.' }),
      scopes: t.field({ type: [scope], required: true, description: 'None for one that enrols.' }),
      enrols: t.boolean({
        required: true,
        defaultValue: false,
        description: 'An enrolment secret: with it agents get a credential of their own.',
      }),
      uses: t.int({ description: 'How many hosts may enrol with it; null for any number.' }),
      hostId: t.field({ type: 'UUID', description: 'Narrows it to one host.' }),
      labels: t.field({ type: 'Labels', description: 'Narrows it to hosts with all of these labels.' }),
      expiresAt: t.field({ type: 'DateTime', description: 'Null for never.' }),
    }),
  });
  const enrolment = builder.objectRef<Enrolled & { hostId: string }>('Enrolment').implement({
    description: 'What an agent shows from now on.',
    fields: (t) => ({
      hostId: t.field({ type: 'UUID', resolve: (enrolled) => enrolled.hostId }),
      credential: t.exposeString('secret', {
        description: 'The bearer token of this host, and of no other. Shown this once.',
      }),
      expiresAt: t.field({
        type: 'DateTime',
        nullable: true,
        description: 'Null for never.',
        resolve: ({ expiresAt }) => toDate(expiresAt),
      }),
    }),
  });

  builder.queryField('tokens', (t) =>
    t.field({
      type: [token],
      description: 'All that were ever made, the oldest first.',
      authScopes: { admin: true },
      resolve: (_root, _args, { services }) => services.credentials.list(),
    }),
  );
  builder.mutationField('createToken', (t) =>
    t.field({
      type: made,
      description: 'Makes a token, and shows its secret.',
      authScopes: { admin: true },
      args: { input: t.arg({ type: input, required: true }) },
      async resolve(_root, { input: given }, { services, identity }) {
        const { credentials, now, audit } = services;
        const draft = drafted(given, identity, now());
        const { credential, secret } = await credentials.create(draft);
        const { id, name, kind, scopes, narrowedTo } = credential;
        audit('token.created', identity, { token: { id, name, kind, scopes, narrowedTo } });
        return { token: { credential, state: 'valid' as const, enrolled: 0 }, secret };
      },
    }),
  );
  builder.mutationField('revokeToken', (t) =>
    t.boolean({
      description:
        'Ends a credential; every server refuses it within seconds. False when there is none of this id.',
      authScopes: { admin: true },
      args: { id: t.arg({ type: 'UUID', required: true }) },
      async resolve(_root, { id }, { services, identity }) {
        const isDone = await services.credentials.revoke(id, identity.id);
        if (isDone) services.audit('token.revoked', identity, { token: { id } });
        return isDone;
      },
    }),
  );
  builder.mutationField('enrolHost', (t) =>
    t.field({
      type: enrolment,
      authScopes: { enrol: true },
      description:
        'Gives an agent a credential that is bound to its host, and ends the one that the host had. Asked with an enrolment secret.',
      args: {
        hostId: t.arg({ type: 'UUID', required: true }),
        hostName: t.arg.string({
          required: true,
          description: 'For people: it is no part of what is allowed.',
        }),
      },
      async resolve(_root, { hostId, hostName }, { services, identity }) {
        const { credentials, audit } = services;
        try {
          const enrolled = await enrol(credentials, identity, { id: hostId, name: hostName });
          audit('host.enrolled', identity, { hostId, hostName, token: { id: enrolled.credentialId } });
          return { ...enrolled, hostId };
        } catch (cause) {
          if (!(cause instanceof Failure && cause.kind === 'INVALID')) throw cause;
          audit('host.enrolment-refused', identity, { hostId, hostName, reason: cause.message });
          throw new GraphQLError(cause.message, { extensions: { code: 'FORBIDDEN' } });
        }
      },
    }),
  );
}

type CreateTokenInput = {
  name: string;
  scopes: Scope[];
  enrols: boolean;
  uses?: number | null | undefined;
  hostId?: string | null | undefined;
  labels?: Record<string, string> | null | undefined;
  expiresAt?: Date | null | undefined;
};

function drafted(given: CreateTokenInput, { id }: Identity, now: number): CredentialDraft {
  const { name, scopes, enrols, uses = null, hostId = null, labels = null, expiresAt } = given;
  const until = expiresAt?.getTime() ?? null;
  const kind = enrols ? 'enrolment' : 'token';
  try {
    return toDraft({ name, kind, scopes, hostId, labels, expiresAt: until, uses, createdBy: id }, now);
  } catch (cause) {
    if (cause instanceof Failure && cause.kind === 'INVALID') throw inputError(['input'], cause.message);
    throw cause;
  }
}

function toDate(ms: number | null): Date | null {
  return ms === null ? null : new Date(ms);
}
