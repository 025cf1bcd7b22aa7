import { join } from 'node:path';
import { contractFile, FAST_TRAINER, temporaryFolder } from './scaffold.ts';
import { type Night, prepareNight } from './study.ts';

export const BASELINE_VALUE = '1064800';
/** Every run except the baseline's waits until the file named by GATE exists. */
const GATED_TRAINER = FAST_TRAINER.replace(
  /^value=.*$/m,
  line => `${line}
[ "$value" = ${BASELINE_VALUE} ] || [ -z "$GATE" ] || until [ -e "$GATE" ]; do sleep 0.02; done`,
);
export const GATED_CONTRACT = contractFile({ limitSeconds: 600, more: 'environment = ["GATE"]' });

export type GatedNight = Night & { readonly gate: string; readonly env: Readonly<Record<string, string>> };

export async function gatedNight(): Promise<GatedNight> {
  const night = await prepareNight({ trainer: GATED_TRAINER, contract: GATED_CONTRACT });
  const gate = join(await temporaryFolder(), 'gate');
  return { ...night, gate, env: { GATE: gate } };
}
