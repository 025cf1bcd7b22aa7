import { findProgram } from '../process/find-program.ts';

/** Where WSL 2 puts the tools of the Windows driver; the PATH of a service or of root often lacks it. */
const WSL_TOOL = '/usr/lib/wsl/lib/nvidia-smi';

/** Absolute path of NVIDIA's tool, or null. */
export async function findNvidiaSmi(environment: NodeJS.ProcessEnv): Promise<string | null> {
  return (await findProgram('nvidia-smi', environment.PATH ?? '')) ?? (await findProgram(WSL_TOOL, ''));
}
