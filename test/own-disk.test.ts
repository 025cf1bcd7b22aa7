import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { isOnOwnDisk } from '../src/engine/remote/own-disk.ts';

test.skipIf(!existsSync('/dev/shm'))(
  'memory of this machine is a disk of its own, what the kernel makes up is none',
  async () => {
    expect(await isOnOwnDisk('/dev/shm')).toBe(true);
    expect(await isOnOwnDisk('/proc')).toBe(false);
  },
);
