import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { dataPaths } from '../../../src/engine/paths.ts';
import { openLedger } from '../../../src/engine/store/ledger.ts';
import { RunningPawl, sitting } from '../../support/pawl.ts';
import { contractFile, createRepository, temporaryFolder } from '../../support/scaffold.ts';
import { dyingAt } from '../../support/study.ts';

/**
 * The second set of values that is ever trained has a lucky first number, and none beats it: after twelve discards it
 * is measured again. Every set has its own number, so the search has something to learn.
 */
const FILES = {
  'train.sh': `WIDTH=16
DEPTH=40
RATE=0.1
own="$NUMBERS/$WIDTH-$DEPTH-$RATE"
ls "$NUMBERS" | grep -c . >"$NUMBERS.count"
mkdir -p "$own"
[ -e "$own/first" ] || cp "$NUMBERS.count" "$own/first"
echo run >>"$own/runs"
case "$(cat "$own/first") $(wc -l <"$own/runs")" in
  0*) echo "val_bpb: 1.000$(wc -l <"$own/runs")" ;;
  "1 1") echo "val_bpb: 0.9000" ;;
  1*) echo "val_bpb: 1.3000" ;;
  *) echo "val_bpb: 1.1$WIDTH" ;;
esac
`,
  'pawl.toml': contractFile({ more: 'environment = ["NUMBERS"]' }),
};

test('the search learns what took a keep back, and a study that was killed there chooses as one that was not', async () => {
  const night = async (death: Readonly<Record<string, string>> | null) => {
    const [home, folder] = [await temporaryFolder(), await temporaryFolder()];
    const repository = await createRepository(FILES);
    const numbers = join(folder, 'numbers');
    await mkdir(numbers);
    const env = { PAWL_VERDICT: undefined, NUMBERS: numbers };
    const command = ['run', repository, '--tag', 'night', '-n', '18', '--strategy', 'gaussian-process'];
    if (death) {
      const dying = new RunningPawl(command, { home, env: { ...env, ...death } });
      expect((await dying.ended).signal).toBe('SIGKILL');
      expect((await sitting(['resume', repository, '-n', '18'], { home, env })).code).toBe(0);
    } else expect((await sitting(command, { home, env })).code).toBe(0);
    const ledger = openLedger(dataPaths({ PAWL_HOME: home }).ledger);
    onTestFinished(() => ledger.close());
    return ledger.experiments.history(ledger.studies.list()[0]?.id ?? '');
  };
  const whole = await night(null);
  expect(whole[1]).toMatchObject({ reason: 'rolled_back', metric: 0.9, record: 1.1 });
  expect(whole).toHaveLength(19);
  for (const death of [{ event: { type: 'repeated', n: 1 } }, { event: { type: 'verdict', n: 5 } }] as const)
    expect(await night(dyingAt(death))).toEqual(whole);
});
