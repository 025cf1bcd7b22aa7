import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/**
 * Checks at run time that the double does not hide a mistake: using a member that the double lacks throws an error with
 * the member's name instead of giving `undefined`, and so does listening for an event that Electron does not declare.
 * `faithful.ts` checks the types.
 */

/** Node's own `await`, `inspect` and `JSON.stringify` read these from every object. */
const ASKED_OF_ANYTHING = new Set(['then', 'toJSON', 'constructor', 'nodeType']);

/** Returns a proxy that throws if code uses a member that `target` lacks. Errors refer to it by `name`. */
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
      // Methods get the object itself as `this`, because the proxy has no private members.
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

/** Returns the names of the events that `electron.d.ts` declares for a class or interface, including inherited ones. */
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

/** An emitter that accepts listeners only for the events that Electron declares for `className`. */
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

/** Returns an event with these details that a listener can refuse with `preventDefault`. */
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
