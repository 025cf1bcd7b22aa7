import { existsSync } from 'node:fs';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RunningPawl, sitting } from '../support/pawl.ts';
import { contractFile, FAST_TRAINER, temporaryFolder } from '../support/scaffold.ts';
import { fillDisk, freeDisk, NO_SMALL_DISK, smallDisk } from '../support/small-disk.ts';
import { checkNight, prepareNight, rowsOf, TAG } from '../support/study.ts';
import { findSshdFault, type PrivateSshd, pathWithHosts, startSshd } from './private-sshd.ts';

const fault = findSshdFault() ?? NO_SMALL_DISK;
let sshd: PrivateSshd;

// `fault` says what is missing: sshd, or the rights to mount a disk.
describe.skipIf(fault !== null)('a host whose disk is full', () => {
  beforeAll(async () => {
    sshd = await startSshd();
    await mkdir(join(sshd.home, '.cache'));
  });
  afterAll(() => sshd?.stop());

  /** A study whose training does something else than its baseline. */
  async function prepare(attempt: string) {
    const disk = await smallDisk(64);
    await rm(join(sshd.home, '.cache/pawl'), { force: true });
    await symlink(disk, join(sshd.home, '.cache/pawl'));
    const night = await prepareNight({
      trainer: FAST_TRAINER.replace(
        /^value=/m,
        () => `if [ "$LR-$DEPTH-$WIDTH" != 2-4-16 ]; then\n${attempt}\nfi\nvalue=`,
      ),
      contract: contractFile({ limitSeconds: 600 }),
    });
    return { disk, night, options: { home: night.home, env: { PATH: await pathWithHosts(sshd) } } };
  }
  const run = (repository: string, n: string) => [
    ...['run', repository, '--tag', TAG, '-n', n, '--lanes', 'ssh:lab'],
  ];

  test('a training that fills it is a crash, and the next one trains', async () => {
    const once = join(await temporaryFolder(), 'once');
    const fill = `mkdir ${once} 2>/dev/null && { head -c 80000000 /dev/zero > checkpoint; exit 1; }`;
    const { night, options } = await prepare(fill);
    const { code, stderr } = await sitting(run(night.repository, '2'), options);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const verdicts = rowsOf(night.home).experiments.map(({ verdict }) => verdict);
    expect(verdicts.slice(0, 2)).toEqual(['keep', 'crash']);
    expect(verdicts[2]).not.toBe('crash');
    await checkNight(night);
  });

  const WHEN: readonly (readonly [string, string])[] = [
    ['ends with an error', 'exit 1'],
    ['prints more than fits', 'yes "a line of output" | head -c 30000000'],
  ];
  test.each(WHEN)('a training that %s because something else has filled it says nothing', async (_, end) => {
    const place = await temporaryFolder();
    const wait = `if [ ! -e ${place}/again ]; then
  touch ${place}/began; until [ -e ${place}/go ]; do sleep 0.05; done; ${end}
fi`;
    const { disk, night, options } = await prepare(wait);
    const running = new RunningPawl(run(night.repository, '1'), options);
    await expect.poll(() => existsSync(join(place, 'began'))).toBe(true);
    await fillDisk(disk);
    await writeFile(join(place, 'go'), '');
    const { code, stderr } = await running.ended;
    expect(stderr).toMatch(
      /^pawl: Nothing was trained\. The disk that holds \S+ on \S+ is full: \d+ MiB are free\. Make room there/,
    );
    expect(code).not.toBe(0);
    expect(rowsOf(night.home).experiments.map(({ verdict }) => verdict)).toEqual(['keep', null]);
    // Nothing begins on it.
    const again = await sitting(['resume', night.repository], options);
    expect(again.stderr).toMatch(/^pawl: Nothing was trained\. .*(?:is full|No space left on device)/);
    await freeDisk(disk);
    await writeFile(join(place, 'again'), '');
    expect(await sitting(['resume', night.repository], options)).toMatchObject({ code: 0, stderr: '' });
    expect(rowsOf(night.home).experiments.map(({ phase }) => phase)).toEqual(['recorded', 'recorded']);
    await checkNight(night);
  });
});
