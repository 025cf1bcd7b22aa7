import { expect } from 'vitest';
import { parsePawlToml } from '../../src/engine/contract/pawl-toml.ts';
import { PawlError } from '../../src/shared/errors.ts';

const TRAIN_PY = 'LR = 2\nprint("---")\nprint(f"val_bpb:          {1 + abs(LR - 8) / 100:.6f}")\n';

export const VALID = `[contract]
editable = ["train.sh"]
train = "sh train.sh"
[metric]
name = "loss"
`;

export function autoresearchFiles(preparePy: string): Record<string, string> {
  return { 'train.py': TRAIN_PY, 'prepare.py': preparePy, 'program.md': 'Lower val_bpb.\n' };
}

/** The message with which a contract is refused. */
export function errorOf(text: string): string {
  try {
    parsePawlToml(text, 'pawl.toml');
  } catch (error) {
    expect(error).toBeInstanceOf(PawlError);
    expect(error).toMatchObject({ code: 'contract_invalid' });
    const { message } = error as PawlError;
    expect(message).not.toMatch(/[\n\r\x1b]/);
    expect(message.length).toBeLessThan(500);
    return message;
  }
  throw new Error('the contract was accepted');
}

/** The contract with one more line in one of its tables. */
export const budget = (line: string) => `${VALID}[budget]\n${line}\n`;
export const stop = (line: string) => `${VALID}[stop]\n${line}\n`;
/** The contract with another list of editable files. */
export const editable = (list: string) => VALID.replace('["train.sh"]', list);
