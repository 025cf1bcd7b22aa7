import { existsSync, realpathSync } from 'node:fs';

/**
 * What a contained program sees: the system read-only, without anybody's home, without sockets and devices that are not
 * for computing. Paths are absolute and lead through no symbolic link, but for those in `links`.
 */
export type Jail = {
  /** Folders replaced by empty ones; what is written there is lost when the program ends. */
  readonly hidden: readonly string[];
  /** Files and folders that stand in the place of others. */
  readonly mounts: readonly Mount[];
  /** Read-only, also where it lies in what is hidden. What is not there is left out. */
  readonly readable: readonly string[];
  /** Folders made in what is hidden, which everybody may enter. */
  readonly made: readonly string[];
  /** Symbolic links made in what is hidden: what each says, and where it lies. */
  readonly links: readonly (readonly [string, string])[];
  readonly writable: readonly string[];
  /** Folders in what is writable that cannot be moved away from where they are, outermost first. */
  readonly held: readonly string[];
  /** Files and folders in what is writable that are not. */
  readonly sealed: readonly string[];
  /** In what is sealed, writable all the same. */
  readonly opened: readonly string[];
  /** What stands in the place of what is shown, sealed or not. */
  readonly exchanged: readonly Mount[];
  /** Sockets that nobody can connect to. */
  readonly masked: readonly string[];
  readonly network: boolean;
  /** How much may be written to each empty folder, in bytes, for it takes memory; null leaves it to the kernel. */
  readonly emptyBytes: number | null;
  readonly cwd: string;
  /** Names in /dev beside the usual ones. */
  readonly devices: readonly string[];
};

export type Mount = { readonly what: string; readonly where: string; readonly isWritable: boolean };

/** Shows the system read-only, no network, and a place to be. */
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

/** How bubblewrap is to be used on this machine. */
export type Confinement = {
  /** Whether what runs in the jail is somebody else than Pawl; see `unprivileged.ts`. */
  readonly dropsUser: boolean;
  /** Whether this bubblewrap can forbid namespaces of users in namespaces of users. */
  readonly forbidsUserNamespaces: boolean;
};

/** What the kernel shows of itself and root could write; the rest bubblewrap covers. GPU libraries read /sys, so none is empty. */
const KERNEL_INTERFACES = ['/proc/sys'];
/** Names of the keys a session holds. */
const KERNEL_SECRETS = ['/proc/keys', '/proc/key-users'];

/** Where sockets lie; never anything that a program has to see. */
export const EMPTIED: readonly string[] = ['/tmp', '/run'].filter(existsSync).map(path => realpathSync(path));

/** Names in /dev that graphics drivers compute through: NVIDIA's (Jetson's too), the kernel's DRM, AMD's, WSL's. */
export function computeDevices(names: readonly string[]): readonly string[] {
  return names.filter(
    name => /^(?:nvidia|nvhost|nvmap|nvgpu)/.test(name) || ['dri', 'kfd', 'dxg'].includes(name),
  );
}

/**
 * Arguments of `bwrap` before the command. Later ones lie over earlier ones. Source: bwrap(1).
 * A read-only mount keeps nobody from a socket that lies in it, so /run and /tmp, where those are, are empty.
 */
export function jailArguments(
  jail: Jail,
  { dropsUser, forbidsUserNamespaces }: Confinement,
): readonly string[] {
  const each = (option: string, paths: readonly string[]) => paths.flatMap(path => [option, path, path]);
  // A folder that bubblewrap makes belongs to who started it.
  const size = jail.emptyBytes === null ? [] : ['--size', String(jail.emptyBytes)];
  const empty = (path: string) => [...(dropsUser ? ['--perms', '1777'] : []), ...size, '--tmpfs', path];
  return [
    ...['--ro-bind', '/', '/', '--dev', '/dev', ...(dropsUser ? empty('/dev/shm') : []), '--proc', '/proc'],
    ...each('--ro-bind', KERNEL_INTERFACES.filter(existsSync)),
    ...KERNEL_SECRETS.filter(existsSync).flatMap(path => ['--ro-bind', '/dev/null', path]),
    ...EMPTIED.flatMap(empty),
    ...jail.devices.flatMap(name => ['--dev-bind-try', `/dev/${name}`, `/dev/${name}`]),
    // Names are looked up through it where systemd does; NixOS keeps its drivers and programs below /run.
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
    // Nobody can rename what something is mounted on.
    ...each('--bind', jail.held),
    ...each('--ro-bind', jail.sealed),
    ...each('--bind', jail.opened),
    ...jail.exchanged.flatMap(({ what, where }) => ['--ro-bind', what, where]),
    ...['--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'],
    ...(jail.network ? [] : ['--unshare-net']),
    // As root bwrap would leave capabilities to the program, and with those it could undo its mounts.
    ...['--cap-drop', 'ALL'],
    ...(dropsUser
      ? ['--cap-add', 'CAP_SETUID', '--cap-add', 'CAP_SETGID']
      : forbidsUserNamespaces
        ? ['--unshare-user', '--disable-userns']
        : ['--unshare-user-try']),
    // Who gives the user up can go nowhere that is that user's alone; it goes there afterwards.
    ...['--die-with-parent', '--chdir', dropsUser ? '/' : jail.cwd],
  ];
}

/** What lies deeper comes later, so that the nearest folder that is named decides about a path. */
function byDepth(places: readonly (readonly [string, readonly string[]])[]): readonly string[] {
  const depth = (path: string) => path.split('/').filter(Boolean).length;
  return [...places].sort(([a], [b]) => depth(a) - depth(b)).flatMap(([, options]) => options);
}
