import { once } from 'node:events';
import { chmod, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from './scaffold.ts';

export const H100 =
  '0, GPU-8fe3a97d-51f6-a669-0d80-b4530b81b816, NVIDIA H100 80GB HBM3, 97, 45061, 81559, 54, 612.37, 700.00, 1755, 2619, [N/A], 5, 16, 0x0000000000000004, Disabled';
/** A GPU split by MIG has no utilisation as a whole. */
export const MIG =
  '1, GPU-c97b7f88-c06d-650f-5339-f8dd0c1315c0, NVIDIA A100-SXM4-40GB, [N/A], 19, 40960, 31, 54.21, 400.00, 210, 1215, [N/A], 4, 16, 0x0000000000000001, Enabled';
/** A small card without power readings. */
export const LAPTOP =
  '2, GPU-a230e637-c9e1-1b61-3830-a437b874d88d, NVIDIA GeForce MX150, 3, 210, 2048, 45, [Not Supported], [Not Supported], 139, 405, 31, 3, 4, [Not Supported], [N/A]';

/** One process of the stand-in for nvidia-smi. It does only what the test tells it. */
export type FakeTool = {
  readonly args: readonly string[];
  readonly pid: number;
  /** Prints text on standard output. */
  print(text: string): void;
  /** Prints text and exits. */
  end(text: string, code: number, stream?: 'stdout' | 'stderr'): void;
  /** Resolves when the process is dead, however it died. */
  readonly gone: Promise<unknown>;
};

const FAKE_TOOL = `const socket = require('node:net').connect(process.argv[2]);
socket.write(JSON.stringify({ args: process.argv.slice(3), pid: process.pid }) + '\\n');
socket.on('close', () => process.exit());
require('node:readline').createInterface({ input: socket }).on('line', line => {
  const { text, code, stream = 'stdout' } = JSON.parse(line);
  process[stream].write(text, () => {
    if (code !== undefined) process.exit(code);
  });
});
`;

/** An executable nvidia-smi in its own folder, and its processes in the order of their start. */
export async function fakeNvidiaSmi(): Promise<{
  environment: { PATH: string };
  next(): Promise<FakeTool>;
  count(): number;
}> {
  const folder = await temporaryFolder();
  const waiting: ((tool: FakeTool) => void)[] = [];
  const started: FakeTool[] = [];
  let count = 0;
  const server = createServer((socket: Socket) => {
    const gone = new Promise(resolve => socket.on('close', resolve));
    socket.on('error', () => {});
    onTestFinished(() => void socket.destroy());
    createInterface({ input: socket }).on('line', line => {
      const tell = (order: object) => socket.write(`${JSON.stringify(order)}\n`);
      const tool: FakeTool = {
        ...(JSON.parse(line) as Pick<FakeTool, 'args' | 'pid'>),
        print: text => tell({ text }),
        end: (text, code, stream) => tell({ text, code, stream }),
        gone,
      };
      count += 1;
      const waiter = waiting.shift();
      if (waiter) waiter(tool);
      else started.push(tool);
    });
  });
  const path = join(folder, 'socket');
  server.listen(path);
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  await writeFile(join(folder, 'fake.cjs'), FAKE_TOOL);
  await writeTool(
    folder,
    `#!/bin/sh\n[ "$1" = -L ] && exit\nexec '${process.execPath}' '${join(folder, 'fake.cjs')}' '${path}' "$@"\n`,
  );
  return {
    environment: { PATH: folder },
    next: () => {
      const tool = started.shift();
      return tool ? Promise.resolve(tool) : new Promise(resolve => waiting.push(resolve));
    },
    count: () => count,
  };
}

export async function writeTool(folder: string, script: string): Promise<void> {
  await writeFile(join(folder, 'nvidia-smi'), script);
  await chmod(join(folder, 'nvidia-smi'), 0o755);
}
