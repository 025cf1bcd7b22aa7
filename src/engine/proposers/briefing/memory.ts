import { ascending } from 'd3-array';
import { signOf } from '../../../shared/contract/contract.ts';
import { listed } from '../../../shared/listed.ts';
import { counted } from '../../../shared/numbers.ts';
import { MADE_CHARACTERS, sourceLabel } from '../../../shared/proposers/memory.ts';
import { findBest, type Study } from '../../../shared/study.ts';
import { isEmptyNumber } from '../../../shared/verdicts/probes.ts';
import { stripControl } from '../../metrics/line-splitter.ts';
import type { HistoryEntry } from '../../store/experiment-past.ts';
import { parseLiteral, readNumber } from '../search/literal.ts';
import { type Turn, turnsOf } from '../search/turns.ts';
import { signed } from './words.ts';

/** A finished experiment; `crash` is how its last run ended. */
export type LearntEntry = HistoryEntry & { readonly crash: string | null };
export type EarlierStudy = {
  readonly study: Pick<Study, 'id' | 'tag' | 'gitDir' | 'contract' | 'createdAt' | 'importedFrom'>;
  /** In order of `n`. */
  readonly history: readonly LearntEntry[];
};

/** This many tries without a keep make a dead end, or a range of values that does not work. */
const SEVERAL = 3;
const STUDIES = 8;
/** How many experiments of one study, and how many values, a line names. */
const SHOWN = 5;
const IDEA_CHARACTERS = 140;
const NAME_CHARACTERS = 60;
const MESSAGE_CHARACTERS = 100;
/** Crashes that the machine caused, or whose cause is unknown. */
const OF_MACHINE: ReadonlySet<string> = new Set(['disk_full', 'spawn_failed']);
const NOT_OF_VALUE: ReadonlySet<string> = new Set([...OF_MACHINE, 'killed']);
/** The category of all the search's experiments; their constants say more. */
const NO_THEMES: ReadonlySet<string> = new Set(['', 'constant', 'constants', 'tuning', 'baseline']);

type Tried = {
  readonly label: string;
  readonly entry: LearntEntry;
  readonly incumbent: number | null;
  /** Positive is better; null if either number is missing. */
  readonly gain: number | null;
};

type Section = {
  readonly title: string;
  /** Most useful first. */
  readonly lines: readonly string[];
  /** Characters reserved for this section. */
  readonly share: number;
};

/** Whether one study's results may apply to the other: the same metric of the same repository, or of an imported table. */
export function isComparable(own: EarlierStudy['study'], other: EarlierStudy['study']): boolean {
  const [mine, theirs] = [own.contract.metric, other.contract.metric];
  const isOfRepository = other.importedFrom !== null || other.gitDir === own.gitDir;
  return own.id !== other.id && isOfRepository && mine.name === theirs.name && mine.goal === theirs.goal;
}

/**
 * What other studies learnt, for the proposers of `own`: at most {@link MADE_CHARACTERS}, one line per finding with
 * the experiments behind it; empty if there is nothing. It quotes text from models and trainings, at most a line each
 * and without control sequences, so callers must mark it as data when they give it to a model.
 */
export function memoryOf(own: EarlierStudy['study'], studies: readonly EarlierStudy[]): string {
  const earlier = studies
    .filter(({ study }) => isComparable(own, study))
    .sort(({ study: a }, { study: b }) => b.createdAt - a.createdAt || ascending(a.id, b.id))
    .map(({ study, history }) => ({ study, tried: triedIn(sourceLabel(study), own, history), history }))
    .filter(({ tried }) => tried.length > 0);
  if (earlier.length === 0) return '';
  const tried = earlier.flatMap(other => other.tried);
  const { lines, told } = rangesOf(tried);
  return compose([
    { title: 'Studies', share: 700, lines: earlier.slice(0, STUDIES).map(describeStudy) },
    { title: 'Kept, best gain first', share: 2_200, lines: keptLines(tried) },
    { title: 'Ranges in which everything failed', share: 1_000, lines },
    {
      title: 'Dead ends: tried several times, none kept',
      share: 1_200,
      lines: [...themeLines(tried), ...constantLines(tried, told)],
    },
    { title: 'Crashes', share: 700, lines: crashLines(tried) },
  ]);
}

/** Every experiment except the baseline, with the value it was compared to. */
function triedIn(
  label: string,
  own: EarlierStudy['study'],
  history: readonly LearntEntry[],
): readonly Tried[] {
  const sign = -signOf(own.contract.metric.goal);
  let best: number | null = null;
  return history.flatMap(entry => {
    // An imported table names no incumbents, so the last keep counts as one.
    const incumbent = entry.incumbentMetric ?? best;
    if (entry.verdict === 'keep') best = entry.record ?? best;
    if (entry.verdict === 'keep' && incumbent === null) return [];
    const gain = entry.record === null || incumbent === null ? null : sign * (entry.record - incumbent);
    return [{ label, entry, incumbent, gain }];
  });
}

function describeStudy({
  study,
  tried,
  history,
}: {
  readonly study: EarlierStudy['study'];
  readonly tried: readonly Tried[];
  readonly history: readonly LearntEntry[];
}): string {
  const { metric, budget } = study.contract;
  const kept = history.flatMap(({ n, verdict, record }) =>
    verdict === 'keep' ? [{ n, metric: record }] : [],
  );
  const [from, to] = [kept[0]?.metric ?? null, findBest(kept, metric.goal)?.metric ?? null];
  return [
    `- ${sourceLabel(study)}: ${tried.length} tried`,
    `${tried.filter(isKept).length} kept`,
    ...(from === null || to === null
      ? []
      : [`${oneLine(metric.name, NAME_CHARACTERS)} ${from}${from === to ? '' : ` to ${to}`}`]),
    ...(budget.seconds > 0 ? [`${budget.seconds} s a run`] : []),
  ].join(', ');
}

function keptLines(tried: readonly Tried[]): readonly string[] {
  const kept = tried
    .filter(isKept)
    .sort((a, b) => (b.gain ?? Number.NEGATIVE_INFINITY) - (a.gain ?? Number.NEGATIVE_INFINITY) || 0);
  // An idea that was kept in several studies is listed once.
  return [...Map.groupBy(kept, ({ entry }) => entry.hypothesis.trim().toLowerCase()).values()].flatMap(
    same => {
      const [first, ...others] = same;
      if (!first) return [];
      const { label, entry, incumbent } = first;
      const theme = oneLine(entry.category ?? '', NAME_CHARACTERS);
      const gain =
        entry.reason === 'simplified'
          ? ', equal and simpler'
          : entry.record === null || incumbent === null
            ? ''
            : `, ${signed(entry.record - incumbent)}`;
      const also = others.length === 0 ? '' : `; also ${sources(others)}`;
      return `- ${label} #${entry.n}: ${idea(entry)}${theme === '' ? '' : ` [${theme}]`}${gain}, keep${also}`;
    },
  );
}

/** Constants with a working value above or below which nothing worked, and their names. */
function rangesOf(tried: readonly Tried[]): {
  readonly lines: readonly string[];
  readonly told: ReadonlySet<string>;
} {
  const told = new Set<string>();
  const found: { readonly line: string; readonly count: number }[] = [];
  for (const [key, turns] of turnsByConstant(tried)) {
    // Values that work: those before a change, and those that were kept or came out equal.
    const good = turns.flatMap(({ turn, one }) => [
      ...numberIn(turn.from),
      ...(isKept(one) || one.entry.reason === 'equal' ? numberIn(turn.to) : []),
    ]);
    if (good.length === 0) continue;
    const bad = failuresOf(turns).flatMap(({ turn, one }) =>
      numberIn(turn.to).map(value => ({ one, turn, value })),
    );
    for (const side of ['above', 'below'] as const) {
      const bound = side === 'above' ? Math.max(...good) : Math.min(...good);
      const beyond = bad
        .filter(({ value }) => (side === 'above' ? value > bound : value < bound))
        .sort((a, b) => Math.abs(a.value - bound) - Math.abs(b.value - bound));
      if (beyond.length < SEVERAL) continue;
      told.add(key);
      const crashes = beyond.filter(({ one }) => one.entry.verdict === 'crash').length;
      const counts = [
        ...(beyond.length > crashes ? [`${beyond.length - crashes} worse`] : []),
        ...(crashes > 0 ? [counted(crashes, 'crash', 'crashes')] : []),
      ];
      found.push({
        count: beyond.length,
        line: `- ${constantName(beyond[0]?.turn)} ${side} ${bound}: ${counts.join(', ')} (${values(beyond)}) (${sources(beyond.map(({ one }) => one))})`,
      });
    }
  }
  return { told, lines: byCount(found) };
}

function themeLines(tried: readonly Tried[]): readonly string[] {
  const themes = Map.groupBy(tried, ({ entry }) =>
    oneLine(entry.category ?? '', NAME_CHARACTERS).toLowerCase(),
  );
  return byCount(
    [...themes].flatMap(([theme, all]) => {
      const discards = all.filter(({ entry }) => entry.verdict === 'discard');
      if (NO_THEMES.has(theme) || all.some(isKept) || discards.length < SEVERAL) return [];
      const closest = discards
        .filter(({ gain, entry }) => gain !== null && !isEmptyNumber(entry.reason))
        .reduce<Tried | null>(
          (best, one) => (best && (best.gain ?? 0) >= (one.gain ?? 0) ? best : one),
          null,
        );
      const near =
        closest?.entry.record == null || closest.incumbent === null
          ? ''
          : `, closest ${signed(closest.entry.record - closest.incumbent)} with “${idea(closest.entry)}”`;
      return [
        {
          count: all.length,
          line: `- ${theme}: ${all.length} tried, none kept${near} (${sources(all)})`,
        },
      ];
    }),
  );
}

function constantLines(tried: readonly Tried[], told: ReadonlySet<string>): readonly string[] {
  return byCount(
    [...turnsByConstant(tried)].flatMap(([key, turns]) => {
      const bad = failuresOf(turns);
      if (told.has(key) || bad.length < SEVERAL || turns.some(({ one }) => isKept(one))) return [];
      const line = `- ${constantName(bad[0]?.turn)} turned: ${bad.length} tried (${values(bad)}), none kept (${sources(bad.map(({ one }) => one))})`;
      return [{ count: bad.length, line }];
    }),
  );
}

function crashLines(tried: readonly Tried[]): readonly string[] {
  const crashes = tried.filter(
    ({ entry }) => entry.verdict === 'crash' && !OF_MACHINE.has(entry.reason) && entry.reason !== 'imported',
  );
  const causes = Map.groupBy(crashes, ({ entry }) => {
    const type =
      entry.reason === 'exception' ? /^[A-Za-z_][\w.]{0,60}(?=:)/.exec(entry.crash ?? '')?.[0] : null;
    return type ? `${entry.reason}, ${type}` : entry.reason;
  });
  return byCount(
    [...causes].map(([cause, all]) => {
      const example = all[0]?.entry;
      const message = oneLine(example?.crash ?? '', MESSAGE_CHARACTERS);
      const words = example ? `, such as “${idea(example)}”${message === '' ? '' : `: ${message}`}` : '';
      return {
        count: all.length,
        line: `- ${cause}: ${counted(all.length, 'crash', 'crashes')}${words} (${sources(all)})`,
      };
    }),
  );
}

type Turned = { readonly turn: Turn; readonly one: Tried };

/** Experiments that, as far as is known, changed a single constant, by constant. */
function turnsByConstant(tried: readonly Tried[]): ReadonlyMap<string, readonly Turned[]> {
  const turned = tried.flatMap(one => {
    const [turn, ...more] = turnsOf(one.entry.memo);
    return turn && (more.length === 0 || isKept(one)) ? [{ turn, one }] : [];
  });
  return Map.groupBy(turned, ({ turn }) => `${turn.file}\0${turn.name}`);
}

function failuresOf(turns: readonly Turned[]): readonly Turned[] {
  return turns.filter(
    ({ one: { entry } }) =>
      (entry.verdict === 'crash' && !NOT_OF_VALUE.has(entry.reason)) ||
      (entry.verdict === 'discard' && entry.reason !== 'equal'),
  );
}

function constantName(turn: Turn | undefined): string {
  return `${oneLine(turn?.name ?? '', NAME_CHARACTERS)} in ${oneLine(turn?.file ?? '', NAME_CHARACTERS)}`;
}

function values(turns: readonly { readonly turn: Turn }[]): string {
  return listed([...new Set(turns.map(({ turn }) => oneLine(turn.to, 24)))], SHOWN);
}

/** The experiments' numbers by study, in order. */
function sources(all: readonly Tried[]): string {
  return [...Map.groupBy(all, ({ label }) => label)]
    .map(([label, own]) => {
      const ns = own.map(({ entry }) => entry.n).sort((a, b) => a - b);
      return `${label} ${listed(
        ns.map(n => `#${n}`),
        SHOWN,
      )}`;
    })
    .slice(0, SHOWN)
    .join('; ');
}

function idea({ hypothesis }: HistoryEntry): string {
  return oneLine(hypothesis, IDEA_CHARACTERS);
}

/** Text that fits into a line: without line breaks, marks that turn the direction of writing, or invisible characters. */
function oneLine(text: string, length: number): string {
  const plain = stripControl(text.replace(/\s+/g, ' '))
    .replace(/\p{Cf}/gu, '')
    .replace(/\s+/g, ' ')
    .trim();
  return plain.length <= length ? plain : `${plain.slice(0, length).toWellFormed().trimEnd()}…`;
}

function numberIn(text: string): readonly number[] {
  const literal = parseLiteral(text, '');
  const value = literal && readNumber(literal);
  return value === null || !Number.isFinite(value) ? [] : [value];
}

function isKept({ entry }: Tried): boolean {
  return entry.verdict === 'keep';
}

/** What was tried most often comes first. */
function byCount(found: readonly { readonly line: string; readonly count: number }[]): readonly string[] {
  return [...found].sort((a, b) => b.count - a.count || ascending(a.line, b.line)).map(({ line }) => line);
}

/** As many whole lines as fit: first each section's share, then the remaining lines section by section. */
function compose(sections: readonly Section[]): string {
  const counts = sections.map(() => 0);
  const all = () =>
    sections
      .map((section, at) => textOf(section, counts[at] ?? 0))
      .filter(Boolean)
      .join('\n\n');
  for (const isShared of [true, false]) {
    for (const [at, section] of sections.entries()) {
      while ((counts[at] ?? 0) < section.lines.length) {
        const count = (counts[at] ?? 0) + 1;
        const isOver = isShared
          ? textOf(section, count).length > section.share
          : all().length + (section.lines[count - 1]?.length ?? 0) + 30 > MADE_CHARACTERS;
        if (isOver) break;
        counts[at] = count;
      }
    }
  }
  return all();
}

function textOf({ title, lines }: Section, count: number): string {
  if (count === 0) return '';
  const part = count < lines.length ? ` (${count} of ${lines.length})` : '';
  return `## ${title}${part}\n${lines.slice(0, count).join('\n')}`;
}
