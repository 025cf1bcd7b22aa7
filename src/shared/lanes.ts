/**
 * Where runs of a study are trained, in the user's words: `cpu:4`, four at once, each on its own cores of this machine; `gpu:NAME`, a GPU
 * or a MIG instance by number or UUID, `gpu:all` every one of them; `4`, as many of its GPUs, or shares of its cores where it has none.
 * No word is one lane, which has the whole machine.
 */
export const LANE_WORD = /^(?:(?:cpu:)?[1-9]\d{0,2}|gpu:\S{1,128})$/;
export const LANE_WORDS_HINT = 'Lanes are a number, "cpu:N", "gpu:NAME" or "gpu:all".';
export const MOST_LANES = 64;
