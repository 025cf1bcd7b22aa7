import type { KnownGpu } from '../../../shared/machines/telemetry.ts';
import { parseGpuList } from '../../machine/mig-instances.ts';
import { quote } from '../quote.ts';
import type { SshClient } from './ssh-client.ts';

/** A driver that has not answered by then is at fault. The status is printed only where there is such a program. */
const QUESTION = `sed -n 's/^Cpus_allowed_list:[[:space:]]*/cores=/p' /proc/self/status
sed -n 's/^model name[[:space:]]*: */processor=/p' /proc/cpuinfo | head -n 1
command -v nvidia-smi >/dev/null || exit 0
timeout 60 nvidia-smi -L 2>/dev/null
echo "status=$?"`;

/** What a host has: the cores that runs may use, as the kernel lists them, and GPUs, with what keeps them from being known. */
export type AskedDevices = {
  readonly cores: string;
  /** Model of its processors; null where the kernel does not name it. */
  readonly processor: string | null;
  readonly gpus: readonly KnownGpu[];
  /** Null where they are known; none is known where there is no `nvidia-smi`. */
  readonly gpuFault: string | null;
};

/** Asks a host for its devices; or says why they are not known. */
export async function askDevices(
  client: SshClient,
  signal?: AbortSignal,
): Promise<AskedDevices | { readonly fault: string }> {
  // As a run is started: with what the user's own profile puts on the PATH.
  const answer = await client.run(`bash -lc ${quote(QUESTION)}`, '', signal);
  if (answer.kind === 'unreachable') return { fault: answer.message };
  const text = answer.stdout.toString('utf8');
  const cores = /^cores=((?:\d{1,5}[,-]?){1,300})$/m.exec(text)?.[1];
  if (cores === undefined) return { fault: `It answered: ${(text + answer.stderr).trim().slice(0, 300)}` };
  const status = /^status=(\d+)$/m.exec(text)?.[1] ?? '0';
  const gpuFault = status === '0' ? null : `nvidia-smi -L ended there with exit code ${status}.`;
  const processor = /^processor=(.{1,200})$/m.exec(text)?.[1]?.trim() || null;
  return { cores, processor, gpus: parseGpuList(text), gpuFault };
}
