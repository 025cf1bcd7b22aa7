import { FileX } from 'lucide-react';
import { useState } from 'react';
import { type InstructionsYield, RUN_OUT } from '../../../shared/debrief/debrief.ts';
import { gainText } from '../../../shared/debrief/describe-debrief.ts';
import type { StudyCard } from '../../../shared/notebook.ts';
import { formatBytes } from '../../../shared/numbers.ts';
import { getClient } from '../../app/sync.ts';
import { useCall } from '../../app/use-call.ts';
import { Button } from '../../ui/button.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { RelativeTime } from '../../ui/relative-time.tsx';
import { TabList, TabPanel, Tabs } from '../../ui/tabs.tsx';
import { MEMORY_TITLE, MemoryPart } from './memory-part.tsx';
import { VersionedEditor } from './versioned-editor.tsx';

const PARTS = ['instructions', 'memory'] as const;

/** What every proposer reads first: the user's instructions, and what earlier studies learnt. */
export function InstructionsScreen({ card }: { readonly card: StudyCard }) {
  const [part, setPart] = useState<(typeof PARTS)[number]>('instructions');
  return (
    <Tabs names={PARTS} chosen={part} onChoose={setPart} className="flex min-h-0 flex-1 flex-col">
      <div className="border-line border-b px-5">
        <TabList
          label="What proposers are told"
          names={PARTS}
          titles={{ instructions: card.contract.instructions ?? 'Instructions', memory: MEMORY_TITLE }}
          isSmall
        />
      </div>
      {/* Both panels stay in the page, so that unsaved text is kept. */}
      <TabPanel name="instructions" isKept className="flex min-h-0 flex-1 flex-col">
        <InstructionsPart card={card} />
      </TabPanel>
      <TabPanel name="memory" isKept className="flex min-h-0 flex-1 flex-col">
        <MemoryPart card={card} />
      </TabPanel>
    </Tabs>
  );
}

/** The instructions, with all their versions. */
function InstructionsPart({ card }: { readonly card: StudyCard }) {
  const study = card.id;
  const { value, problem, again } = useCall(`instructions ${study}`, () =>
    getClient().instructions.read({ study }),
  );
  const { value: yields } = useCall(
    `yields ${study} ${card.tally.finished}`,
    async () => {
      const { instructions } = await getClient().studies.debrief({ study, sitting: null });
      return instructions;
    },
    `yields ${study}`,
  );
  if (problem) {
    return (
      <EmptyState icon={<FileX size={28} />} title="The instructions cannot be read">
        <p className="mb-3">{problem}</p>
        <Button onClick={again}>Read again</Button>
      </EmptyState>
    );
  }
  if (!value) {
    return (
      <p className="p-6 text-muted" role="status">
        Reading …
      </p>
    );
  }
  if (value.path === null) {
    return (
      <EmptyState icon={<FileX size={28} />} title="This study has no instructions">
        Its contract names no file like program.md. You can still steer it with a note (s).
      </EmptyState>
    );
  }
  return (
    <VersionedEditor
      name={value.path}
      title={value.path}
      given={value}
      hint="Applies from the next proposal on. The file in your checkout is not touched."
      describe={({ id, at, bytes }) => ({
        title: id === 0 ? 'As committed' : `Version ${id}`,
        more: (
          <>
            <RelativeTime at={at} /> · {formatBytes(bytes)}
            <Yielded found={yields?.find(({ version }) => version === id)} />
          </>
        ),
      })}
      calls={{
        read: () => getClient().instructions.read({ study }),
        version: id => getClient().instructions.version({ study, id }),
        save: (text, base) => getClient().instructions.save({ study, text, base }),
      }}
    />
  );
}

/** What was tried under a version, and the results. */
function Yielded({ found }: { readonly found: InstructionsYield | undefined }) {
  if (!found) return null;
  const { experiments, keep, gain, sinceGain } = found;
  return (
    <span className="block">
      {experiments} tried, {keep} kept{keep > 0 ? `, gain ${gainText(gain)}` : ''}
      {sinceGain >= RUN_OUT ? (
        <span className="block text-warn">has run out: {sinceGain} without a gain</span>
      ) : null}
    </span>
  );
}
