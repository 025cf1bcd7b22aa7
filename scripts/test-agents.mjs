// Tests with the real agents: installs pinned versions of them once into a folder outside the checkout, then runs
// test/agents-real with each against a model server on this machine. `--only claude,codex` selects agents; arguments
// after `--` go to Vitest. An agent that cannot be installed is a failure; one that was not selected is reported.
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { requireNode, root } from './find-node.mjs';
import { ensureGit } from './setup.mjs';

const run = promisify(execFile);
const programs = JSON.parse(readFileSync(join(root, 'test', 'agents-real', 'programs.json'), 'utf8'));
const cache = process.env.PAWL_AGENTS_CACHE || join(homedir(), '.cache', 'pawl-agents');

function readArguments() {
  const words = process.argv.slice(2);
  const rest = words.includes('--') ? words.splice(words.indexOf('--')).slice(1) : [];
  const place = words.indexOf('--only');
  const only = place < 0 ? Object.keys(programs) : (words[place + 1] ?? '').split(',').filter(Boolean);
  const unknown = only.filter(name => !(name in programs));
  if (only.length > 0 && unknown.length === 0) return { only, rest };
  console.error(
    `test:agents: --only takes some of ${Object.keys(programs).join(', ')}, with commas between.`,
  );
  process.exit(2);
}

/** Resolves to the reason for a failed installation, or to null. */
async function install(name) {
  const wanted = `${programs[name].package}@${programs[name].version}`;
  const folder = join(cache, name);
  const stamp = join(folder, 'installed');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return null;
  console.log(`test:agents: installing ${wanted}, about ${programs[name].megabytes} MB`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  // The programs install themselves by a script; scripts of the checkout's own packages do not run.
  const options = ['--ignore-scripts=false', '--no-audit', '--no-fund', '--no-save', '--prefix', folder];
  try {
    await run('npm', ['install', ...options, wanted], { cwd: folder, shell: process.platform === 'win32' });
  } catch (error) {
    return (error.stderr || error.message).trim().split('\n').at(-1);
  }
  writeFileSync(stamp, wanted);
  return null;
}

const { only, rest } = readArguments();
await ensureGit();
const node = requireNode();
mkdirSync(cache, { recursive: true });
const tried = [];
const missing = [];
for (const name of only) {
  const why = await install(name);
  if (why === null) tried.push(name);
  else missing.push(`${name} (could not be installed: ${why})`);
}
const others = Object.keys(programs).filter(name => !only.includes(name));
const names = tried.map(name => `${name} ${programs[name].version}`);

const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const code = await new Promise(resolve => {
  if (tried.length === 0) return resolve(1);
  const child = spawn(node, [vitest, 'run', '-c', join(root, 'vitest.agents.config.ts'), ...rest], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, PAWL_AGENTS_CACHE: cache, PAWL_AGENTS_TRIED: tried.join(',') },
  });
  child.on('error', () => resolve(1));
  child.on('exit', ended => resolve(ended ?? 1));
});
console.log(`test:agents: run with ${names.join(', ') || 'none'}`);
const left = [...missing, ...others.map(name => `${name} (not asked for)`)];
if (left.length > 0) console.log(`test:agents: not run: ${left.join(', ')}`);
process.exitCode = missing.length > 0 ? 1 : code;
