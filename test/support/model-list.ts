import type { Anthropic } from '@anthropic-ai/sdk';

const yes = { supported: true } as const;

/** Models with every capability, so that a test removes the one it is about. */
export const MODELS: readonly Anthropic.ModelInfo[] = [
  modelInfo('claude-opus-5-5', 'Claude Opus 5.5', 'opus'),
  modelInfo('claude-haiku-5-5', 'Claude Haiku 5.5', 'haiku'),
];

function modelInfo(id: string, name: string, line: 'opus' | 'haiku'): Anthropic.ModelInfo {
  return {
    ...{ id, line, type: 'model', display_name: name, lifecycle: 'active' },
    created_at: '2026-09-01T00:00:00Z',
    deprecated_at: null,
    retires_at: null,
    max_input_tokens: 200_000,
    max_tokens: 64_000,
    capabilities: {
      batch: yes,
      citations: yes,
      code_execution: yes,
      context_management: {
        ...yes,
        clear_thinking_20251015: yes,
        clear_tool_uses_20250919: yes,
        compact_20260112: yes,
      },
      effort: { ...yes, low: yes, medium: yes, high: yes, xhigh: yes, max: yes },
      image_input: yes,
      pdf_input: yes,
      server_tools: { ...yes, code_execution: yes, web_search: yes },
      structured_outputs: yes,
      thinking: { ...yes, types: { adaptive: yes, between_tools: yes, disabled: yes, enabled: yes } },
    },
  };
}
