/** Names of the sample projects, which are their folders'; the first is the one to begin with. */
export const SAMPLE_NAMES = ['byte-lm', 'fast-text', 'prompt-rubric', 'nano-gpt'] as const;
export type SampleName = (typeof SAMPLE_NAMES)[number];
export const FIRST_SAMPLE: SampleName = 'byte-lm';

/** What each is, and what it needs. */
export const SAMPLE_WORDS: Readonly<Record<SampleName, string>> = {
  'byte-lm':
    'A byte-level language model in plain Python. Five seconds of training a run, no GPU, no download.',
  'fast-text':
    'A function over text, to be made faster. Its work is counted, its tests are checks. No model.',
  'prompt-rubric': 'A prompt, and a rubric of checks over twenty mails. Works without a model, and with one.',
  'nano-gpt': 'A small GPT in PyTorch, for the GPU or the processor. A minute a run.',
};
