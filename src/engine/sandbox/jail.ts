/**
 * What a contained program sees: the system read-only, without anybody's home, without sockets and devices that are not
 * for computing. Paths are absolute and without symbolic links.
 */
export type Jail = {
  /** Folders in whose place an empty one stands; what is written there is gone with the program. */
  readonly hidden: readonly string[];
  /** Folders that stand in the place of others, writable: what and where. */
  readonly mounts: readonly (readonly [string, string])[];
  /** Read-only, also where it lies in what is hidden. What is not there is left out. */
  readonly readable: readonly string[];
  readonly writable: readonly string[];
  /** Folders in what is writable that cannot be moved away from where they are, outermost first. */
  readonly held: readonly string[];
  /** Files and folders in what is writable that are not. */
  readonly sealed: readonly string[];
  /** In what is sealed, writable all the same. */
  readonly opened: readonly string[];
  readonly network: boolean;
  readonly cwd: string;
  /** Names in /dev beside the usual ones. */
  readonly devices: readonly string[];
};

/** Each is a mount and takes a third of a millisecond; those left over are compared after the run, as all are. */
export const MAX_SEALED = 50;

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
export function jailArguments(jail: Jail): readonly string[] {
  const each = (option: string, paths: readonly string[]) => paths.flatMap(path => [option, path, path]);
  return [
    ...['--ro-bind', '/', '/', '--dev', '/dev', '--proc', '/proc', '--tmpfs', '/tmp', '--tmpfs', '/run'],
    ...jail.devices.flatMap(name => ['--dev-bind-try', `/dev/${name}`, `/dev/${name}`]),
    // Names are looked up through it where systemd does; NixOS keeps its drivers and programs below /run.
    ...each('--ro-bind-try', [
      ...(jail.network ? ['/run/systemd/resolve', '/run/resolvconf', '/run/NetworkManager/resolv.conf'] : []),
      ...['/run/opengl-driver', '/run/current-system', '/run/wrappers'],
    ]),
    ...byDepth([
      ...jail.hidden.map(path => [path, ['--tmpfs', path]] as const),
      ...jail.mounts.map(([what, where]) => [where, ['--bind', what, where]] as const),
      ...jail.readable.map(path => [path, ['--ro-bind-try', path, path]] as const),
    ]),
    ...each('--bind', jail.writable),
    // Nobody can rename what something is mounted on.
    ...each('--bind', jail.held),
    ...each('--ro-bind', jail.sealed),
    ...each('--bind', jail.opened),
    ...['--unshare-user-try', '--unshare-pid', '--unshare-ipc', '--unshare-uts', '--unshare-cgroup-try'],
    ...(jail.network ? [] : ['--unshare-net']),
    // As root bwrap would leave capabilities to the program, and with those it could undo its mounts.
    ...['--cap-drop', 'ALL', '--die-with-parent', '--chdir', jail.cwd, '--'],
  ];
}

/** What lies deeper comes later, so that the nearest folder that is named decides about a path. */
function byDepth(places: readonly (readonly [string, readonly string[]])[]): readonly string[] {
  const depth = (path: string) => path.split('/').filter(Boolean).length;
  return [...places].sort(([a], [b]) => depth(a) - depth(b)).flatMap(([, options]) => options);
}

/** What decides about a run lies near the top: `prepare.py`, `pawl.toml`. */
export function topmost(paths: readonly string[]): readonly string[] {
  const depth = (path: string) => path.split('/').length;
  return [...paths].sort((a, b) => depth(a) - depth(b)).slice(0, MAX_SEALED);
}

/** Every folder that one of the paths lies in, outermost first. */
export function foldersOf(paths: readonly string[]): readonly string[] {
  const found = new Set<string>();
  for (const path of paths) {
    const names = path.split('/');
    for (let depth = 1; depth < names.length; depth += 1) found.add(names.slice(0, depth).join('/'));
  }
  return [...found].sort((a, b) => a.length - b.length);
}
