import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/**
 * What keeps the double honest at run time: using a part of Electron that it does not have throws, with the name of
 * the part, instead of giving `undefined`; and an event that Electron does not know cannot be listened for. What the
 * parts look like is held by the types; see `faithful.ts`.
 */

/** Asked of any object by Node's own `await`, `inspect` and `JSON.stringify`. */
const ASKED_OF_ANYTHING = new Set(['then', 'toJSON', 'constructor', 'nodeType']);

/** The object, with access to what it does not have forbidden. `name` is what errors call it. */
export function strict<T extends object>(name: string, target: T): T {
  const bound = new WeakMap<object, unknown>();
  const require = (key: string | symbol) => {
    if (typeof key === 'symbol' || key in target || ASKED_OF_ANYTHING.has(key)) return;
    throw new Error(`the double of Electron has no ${name}.${key}`);
  };
  return new Proxy(target, {
    get(_target, key) {
      require(key);
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function' || key === 'constructor') return value;
      // Methods see the object itself, whose private members a proxy does not have.
      const known = bound.get(value) ?? value.bind(target);
      bound.set(value, known);
      return known;
    },
    set(_target, key, value) {
      require(key);
      return Reflect.set(target, key, value, target);
    },
  });
}

const declarations = readFileSync(
  join(dirname(createRequire(import.meta.url).resolve('electron/package.json')), 'electron.d.ts'),
  'utf8',
);

/** Names of the events that `electron.d.ts` declares for a class or interface, inherited ones included. */
function declaredEvents(name: string): ReadonlySet<string> {
  const head = new RegExp(`^ {2}(?:class|interface) ${name}(?: extends ([\\w.]+))? \\{$`, 'm').exec(
    declarations,
  );
  if (!head) throw new Error(`electron.d.ts does not declare ${name}`);
  const from = head.index;
  const block = declarations.slice(from, declarations.indexOf('\n  }\n', from));
  const own = [...block.matchAll(/^ {4}on\(event: '([^']+)'/gm)].map(match => match[1] ?? '');
  const parent = head[1];
  const inherited = parent && !/EventEmitter/.test(parent) ? declaredEvents(parent) : [];
  return new Set([...own, ...inherited]);
}

const eventsByClass = new Map<string, ReadonlySet<string>>();

/** An emitter of the events that Electron declares for `className`, and no others. */
export class StrictEmitter extends EventEmitter {
  readonly #className: string;

  constructor(className: string) {
    super();
    this.#className = className;
  }

  #check(event: string | symbol): void {
    let known = eventsByClass.get(this.#className);
    if (!known) {
      known = declaredEvents(this.#className);
      eventsByClass.set(this.#className, known);
    }
    if (typeof event === 'string' && !known.has(event)) {
      throw new Error(`electron.d.ts declares no event ${event} of ${this.#className}`);
    }
  }

  override on(event: string | symbol, listener: (...args: never[]) => void): this {
    this.#check(event);
    return super.on(event, listener as () => void);
  }

  override once(event: string | symbol, listener: (...args: never[]) => void): this {
    this.#check(event);
    return super.once(event, listener as () => void);
  }

  override addListener(event: string | symbol, listener: (...args: never[]) => void): this {
    return this.on(event, listener);
  }
}

/** An event that can be refused, with what it tells. */
export function preventable<T extends object>(details: T) {
  const event = {
    ...details,
    defaultPrevented: false,
    preventDefault() {
      event.defaultPrevented = true;
    },
  };
  return event;
}
