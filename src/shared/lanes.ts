/**
 * Where a study's runs are trained, in the user's words. `cpu:4`: four at once, each on its own cores of this
 * machine. `gpu:NAME`: a GPU or MIG instance, by number or UUID; `gpu:all`: each of them. `4`: that many of its GPUs,
 * or shares of its cores if it has none. `slurm:8`: that many jobs on the configured cluster; `slurm`: as many as its
 * settings say. `ssh:HOST`: a host in the user's ssh configuration. Without a word there is one lane, which has the
 * whole machine.
 */
export const LANE_WORD = /^(?:(?:cpu:|slurm:)?[1-9]\d{0,2}|slurm|gpu:\S{1,128}|ssh:(?!-)[\w.@-]{1,200})$/;
export const LANE_WORDS_HINT = 'Lanes are a number, "cpu:N", "gpu:NAME", "gpu:all", "slurm:N" or "ssh:HOST".';
export const MOST_LANES = 64;

/**
 * Where jobs of a lane on another machine are created: a cluster, identified by its shared folder, or a host in the
 * user's ssh configuration.
 */
export type JobPlace =
  | { readonly kind: 'slurm'; readonly folder: string }
  | { readonly kind: 'ssh'; readonly host: string };
