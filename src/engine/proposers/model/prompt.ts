import type { TextBlockParam } from '@anthropic-ai/sdk/resources/messages';
import { systemText } from '../briefing/rules.ts';
import { asData } from '../briefing/words.ts';
import type { ProposalRequest } from '../proposer.ts';

/** The tools read larger sources. */
export const SOURCE_CHARACTERS = 120_000;

const TOOLS_ONLY_LOOK =
  'You can only look and propose. You cannot run anything. Look at what you need, a few calls at most, then call submit_proposal exactly once, or tune_constants where only numbers are in question.';

/** {@link systemText} and the sources, which stay the same while the incumbent does; each part is cached up to its end. */
export function systemPrompt(
  request: ProposalRequest,
  sources: ReadonlyMap<string, string>,
): readonly TextBlockParam[] {
  return [
    {
      type: 'text',
      text: `${systemText(request)}\n\n${TOOLS_ONLY_LOOK}`,
      cache_control: { type: 'ephemeral' },
    },
    { type: 'text', text: describeSources(sources), cache_control: { type: 'ephemeral' } },
  ];
}

function describeSources(sources: ReadonlyMap<string, string>): string {
  const parts = ['# The editable files as they are now'];
  let room = SOURCE_CHARACTERS;
  for (const [path, text] of sources) {
    if (text.length > room) {
      parts.push(`${path} is too long to show here (${text.length} characters); read it with read_file.`);
      continue;
    }
    room -= text.length;
    parts.push(asData(`file ${path}`, text));
  }
  return parts.join('\n\n');
}
