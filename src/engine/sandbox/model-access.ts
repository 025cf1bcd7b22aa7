import { findResource } from '../resources.ts';
import type { Mount } from './jail.ts';

/** Where a run finds its model while it lasts. */
export type ModelAccess = {
  readonly model: string;
  /** Used in place of a key: valid only for this run. */
  readonly token: string;
  /** Path of the socket that answers. */
  readonly socket: string;
  /** Makes it answer on a local port too, for a run that shares the machine's network. Resolves to the port. */
  readonly openPort: () => Promise<number>;
};

/** Where a run in its own network finds the socket in its jail. */
const INSIDE = '/run/pawl-model';
/** In a run's own network every port is free. */
const INNER_PORT = 8_473;

const FORWARDER = 'model-forwarder/forward.py';

/** Starts the forwarder, waits until it listens, and then becomes the command. */
const START =
  'python=$1 forwarder=$2 socket=$3 port=$4; shift 4; "$python" -I -S "$forwarder" "$socket" "$port"; exec "$@"';

/**
 * What a run needs in order to ask the model: variables and, in a jail without a network, mounts and a program to
 * start first.
 */
export type ModelWay = {
  readonly variables: Readonly<Record<string, string>>;
  readonly mounts: readonly Mount[];
  /** Program and arguments that start the command. */
  readonly argv: readonly string[];
};

/** Over the machine's loopback. */
export async function wayByPort(
  access: ModelAccess,
  environment: Readonly<Record<string, string>>,
): Promise<ModelWay> {
  return { variables: variablesOf(access, await access.openPort(), environment), mounts: [], argv: [] };
}

/** Over the socket: since SDKs want a port, a program in the jail forwards the requests. */
export function wayBySocket(
  access: ModelAccess,
  python: string,
  environment: Readonly<Record<string, string>>,
): ModelWay {
  const forwarder = findResource(FORWARDER);
  if (forwarder === null) throw new Error(`${FORWARDER} was not brought along`);
  const [socket, script] = [`${INSIDE}/socket`, `${INSIDE}/forward.py`];
  return {
    variables: variablesOf(access, INNER_PORT, environment),
    mounts: [
      { what: access.socket, where: socket, isWritable: false },
      { what: forwarder, where: script, isWritable: false },
    ],
    argv: ['/bin/sh', '-c', START, 'pawl', python, script, socket, String(INNER_PORT)],
  };
}

function variablesOf(
  { model, token }: ModelAccess,
  port: number,
  environment: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  // One of the user's proxies could not reach it.
  const direct = (name: string) => [environment[name], '127.0.0.1'].filter(Boolean).join(',');
  return {
    ANTHROPIC_BASE_URL: `http://127.0.0.1:${port}`,
    ANTHROPIC_API_KEY: token,
    PAWL_MODEL: model,
    NO_PROXY: direct('NO_PROXY'),
    no_proxy: direct('no_proxy'),
  };
}
