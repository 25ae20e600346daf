/** viewer: who asks, as the API sees them. */
import { scopes as allScopes, type Identity, type IdentityKind } from '../auth/identity.ts';
import type { Builder } from '../builder.ts';

const kinds: Record<IdentityKind, string> = {
  everyone: 'The API asks nobody who they are: it can be reached from its own machine only.',
  token: 'A token that an administrator made.',
  host: 'An agent that has enrolled its host.',
  person: 'A token of the identity provider.',
  certificate: 'The certificate of the connection.',
  enrolment: 'An enrolment secret: it lets an agent enrol, and does nothing else.',
};

export function defineScope(builder: Builder) {
  return builder.enumType('Scope', {
    description: 'What somebody may do.',
    values: {
      SUBMIT: { value: 'submit', description: 'Send reports.' },
      READ: { value: 'read', description: 'Ask for them.' },
      ADMIN: { value: 'admin', description: 'All of it, and who may do what.' },
    } as const,
  });
}

export type ScopeType = ReturnType<typeof defineScope>;

export function defineViewer(builder: Builder, scope: ScopeType): void {
  const kind = builder.enumType('IdentityKind', {
    description: 'How it is known who somebody is.',
    values: Object.fromEntries(
      Object.entries(kinds).map(([value, description]) => [value.toUpperCase(), { value, description }]),
    ),
  });
  const viewer = builder.objectRef<Identity>('Viewer').implement({
    description: 'Who asks, and what they may do.',
    fields: (t) => ({
      kind: t.field({ type: kind, resolve: (identity) => identity.kind }),
      id: t.exposeString('id', { description: 'As the audit log has it; no secret.' }),
      name: t.exposeString('name'),
      scopes: t.field({ type: [scope], resolve: ({ scopes }) => allScopes.filter((one) => scopes.has(one)) }),
      hostId: t.field({
        type: 'UUID',
        nullable: true,
        description: 'The only host that there is for them; null for all hosts.',
        resolve: ({ narrowedTo }) => narrowedTo?.hostId ?? null,
      }),
      labels: t.field({
        type: 'Labels',
        nullable: true,
        description: 'Only hosts with these labels are there for them; null for all hosts.',
        resolve: ({ narrowedTo }) => narrowedTo?.labels ?? null,
      }),
    }),
  });
  builder.queryField('viewer', (t) =>
    t.field({
      type: viewer,
      description: 'Who asks, and what they may do.',
      authScopes: { anyone: true },
      resolve: (_root, _args, { identity }) => identity,
    }),
  );
}
