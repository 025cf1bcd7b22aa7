/**
 * Where runs of a study are trained, in the user's words: `cpu:4`, four at once, each on its own cores of this machine; `gpu:NAME`, a GPU
 * or a MIG instance by number or UUID, `gpu:all` every one of them; `4`, as many of its GPUs, or shares of its cores where it has none.
 * `slurm:8`, as many jobs of the cluster that is set up, `slurm` as many as that says; `ssh:HOST`, every GPU of a host of the user's ssh
 * configuration, or the whole host where it has none; `ssh:HOST/whole`, one run at a time that sees all of them; `ssh:HOST/gpu:NAME` and `ssh:HOST/cpu:4`, what `gpu:` and `cpu:` are on this machine.
 * No word is one lane, which has the whole machine.
 */
export const LANE_WORD =
  /^(?:(?:cpu:|slurm:)?[1-9]\d{0,2}|slurm|gpu:\S{1,128}|ssh:(?!-)[\w.@-]{1,200}(?:\/(?:whole|gpu:\S{1,128}|cpu:[1-9]\d{0,2}))?)$/;
export const LANE_WORDS_HINT =
  'Lanes are a number, "cpu:N", "gpu:NAME", "gpu:all", "slurm:N", "ssh:HOST", "ssh:HOST/whole", "ssh:HOST/gpu:NAME" or "ssh:HOST/cpu:N".';
export const MOST_LANES = 64;

/**
 * Where jobs of a lane on another machine are created: a cluster, identified by its shared folder, or a host in the
 * user's ssh configuration.
 */
export type JobPlace =
  | { readonly kind: 'slurm'; readonly folder: string }
  | { readonly kind: 'ssh'; readonly host: string };
