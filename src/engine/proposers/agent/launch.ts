import type { ProcessOptions, ProcessResult } from '../../process/run-process.ts';
import type { AgentOutput, Asked } from './program.ts';

/** How an agent is started, for both ways of talking to it. */
export type Launch = {
  /** The command before the program: its jail; empty for none. */
  readonly behind: readonly string[];
  readonly asked: Asked;
  readonly prompt: string;
  readonly process: Omit<ProcessOptions, 'argv' | 'input' | 'onLine'>;
  /** Paths it may write, relative to its working folder. */
  readonly isEditable: (path: string) => boolean;
  readonly onThought: (text: string) => void;
};

export type Answered = { readonly result: ProcessResult; readonly output: AgentOutput };
