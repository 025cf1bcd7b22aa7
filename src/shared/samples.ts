/** Names of the sample projects and of their folders; the first is the one to begin with. */
export const SAMPLE_NAMES = ['byte-lm', 'fast-text', 'prompt-rubric', 'nano-gpt'] as const;
export type SampleName = (typeof SAMPLE_NAMES)[number];
export const FIRST_SAMPLE: SampleName = 'byte-lm';

/** What each sample is, and what it needs. */
export const SAMPLE_WORDS: Readonly<Record<SampleName, string>> = {
  'byte-lm':
    'A byte-level language model in plain Python. Five seconds of training per run, no GPU, no download.',
  'fast-text': 'A text function to make faster. Its work is counted, its tests are the checks. No model.',
  'prompt-rubric': 'A prompt, and a rubric of checks over twenty mails. Works with or without a model.',
  'nano-gpt': 'A small GPT in PyTorch, for the GPU or the CPU. A minute per run.',
};
