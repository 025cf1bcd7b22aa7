import { posix } from 'node:path';

/** Names of what measures: tests, benchmarks, their cases. */
const JUDGE =
  /(?:^|[/_.-])(?:tests?|bench(?:es)?|benchmark\w*|evals?|evaluat\w+|fixtures?|cases?|suites?|specs?|checks?|harness|scor(?:er|ing)|judges?|golden|snapshots?)(?=[/_.-])/i;
/** "Only modify to fix bugs in tests", "do not edit to improve the metric". */
const CONDITION =
  /\bonly (?:\w+ )?(?:to|for|if|when|where)\b|\bunless\b|\bto (?:improve|inflate|game|raise|lower)\b|\beas(?:ier|ily)\b/i;
/** "Do NOT rig fixtures", "not cheating". */
const CAUTION =
  /(?:\b(?:not|never|no|without)|n['’]t)\s+(?:\w+\s+)?(?:rig|weaken|gam(?:e|ing)|cheat|loosen|relax|inflat|tamper|fak(?:e|ing))/i;

/** "LEGITIMATE edits: new diagnostics": such a file is meant to be edited. */
const FAIR = /\blegitimate\b|\ballowed\b|\bpermitted\b|\bacceptable\b/i;
/** "Do NOT modify production source code, only add tests". */
const TESTED = /\b(?:production|application|implementation|source)\s+(?:\w+\s+)?(?:code|logic|files?)\b/i;
const TEST = /(?:^|[/._-])(?:tests?|specs?|__tests__)(?=[/._-])/i;
/** Matches `OrderTest.java`, but not `attest.py`. */
const TEST_CLASS = /\p{Ll}Tests?\.\w+$/u;

/** Whether a file is a test, by its path. */
export function isTest(path: string): boolean {
  return TEST.test(path) || TEST_CLASS.test(path);
}

/** Whether a clause that forbids something means the code under test. */
export function isOfTested(clause: string): boolean {
  return TESTED.test(clause);
}

/** Whether a file is one of those that measure, by its path. */
export function isJudge(path: string): boolean {
  return JUDGE.test(path) || TEST_CLASS.test(path);
}

/** Whether a clause that forbids a file says when it may be changed after all. */
export function isConditional(clause: string): boolean {
  return CONDITION.test(clause);
}

/** Whether a clause warns against making a measurement easier, in an entry that does not go on to say what is fair. */
export function isCautious(clause: string, entry: string): boolean {
  return CAUTION.test(clause) && !FAIR.test(entry);
}

/** Whether an editable file judges beside a guarded one: the text may mean it too. */
export function isBeside(path: string, guarded: string): boolean {
  return isJudge(path) && posix.dirname(path) === posix.dirname(guarded);
}
