import { execFileSync } from 'node:child_process';

/**
 * The real path of `python3`: on the PATH it may be a version manager's shim, a shell script that costs more than
 * most runs.
 */
export const PYTHON = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], {
  encoding: 'utf8',
}).trim();

/**
 * For a command line: Python without its installed packages. Finding them takes four times as long as the rest of its
 * start.
 */
export const QUICK_PYTHON = `"${PYTHON}" -S`;
