/**
 * What a model does here, whatever it is asked in: it reads a file, edits it with the agent's own tool, calls one of
 * Pawl's over the Model Context Protocol, and answers.
 */
export type Move =
  | { readonly kind: 'read'; readonly path: string }
  | { readonly kind: 'edit'; readonly path: string; readonly old: string; readonly new: string }
  | { readonly kind: 'call'; readonly tool: string; readonly input: Readonly<Record<string, unknown>> }
  | { readonly kind: 'say'; readonly text: string };

/** A request as a mind reads it. */
type Turn = {
  /** Where the agent works, as it says itself. */
  readonly folder: string;
  /** What its tools said in this conversation, oldest first. */
  readonly results: readonly string[];
};

export type Mind = (turn: Turn) => Move;

/** Whole lines: there are tools that know no other edits. */
export type Idea = {
  readonly old: string;
  readonly new: string;
  readonly hypothesis: string;
};

/**
 * Proposes one idea after the other, each in a conversation of its own, which is known by the folder. An idea whose
 * `old` is not in the file any more is passed over; one that was proposed before comes again where nothing else is left.
 */
export function proposing(path: string, ideas: readonly Idea[]): Mind {
  const chosen = new Map<string, Idea | undefined>();
  return ({ folder, results }) => {
    const [file] = results;
    if (file === undefined) return { kind: 'read', path };
    if (!chosen.has(folder)) {
      const open = ideas.filter(idea => file.includes(idea.old));
      const taken = [...chosen.values()];
      chosen.set(folder, open.find(idea => !taken.includes(idea)) ?? open[0]);
    }
    const idea = chosen.get(folder);
    if (!idea) return { kind: 'say', text: 'There is nothing left to try.' };
    if (results.length === 1) return { kind: 'edit', path, old: idea.old, new: idea.new };
    const answer = { hypothesis: idea.hypothesis, rationale: 'It is far from 8.', predicted_effect: -0.06 };
    return { kind: 'say', text: `Done.\n${JSON.stringify({ ...answer, category: 'constant' })}` };
  };
}

/**
 * Works with Pawl's tools: lists the studies, proposes the idea to the latest, waits again and again until it is over, and
 * writes a note with the number of waits. Whatever a tool says in place of that ends it.
 */
export function workingWithPawl(path: string, { old, new: value, hypothesis }: Idea): Mind {
  return ({ results }) => {
    const [listed, ...later] = results;
    if (listed === undefined) return { kind: 'call', tool: 'list_studies', input: {} };
    const study = /"tag":\s*"([^"]+)"/.exec(listed)?.[1];
    const last = later.at(-1);
    if (study !== undefined && last === undefined) {
      const words = { hypothesis, rationale: 'The agent knows better.', predicted_effect: -0.06 };
      const edits = [{ path, old, new: value }];
      return { kind: 'call', tool: 'propose', input: { study, ...words, edits } };
    }
    const [, isOver] = /"is_over":\s*(true|false)/.exec(last ?? '') ?? [];
    const waited = later.length - 1;
    if (isOver === 'false')
      return { kind: 'call', tool: 'wait', input: { study, proposal: numberOf(last, 'proposal'), waited } };
    if (isOver === 'true') {
      const text = `It was me, after ${waited} waits.`;
      return {
        kind: 'call',
        tool: 'add_note',
        input: { study, experiment: numberOf(last, 'experiment'), text },
      };
    }
    return { kind: 'say', text: last ?? listed };
  };
}

function numberOf(result: string | undefined, name: string): number {
  return Number(new RegExp(`"${name}":\\s*(\\d+)`).exec(result ?? '')?.[1]);
}

/** Says what it would do, and does nothing. */
export const prose: Mind = () => ({
  kind: 'say',
  text: 'I would raise LR to 8, because it is low. Shall I go on?',
});

/** How a server answers in place of the mind. */
export type Trouble =
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body: Readonly<Record<string, unknown>>;
      /** Over plain requests only, where the program would rather have a socket. */
      readonly isPlain?: boolean;
    }
  /** Nothing at all, until the client goes away. */
  | { readonly kind: 'silence' }
  /** The model declines, in the provider's own form; or its answer is cut off by a filter, where that is another. */
  | { readonly kind: 'refusal'; readonly isCut?: boolean };

/** What a server is told to do with each request that a model would answer. */
export type Script = Mind | Trouble;
