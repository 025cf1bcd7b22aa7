import { execFileSync } from 'node:child_process';

/** What `python3` leads to: a version manager's shim on the PATH is a shell script that costs more than most runs. */
export const PYTHON = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], {
  encoding: 'utf8',
}).trim();

/** In a command line: Python without its installed packages. To find them takes four times as long as the rest of its start. */
export const QUICK_PYTHON = `"${PYTHON}" -S`;
