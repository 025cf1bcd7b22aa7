import { execFileSync } from 'node:child_process';

/** What `python3` leads to: a version manager's shim on the PATH is a shell script that costs more than most runs. */
export const PYTHON = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], {
  encoding: 'utf8',
}).trim();
