/**
 * fetch-classes: as much of `Headers` and `Response` as the agent and graphql-request ask of them, in place of Node's own,
 * which bring all of its `fetch` into memory.
 */
type HeaderPairs = Iterable<readonly [string, string]>;

/** Names are in lower case, and several values of one name are one text, as the standard has it. */
export class Headers {
  readonly #values = new Map<string, string>();

  constructor(init: HeaderPairs | Record<string, string> = []) {
    const pairs = Symbol.iterator in init ? (init as HeaderPairs) : Object.entries(init);
    for (const [name, value] of pairs) this.append(name, value);
  }

  append(name: string, value: string): void {
    const before = this.get(name);
    this.set(name, before === null ? value : `${before}, ${value}`);
  }

  set(name: string, value: string): void {
    this.#values.set(name.toLowerCase(), String(value).trim());
  }

  get(name: string): string | null {
    return this.#values.get(name.toLowerCase()) ?? null;
  }

  has(name: string): boolean {
    return this.#values.has(name.toLowerCase());
  }

  forEach(visit: (value: string, name: string) => void): void {
    for (const [name, value] of this) visit(value, name);
  }

  [Symbol.iterator](): Iterator<[string, string]> {
    return this.#values.entries();
  }
}

/** One whose whole body is here. */
export class Response {
  readonly status: number;
  readonly ok: boolean;
  readonly headers: Headers;
  readonly #body: string;

  constructor(body: string | null, { status, headers }: { status: number; headers: Headers }) {
    this.#body = body ?? '';
    this.status = status;
    this.ok = status >= 200 && status <= 299;
    this.headers = headers;
  }

  async text(): Promise<string> {
    return this.#body;
  }

  async json(): Promise<unknown> {
    return JSON.parse(this.#body);
  }
}
