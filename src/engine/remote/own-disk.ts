import { statfs } from 'node:fs/promises';

/** Magic numbers of ext, XFS, Btrfs, F2FS, ZFS and tmpfs, which belong to one machine. Sources: `linux/magic.h`, OpenZFS. */
const OF_ONE_MACHINE = new Set([0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0x2fc12fc1, 0x01021994]);

/** Whether a folder is on this machine, so that the kernel reports each change in it, and answers at once. */
export async function isOnOwnDisk(folder: string): Promise<boolean> {
  return OF_ONE_MACHINE.has((await statfs(folder)).type);
}
