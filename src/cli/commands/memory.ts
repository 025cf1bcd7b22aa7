import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { makeMemory, readMemory, saveMemory } from '../../engine/proposers/study-memory.ts';
import { PawlError } from '../../shared/errors.ts';
import { canRead, proposerLabel } from '../../shared/proposers/proposers.ts';
import { type StudyFlags, withOwnStudy } from '../with-study.ts';

/** Prints what a study's proposers read about earlier studies, or changes it. */
export async function memory(
  flags: StudyFlags & {
    readonly edit?: string;
    readonly clear?: boolean;
    readonly again?: boolean;
  },
): Promise<void> {
  if ([flags.edit, flags.clear, flags.again].filter(Boolean).length > 1) {
    throw new PawlError('usage', '--edit, --clear and --again exclude each other.');
  }
  await withOwnStudy(flags, async (ledger, study) => {
    const own = flags.clear ? '' : flags.edit === undefined ? null : await readText(flags.edit);
    const before = readMemory(ledger, study, Date.now());
    if (own !== null || flags.again) {
      const version =
        own === null
          ? ({ author: 'pawl', text: makeMemory(ledger, study) } as const)
          : ({ author: 'you', text: own } as const);
      const mark = saveMemory(ledger, study, version, before.id, Date.now());
      process.stderr.write(`${mark.text}. It applies from the next proposal on.\n`);
    }
    const { text, author } = readMemory(ledger, study, Date.now());
    // Only the text goes to stdout, so that it can be written to a file, edited, and saved again.
    if (text !== '') process.stdout.write(`${text}\n`);
    else if (own === null) {
      process.stderr.write(
        author === 'you'
          ? `You left it out. "pawl memory --again" writes it again.\n`
          : `No other study of this repository has results in ${study.contract.metric.name} yet.\n`,
      );
    }
    if (text !== '' && !canRead(study.proposer)) {
      process.stderr.write(`This study's proposer (${proposerLabel(study.proposer)}) cannot read it.\n`);
    }
  });
}

function readText(file: string): Promise<string> {
  return readFile(resolve(file), 'utf8').catch(error => {
    throw new PawlError('usage', `${file} cannot be read: ${(error as Error).message}`);
  });
}
