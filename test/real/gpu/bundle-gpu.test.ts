import { execFile } from 'node:child_process';
import { copyFile, mkdir, readdir, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { gpuStandIns } from '../../support/gpu-stand-ins.ts';
import { temporaryFolder } from '../../support/scaffold.ts';

const run = promisify(execFile);
const BUNDLE = fileURLToPath(new URL('../../../scripts/bundle-gpu.mjs', import.meta.url));

/** A program in the unpacked bundle, with nothing of the machine but what is on the PATH. */
async function start(program: string, args: readonly string[], path: string) {
  const options = {
    env: { PATH: path, HOME: await temporaryFolder(), PAWL_SANDBOX: 'off', PAWL_VERDICT: 'greedy' },
  };
  return run(program, [...args], options).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
  );
}

// Skipped elsewhere, for the bundle is of the machine it is made on, and is made for Linux on x64 only.
const onTarget = test.skipIf(process.platform !== 'linux' || process.arch !== 'x64');

onTarget(
  'the bundle is small, and runs the check and the terminal host on a machine without npm and git',
  async () => {
    const folder = await temporaryFolder();
    const { stdout } = await run(process.execPath, [BUNDLE, folder]);
    expect(stdout).toMatch(/pawl-gpu-check\.tar\.gz, \d+\.\d MiB, with Node, git version 2/);
    const archive = join(folder, 'pawl-gpu-check.tar.gz');
    expect((await stat(archive)).size).toBeLessThan(60 * 1024 ** 2);
    await run('tar', ['-xzf', archive, '-C', folder]);
    const [top, bare] = [join(folder, 'pawl-gpu-check'), join(folder, 'bare')];
    await mkdir(bare);
    for (const name of ['sh', 'cat', 'sed', 'sleep', 'env', 'mkfifo'])
      await symlink(`/bin/${name}`, join(bare, name));

    const without = await start(join(top, 'check-gpu.sh'), [], bare);
    expect(without.code).toBe(3);
    expect(without.stdout).toContain('\n0 ok, 0 failed, 4 skipped\n');
    expect(without.stderr).toContain('there is no NVIDIA GPU on this machine');

    const smi = await gpuStandIns();
    await copyFile(join(smi, 'nvidia-smi'), join(bare, 'nvidia-smi'));
    const withoutTorch = await start(join(top, 'check-gpu.sh'), ['--watch', '2'], bare);
    expect(withoutTorch.code).toBe(0);
    expect(withoutTorch.stdout).toContain('\n11 ok, 0 failed, 3 skipped\n');

    const options = ['--only', 'study', '--experiments', '1', '--seconds', '3'];
    const study = await start(join(top, 'check-gpu.sh'), options, `${smi}:${bare}`);
    expect(study).toMatchObject({ code: 0, stdout: expect.stringContaining('cuda in 2 of 2 runs') });

    const version = await start(join(top, 'pawl.sh'), ['--version'], bare);
    expect(version).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
    expect(await readdir(folder)).toEqual(['bare', 'pawl-gpu-check', 'pawl-gpu-check.tar.gz']);
  },
);
