import type { KnownGpu } from '../../../shared/telemetry.ts';
import { parseGpuList } from '../../machine/mig-instances.ts';
import { quote } from '../quote.ts';
import type { SshClient } from './ssh-client.ts';

/** A driver that has not answered by then has no GPUs. */
const QUESTION = `sed -n 's/^Cpus_allowed_list:[[:space:]]*/cores=/p' /proc/self/status; timeout 60 nvidia-smi -L 2>/dev/null; true`;

/** The GPUs of a host, and the cores that runs may use there as the kernel lists them; or why that is not known. */
export async function askDevices(
  client: SshClient,
): Promise<{ readonly cores: string; readonly gpus: readonly KnownGpu[] } | { readonly fault: string }> {
  // As a run is started: with what the user's own profile puts on the PATH.
  const answer = await client.run(`bash -lc ${quote(QUESTION)}`);
  if (answer.kind === 'unreachable') return { fault: answer.message };
  const text = answer.stdout.toString('utf8');
  const cores = /^cores=([\d,-]{1,1000})$/m.exec(text)?.[1];
  if (cores === undefined) return { fault: `It answered: ${(text + answer.stderr).trim().slice(0, 300)}` };
  return { cores, gpus: parseGpuList(text) };
}
