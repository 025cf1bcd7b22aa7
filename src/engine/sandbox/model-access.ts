import { findResource } from '../resources.ts';
import type { Mount } from './jail.ts';

/** Where a run finds the model it may ask, as long as it lasts. */
export type ModelAccess = {
  readonly model: string;
  /** What stands in the place of a key: good for this run, and for nothing else. */
  readonly token: string;
  /** Path of the socket that answers. */
  readonly socket: string;
  /** Makes it answer on a port of this machine as well, for a run that shares the machine's network. Resolves to the port. */
  readonly openPort: () => Promise<number>;
};

/** What a run that asks from a network of its own finds in its jail. */
const INSIDE = '/run/pawl-model';
/** In a network of its own every port is free. */
const INNER_PORT = 8_473;

const FORWARDER = 'model-forwarder/forward.py';

/** Starts the forwarder, which listens before it lets go of this shell, then becomes what follows. */
const START =
  'python=$1 forwarder=$2 socket=$3 port=$4; shift 4; "$python" -I -S "$forwarder" "$socket" "$port"; exec "$@"';

/** What a run has to be given to ask the model: variables, and in a jail without a network mounts and a program to begin with. */
export type ModelWay = {
  readonly variables: Readonly<Record<string, string>>;
  readonly mounts: readonly Mount[];
  /** Program and arguments that the command is run behind. */
  readonly argv: readonly string[];
};

/** Over the machine's own loopback. */
export async function wayByPort(
  access: ModelAccess,
  environment: Readonly<Record<string, string>>,
): Promise<ModelWay> {
  return { variables: variablesOf(access, await access.openPort(), environment), mounts: [], argv: [] };
}

/** Over the socket, for SDKs that want a port: a program in the jail hands on what comes there. */
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
  // A proxy of the user's could not reach it.
  const direct = (name: string) => [environment[name], '127.0.0.1'].filter(Boolean).join(',');
  return {
    ANTHROPIC_BASE_URL: `http://127.0.0.1:${port}`,
    ANTHROPIC_API_KEY: token,
    PAWL_MODEL: model,
    NO_PROXY: direct('NO_PROXY'),
    no_proxy: direct('no_proxy'),
  };
}
