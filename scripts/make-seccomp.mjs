// Makes the system call filters for contained programs: resources/seccomp/<arch>.bpf, for bubblewrap's --seccomp. The
// denied calls have no use in a training and have let programs escape from sandboxes: keys of the session, mounts and
// namespaces, io_uring, userfaultfd, the clock, kernel modules. Sources: seccomp(2), bpf(4); numbers from the
// kernel's syscall_64.tbl and asm-generic/unistd.h (6.18).
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './find-node.mjs';

/** Number on x64, number on arm64; null if the architecture has none. */
const DENIED = {
  ...{ keyctl: [250, 219], add_key: [248, 217], request_key: [249, 218] },
  ...{ io_uring_setup: [425, 425], io_uring_enter: [426, 426], io_uring_register: [427, 427] },
  ...{ userfaultfd: [323, 282], bpf: [321, 280], perf_event_open: [298, 241] },
  ...{ mount: [165, 40], umount2: [166, 39], pivot_root: [155, 41], chroot: [161, 51], setns: [308, 268] },
  ...{ open_tree: [428, 428], move_mount: [429, 429], fsopen: [430, 430], fsconfig: [431, 431] },
  ...{ fsmount: [432, 432], fspick: [433, 433], mount_setattr: [442, 442], open_tree_attr: [467, 467] },
  ...{ open_by_handle_at: [304, 265], quotactl: [179, 60], quotactl_fd: [443, 443], acct: [163, 89] },
  ...{ kexec_load: [246, 104], kexec_file_load: [320, 294], reboot: [169, 142] },
  ...{ init_module: [175, 105], finit_module: [313, 273], delete_module: [176, 106] },
  ...{ swapon: [167, 224], swapoff: [168, 225], syslog: [103, 116], vhangup: [153, 58] },
  ...{ settimeofday: [164, 170], clock_settime: [227, 112], clock_adjtime: [305, 266], adjtimex: [159, 171] },
  ...{ iopl: [172, null], ioperm: [173, null] },
};
const CLONE = [56, 220];
const UNSHARE = [272, 97];
const SOCKET = [41, 198];
/** Its arguments are in memory, which a filter cannot read; a program that gets ENOSYS uses clone instead. */
const CLONE3 = 435;

const CLONE_NEWUSER = 0x10000000;
/** Reaches out of a virtual machine, regardless of the network namespace. */
const AF_VSOCK = 40;
const [EPERM, ENOSYS, EAFNOSUPPORT] = [1, 38, 97];

const ARCHITECTURES = { x64: 0xc000003e, arm64: 0xc00000b7 };
/** On x64, numbers from here on belong to the x32 ABI. */
const X32 = 0x40000000;

// Offsets into struct seccomp_data; arguments have 8 bytes, the lower half first.
const [NUMBER, ARCHITECTURE, FIRST_ARGUMENT] = [0, 4, 16];
const [LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN] = [0x20, 0x15, 0x35, 0x45, 0x06];
const ALLOW = 0x7fff0000;
const errno = number => 0x00050000 | number;

/** @param {'x64' | 'arm64'} arch */
export function seccompFilter(arch) {
  const column = arch === 'x64' ? 0 : 1;
  const program = [];
  const add = (code, value, then = 0, otherwise = 0) => program.push([code, then, otherwise, value]);
  const answer = value => add(RETURN, value);
  add(LOAD, ARCHITECTURE);
  add(EQUAL, ARCHITECTURES[arch], 1, 0);
  answer(errno(ENOSYS));
  add(LOAD, NUMBER);
  if (arch === 'x64') {
    add(AT_LEAST, X32, 0, 1);
    answer(errno(ENOSYS));
  }
  for (const numbers of Object.values(DENIED)) {
    if (numbers[column] === null) continue;
    add(EQUAL, numbers[column], 0, 1);
    answer(errno(EPERM));
  }
  add(EQUAL, CLONE3, 0, 1);
  answer(errno(ENOSYS));
  for (const numbers of [CLONE, UNSHARE]) {
    add(EQUAL, numbers[column], 0, 4);
    add(LOAD, FIRST_ARGUMENT);
    add(ANY_BIT, CLONE_NEWUSER, 0, 1);
    answer(errno(EPERM));
    answer(ALLOW);
  }
  add(EQUAL, SOCKET[column], 0, 3);
  add(LOAD, FIRST_ARGUMENT);
  add(EQUAL, AF_VSOCK, 0, 1);
  answer(errno(EAFNOSUPPORT));
  answer(ALLOW);
  const bytes = Buffer.alloc(8 * program.length);
  for (const [index, [code, then, otherwise, value]] of program.entries()) {
    bytes.writeUInt16LE(code, 8 * index);
    bytes.writeUInt8(then, 8 * index + 2);
    bytes.writeUInt8(otherwise, 8 * index + 3);
    bytes.writeUInt32LE(value >>> 0, 8 * index + 4);
  }
  return bytes;
}

if (process.argv[1] === import.meta.filename) {
  const folder = join(root, 'resources', 'seccomp');
  mkdirSync(folder, { recursive: true });
  for (const arch of Object.keys(ARCHITECTURES)) {
    writeFileSync(join(folder, `${arch}.bpf`), seccompFilter(arch));
  }
}
