import { styleText } from 'node:util';
import { runDoctor } from '../../engine/contract/doctor.ts';
import { dataPaths } from '../../engine/paths.ts';
import type { PreflightCheck } from '../../shared/notebook.ts';
import { EXIT } from '../exit-codes.ts';
import { clip, tableText } from '../format.ts';

const SIGNS: Readonly<Record<PreflightCheck['outcome'], string>> = {
  ok: styleText('blue', '✓ ok'),
  warning: styleText('yellow', '! warning'),
  failed: styleText(['yellow', 'bold'], '✗ failed'),
  skipped: styleText('gray', '– skipped'),
};

export async function doctor(
  path: string,
  flags: { readonly tag?: string; readonly json?: boolean },
): Promise<void> {
  const checks = await runDoctor({
    path,
    tag: flags.tag ?? null,
    paths: dataPaths(process.env),
    environment: process.env,
  });
  if (flags.json) process.stdout.write(`${JSON.stringify(checks, null, 2)}\n`);
  else {
    const rows = checks.map(({ outcome, name, detail }) => [
      SIGNS[outcome],
      name,
      clip(detail.split('\n')[0] ?? '', 400),
    ]);
    process.stdout.write(`${tableText(rows, ['left', 'left', 'left'])}\n`);
    // What is to be copied into a file stands by itself.
    for (const { detail } of checks) {
      const [, ...more] = detail.split('\n');
      if (more.length > 0) process.stdout.write(`\n${more.join('\n')}`);
    }
  }
  if (checks.some(check => check.outcome === 'failed')) process.exitCode = EXIT.usage;
}
