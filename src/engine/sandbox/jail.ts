import { existsSync, realpathSync } from 'node:fs';

/**
 * What a contained program sees: the system read-only, without home folders, sockets and devices that are not for
 * computing. Paths are absolute and contain no symbolic link, except those in `links`.
 */
export type Jail = {
  /** Folders replaced by empty ones; what is written there is lost when the program ends. */
  readonly hidden: readonly string[];
  /** Files and folders mounted in place of others. */
  readonly mounts: readonly Mount[];
  /** Visible read-only, even inside hidden folders. Missing ones are left out. */
  readonly readable: readonly string[];
  /** Folders created inside hidden ones, which every user may enter. */
  readonly made: readonly string[];
  /** Symbolic links created inside hidden folders: target and place. */
  readonly links: readonly (readonly [string, string])[];
  readonly writable: readonly string[];
  /** Folders in writable ones that cannot be moved, outermost first. */
  readonly held: readonly string[];
  /** Files and folders in writable ones that are read-only. */
  readonly sealed: readonly string[];
  /** Paths in sealed folders that are writable after all. */
  readonly opened: readonly string[];
  /** Replacements for visible paths, sealed or not. */
  readonly exchanged: readonly Mount[];
  /** Sockets that no program can connect to. */
  readonly masked: readonly string[];
  readonly network: boolean;
  /** How many bytes each empty folder can take, since it uses memory; null leaves that to the kernel. */
  readonly emptyBytes: number | null;
  readonly cwd: string;
  /** Names in /dev beside the usual ones. */
  readonly devices: readonly string[];
};

export type Mount = { readonly what: string; readonly where: string; readonly isWritable: boolean };

/** Shows the system read-only, and gives no network and an empty working place. */
export const EMPTY_JAIL: Jail = {
  ...{
    hidden: [],
    mounts: [],
    readable: [],
    made: [],
    links: [],
    writable: [],
    held: [],
    sealed: [],
    opened: [],
    exchanged: [],
  },
  ...{ masked: [], network: false, emptyBytes: null, cwd: '/', devices: [] },
};

/** How to use bubblewrap on this machine. */
export type Confinement = {
  /** Whether programs in the jail run as another user than Pawl; see `unprivileged.ts`. */
  readonly dropsUser: boolean;
  /** Whether this bubblewrap can forbid nested user namespaces. */
  readonly forbidsUserNamespaces: boolean;
};

/** Kernel settings that root could write; bubblewrap covers the rest. GPU libraries read /sys, so that is not emptied. */
const KERNEL_INTERFACES = ['/proc/sys'];
/** Lists of the keys that a session holds. */
const KERNEL_SECRETS = ['/proc/keys', '/proc/key-users'];

/** Folders of sockets; programs never need anything in them. */
export const EMPTIED: readonly string[] = ['/tmp', '/run'].filter(existsSync).map(path => realpathSync(path));

/** Names in /dev through which graphics drivers compute: NVIDIA's (and Jetson's), the kernel's DRM, AMD's, WSL's. */
export function computeDevices(names: readonly string[]): readonly string[] {
  return names.filter(
    name => /^(?:nvidia|nvhost|nvmap|nvgpu)/.test(name) || ['dri', 'kfd', 'dxg'].includes(name),
  );
}

/**
 * Arguments of `bwrap` before the command. Later ones lie over earlier ones. Source: bwrap(1). A read-only mount does
 * not keep programs from using the sockets in it, so /run and /tmp, which contain sockets, are emptied.
 */
export function jailArguments(
  jail: Jail,
  { dropsUser, forbidsUserNamespaces }: Confinement,
): readonly string[] {
  const each = (option: string, paths: readonly string[]) => paths.flatMap(path => [option, path, path]);
  // A folder that bubblewrap creates belongs to the user who started it.
  const size = jail.emptyBytes === null ? [] : ['--size', String(jail.emptyBytes)];
  const empty = (path: string) => [...(dropsUser ? ['--perms', '1777'] : []), ...size, '--tmpfs', path];
  return [
    ...['--ro-bind', '/', '/', '--dev', '/dev', ...(dropsUser ? empty('/dev/shm') : []), '--proc', '/proc'],
    ...each('--ro-bind', KERNEL_INTERFACES.filter(existsSync)),
    ...KERNEL_SECRETS.filter(existsSync).flatMap(path => ['--ro-bind', '/dev/null', path]),
    ...EMPTIED.flatMap(empty),
    ...jail.devices.flatMap(name => ['--dev-bind-try', `/dev/${name}`, `/dev/${name}`]),
    // systemd resolves names through it; NixOS keeps its drivers and programs in /run.
    ...each('--ro-bind-try', [
      ...(jail.network ? ['/run/systemd/resolve', '/run/resolvconf', '/run/NetworkManager/resolv.conf'] : []),
      ...['/run/opengl-driver', '/run/current-system', '/run/wrappers'],
    ]),
    ...byDepth([
      ...jail.made.map(path => [path, ['--perms', '0777', '--dir', path]] as const),
      ...jail.hidden.map(path => [path, empty(path)] as const),
      ...jail.mounts.map(
        ({ what, where, isWritable }) => [where, [isWritable ? '--bind' : '--ro-bind', what, where]] as const,
      ),
      ...jail.readable.map(path => [path, ['--ro-bind-try', path, path]] as const),
      ...jail.links.map(([target, at]) => [at, ['--symlink', target, at]] as const),
    ]),
    ...jail.masked.flatMap(path => ['--ro-bind', '/dev/null', path]),
    ...each('--bind', jail.writable),
    // A mount point cannot be renamed.
    ...each('--bind', jail.held),
    ...each('--ro-bind', jail.sealed),
    ...each('--bind', jail.opened),
    ...jail.exchanged.flatMap(({ what, where }) => ['--ro-bind', what, where]),
    ...['--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'],
    ...(jail.network ? [] : ['--unshare-net']),
    // As root, bwrap would leave the program capabilities with which it could undo its mounts.
    ...['--cap-drop', 'ALL'],
    ...(dropsUser
      ? ['--cap-add', 'CAP_SETUID', '--cap-add', 'CAP_SETGID']
      : forbidsUserNamespaces
        ? ['--unshare-user', '--disable-userns']
        : ['--unshare-user-try']),
    // After giving up its user, the program cannot enter that user's private folders, so the change of folder comes
    // later.
    ...['--die-with-parent', '--chdir', dropsUser ? '/' : jail.cwd],
  ];
}

/** Deeper paths come later, so that the nearest named folder decides about a path. */
function byDepth(places: readonly (readonly [string, readonly string[]])[]): readonly string[] {
  const depth = (path: string) => path.split('/').filter(Boolean).length;
  return [...places].sort(([a], [b]) => depth(a) - depth(b)).flatMap(([, options]) => options);
}
