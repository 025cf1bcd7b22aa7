import { z } from 'zod';

/** A cluster on which runs are trained as jobs of its scheduler. */
export type Cluster = {
  readonly engine: 'slurm';
  /** The largest number of Pawl's jobs at the same time. */
  readonly lanes: number;
  /** Further options of `sbatch`: partition, GPUs, account. */
  readonly sbatch: readonly string[];
  /** A folder that this machine and the nodes see under the same name; absolute or starting with `~/`. */
  readonly folder: string;
  /** Environment modules that a job loads. */
  readonly modules: readonly string[];
  /** Lines of bash that a job runs before the training, as the user and outside the sandbox. */
  readonly prelude: string | null;
};

const MAX_LANES = 64;

/** Options that Pawl sets itself, and those that would change how `sbatch` behaves for Pawl. */
const OWN_OPTIONS = [
  ...['--array', '-a', '--chdir', '-D', '--comment', '--error', '-e', '--export', '--export-file'],
  ...['--get-user-env', '--help', '-h', '--input', '-i', '--job-name', '-J', '--no-requeue', '--requeue'],
  ...['--open-mode', '--output', '-o', '--parsable', '--quiet', '-Q', '--signal', '--test-only', '--time'],
  ...['-t', '--uid', '--usage', '--version', '-V', '--wait', '-W', '--wrap', '--clusters', '-M'],
];

const sbatchOption = z
  .string()
  .min(2)
  .max(500)
  .regex(/^-[^\p{Cc}]*$/u, 'must be an option like "--partition=gpu", with its value behind "="')
  .refine(option => !OWN_OPTIONS.some(own => isOption(option, own)), {
    message: 'must not be an option that Pawl sets itself (job name, time, output, export, requeue, array)',
  });

/** `-t5` is `-t 5`, and `--time=5` is `--time 5`. */
function isOption(option: string, own: string): boolean {
  return own.startsWith('--') ? option.split('=')[0] === own : option.slice(0, 2) === own;
}

/** `[cluster]` in pawl.toml and in the user's settings. */
export const clusterFileSchema = z.strictObject({
  engine: z.literal('slurm', { error: 'must be "slurm", the only scheduler there is so far' }),
  lanes: z.number().int().min(1).max(MAX_LANES).optional(),
  sbatch: z.array(sbatchOption).max(50).optional(),
  folder: z
    .string()
    // Slurm replaces "%" sequences.
    .regex(
      /^(?:~\/|\/)[^\p{Cc}%\\]*$/u,
      'must be an absolute path, or one that begins with "~/", without "%"',
    )
    .refine(path => !path.split('/').includes('..'), { message: 'must not contain ".."' }),
  modules: z
    .array(z.string().regex(/^[A-Za-z0-9][\w.+/-]{0,199}$/, 'must be the name of a module, like "cuda/12.4"'))
    .max(50)
    .optional(),
  prelude: z.string().trim().min(1).max(10_000).optional(),
});

type ClusterFile = z.infer<typeof clusterFileSchema>;

/** Fills in the defaults of a valid section. */
export function clusterFromFile(file: ClusterFile): Cluster {
  const { engine, folder, lanes = 1, sbatch = [], modules = [], prelude = null } = file;
  return { engine, lanes, sbatch, folder, modules, prelude };
}

/** The file section for a cluster; the inverse of `clusterFromFile`. */
export function clusterToFile({ engine, lanes, sbatch, folder, modules, prelude }: Cluster): ClusterFile {
  return {
    ...{ engine, folder, lanes },
    ...(sbatch.length === 0 ? {} : { sbatch: [...sbatch] }),
    ...(modules.length === 0 ? {} : { modules: [...modules] }),
    ...(prelude === null ? {} : { prelude }),
  };
}
