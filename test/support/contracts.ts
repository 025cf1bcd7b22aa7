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
