import type { Telemetry } from '../machine/telemetry.ts';
import type { DataPaths } from '../paths.ts';
import type { KillTimes } from '../process/kill-tree.ts';
import type { ProposerSurroundings } from '../proposers/create-proposer.ts';
import type { CallTimes } from '../proposers/model/caller.ts';

/** What a host gives its engine. */
export type EngineOptions = {
  readonly paths: DataPaths;
  /** Which host this is, for the message that another engine shows. */
  readonly host: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly now?: () => number;
  readonly killTimes?: KillTimes;
  readonly storedKey?: ProposerSurroundings['storedKey'];
  readonly callTimes?: CallTimes;
  readonly askAgainMs?: number;
  /** With false, each proposal is requested only when its turn has come. */
  readonly isLookingAhead?: boolean;
  /** Watches the machine while studies run; without it runs have no telemetry. The host starts and stops it. */
  readonly telemetry?: Telemetry;
};
