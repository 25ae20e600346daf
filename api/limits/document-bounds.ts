/**
 * document-bounds: refuses documents that are larger than anyone writes, before they are validated.
 *
 * Validation compares fields with each other, so its time grows faster than the document. What a fragment holds counts
 * each time that it is spread. What the answer may cost is another bound (see query-cost.ts), and needs the schema.
 *
 * One walk of our own: the rules of graphql-armor run beside those of validation, which is too late, and their errors
 * have neither a code nor a hint. How deep lists may be nested in `__schema` is a rule of graphql's own.
 */
import {
  type DocumentNode,
  type FragmentDefinitionNode,
  GraphQLError,
  Kind,
  type SelectionNode,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';

/** What a document may hold. Parsed are at most 5,000 tokens of it (see error-codes.ts). */
export const documentBounds = {
  /** A list of a thousand ids in the text has 40,000. */
  characters: { most: 200_000, hint: 'put values into variables' },
  /** GraphiQL sends all that is in a tab. */
  operations: { most: 20, hint: 'send only the one that is to run' },
  fields: { most: 1_000, hint: 'select less, or take several queries' },
  rootFields: { most: 100, hint: 'take several queries' },
  aliases: { most: 200, hint: 'take a page with a filter, or several queries' },
  directives: { most: 50, hint: 'leave out what is not wanted' },
  /** `__schema` and `__type`. */
  introspections: { most: 10, hint: 'ask for the schema once' },
  /** Of its parts: it holds lists in lists, none of which has a page. */
  introspectionAliases: { most: 10, hint: 'ask for each part of the schema once' },
} as const;

export type DocumentBound = keyof typeof documentBounds;
/** What graphql says once it has compared half a million fields. */
const abandoned = 'Validation aborted.';
const tooAlike = new GraphQLError(
  'the document repeats too many fields to compare them with each other: ask for each once',
  { extensions: { code: 'BAD_USER_INPUT', path: [] } },
);

type Counts = Record<DocumentBound, number>;

/** To stand before what validates. */
export function useDocumentBounds(): Plugin {
  /** By document: those that are sent often are parsed once. */
  const known = new WeakMap<DocumentNode, GraphQLError | null>();
  return {
    onParams({ params, setResult }) {
      const { query } = params;
      if (typeof query === 'string' && query.length > documentBounds.characters.most) {
        setResult({ errors: [tooMany('characters', query.length)] });
      }
    },
    onValidate({ params, setResult }) {
      const document = params.documentAST as DocumentNode;
      const refused = known.get(document) ?? refusalOf(document);
      known.set(document, refused);
      if (refused) setResult([refused]);
      return ({ valid, result, setResult: setOther }) => {
        if (!valid && result.some(({ message }) => message === abandoned)) setOther([tooAlike]);
      };
    },
  };
}

/** What a document has too much of; null where it may be run. */
export function refusalOf(document: DocumentNode): GraphQLError | null {
  const counts = countsOf(document);
  for (const [bound, { most }] of Object.entries(documentBounds)) {
    const count = counts[bound as DocumentBound];
    if (count > most) return tooMany(bound as DocumentBound, count);
  }
  return null;
}

function tooMany(bound: DocumentBound, count: number): GraphQLError {
  const { most, hint } = documentBounds[bound];
  const what = bound.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  // Fragments in fragments multiply beyond what a number can be.
  const shown = Number.isFinite(count) ? count : 'too many';
  const message = `the document has ${shown} ${what}, and may have ${most}: ${hint}`;
  return new GraphQLError(message, {
    extensions: { code: 'BAD_USER_INPUT', path: [], bound, limit: most },
  });
}

const none: Counts = {
  characters: 0,
  operations: 0,
  fields: 0,
  rootFields: 0,
  aliases: 0,
  directives: 0,
  introspections: 0,
  introspectionAliases: 0,
};

/** Of all operations together: each of them is validated. */
function countsOf(document: DocumentNode): Counts {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const node of document.definitions) {
    if (node.kind === Kind.FRAGMENT_DEFINITION) fragments.set(node.name.value, node);
  }
  /** By where it is spread: at the root, in what introspects, or elsewhere. */
  const ofFragments = new Map<string, Counts>();

  function add(sum: Counts, more: Counts): void {
    for (const bound of Object.keys(sum) as DocumentBound[]) sum[bound] += more[bound];
  }

  function ofFragment(name: string, place: Place): Counts {
    const key = `${place} ${name}`;
    const known = ofFragments.get(key);
    if (known) return known;
    const fragment = fragments.get(name);
    // Also what a fragment finds that is spread within itself, which validation refuses.
    ofFragments.set(key, none);
    if (!fragment) return none;
    const counts = ofSelections(fragment.selectionSet.selections, place);
    counts.directives += fragment.directives?.length ?? 0;
    ofFragments.set(key, counts);
    return counts;
  }

  function ofSelections(selections: readonly SelectionNode[], place: Place): Counts {
    const sum = { ...none };
    for (const node of selections) {
      sum.directives += node.directives?.length ?? 0;
      if (node.kind === Kind.FRAGMENT_SPREAD) {
        add(sum, ofFragment(node.name.value, place));
      } else if (node.kind === Kind.INLINE_FRAGMENT) {
        add(sum, ofSelections(node.selectionSet.selections, place));
      } else {
        const { alias, name, selectionSet } = node;
        const introspects = name.value === '__schema' || name.value === '__type';
        sum.fields += 1;
        if (place === 'root') sum.rootFields += 1;
        if (introspects) sum.introspections += 1;
        if (alias) sum.aliases += 1;
        if (alias && place === 'schema') sum.introspectionAliases += 1;
        const within = introspects || place === 'schema' ? 'schema' : 'data';
        if (selectionSet) add(sum, ofSelections(selectionSet.selections, within));
      }
    }
    return sum;
  }

  const sum = { ...none, characters: document.loc?.source.body.length ?? 0 };
  for (const node of document.definitions) {
    if (node.kind !== Kind.OPERATION_DEFINITION) continue;
    sum.operations += 1;
    sum.directives += node.directives?.length ?? 0;
    for (const { directives = [] } of node.variableDefinitions ?? []) sum.directives += directives.length;
    add(sum, ofSelections(node.selectionSet.selections, 'root'));
  }
  return sum;
}

type Place = 'root' | 'data' | 'schema';
