import type { MessagePreview } from '../../shared/channel.ts';
import type { EngineEvent } from '../../shared/events.ts';
import type { Notice } from '../../shared/settings.ts';
import type { Study } from '../../shared/study.ts';
import type { Channel } from './channel.ts';
import { composeMessage, type Message, type MessagePorts } from './message.ts';
import { describeGain } from './notice-of.ts';
import { type Outcome, post } from './post.ts';
import { requestOf } from './request-of.ts';

type Example = { readonly event: EngineEvent['type']; readonly notice: Notice };

/** Each kind of message exactly as it would be sent, for the study that was active last. Sends nothing. */
export async function previewMessages(
  channel: Channel,
  ports: MessagePorts,
): Promise<readonly MessagePreview[]> {
  const messages = await exampleMessages(channel, ports);
  const shown = { ...channel, token: channel.token === null ? null : 'your token' };
  return messages.map(message => ({
    ...{ kind: message.kind, isTold: channel.form.tells[message.kind] },
    ...requestOf(shown, message),
  }));
}

/** Sends one message right away, to test whether it arrives. */
export function postTest(channel: Channel, { now }: MessagePorts): Promise<Outcome> {
  const message: Message = {
    ...madeUp(now(), 'attention'),
    title: 'Pawl can reach you',
    body: 'This is a test. Nothing happened.',
  };
  return post(requestOf(channel, message), new AbortController().signal);
}

async function exampleMessages({ form }: Channel, ports: MessagePorts): Promise<readonly Message[]> {
  const { ledger, now } = ports;
  const study = ledger.studies.list().find(({ state }) => state !== 'imported');
  const at = now();
  const messages: Message[] = [];
  for (const { event, notice } of examplesOf(study, ports)) {
    const made = study && (await composeMessage({ id: 0, at, event, notice }, form.encloses, ports));
    messages.push(made || { ...madeUp(at, notice.kind), title: notice.title, body: notice.body });
  }
  return messages;
}

/** Example events of a study, with its own numbers where it has any. */
function examplesOf(study: Study | undefined, { ledger }: MessagePorts): readonly Example[] {
  const tag = study?.tag ?? 'example';
  const of = (
    event: Example['event'],
    kind: Notice['kind'],
    title: string,
    body: string,
    n: number | null,
  ) => ({
    event,
    notice: { kind, title, body, n, study: study?.id ?? '' },
  });
  const tally = study && ledger.experiments.tally(study.id, study.contract.metric.goal);
  const [before, best, n] = [tally?.baseline ?? 0.9979, tally?.best ?? 0.9932, tally?.bestExperiment ?? 7];
  const name = study?.contract.metric.name ?? 'val_bpb';
  const crashed = study && [...ledger.runs.crashMessages(study.id)].at(-1);
  return [
    of(
      'new_best',
      'new_best',
      `New best: ${best}`,
      describeGain({ tag, name }, { n, metric: best, previous: before }),
      n,
    ),
    of('study_stopped', 'study_ended', `${tag} has ended`, `The deadline came. Best ${best} in #${n}.`, n),
    of(
      'verdict',
      'crashes',
      `${tag}: 3 crashes in a row`,
      crashed?.[1] ?? 'RuntimeError: mat1 and mat2 shapes cannot be multiplied (64x512 and 256x512)',
      crashed?.[0] ?? 9,
    ),
    of('warning', 'attention', `${tag} needs attention`, 'The disk is full: make room, then resume.', null),
  ];
}

function madeUp(at: number, kind: Notice['kind']): Message {
  return {
    ...{ id: 'example-0', at: new Date(at).toISOString(), kind, title: '', body: '', n: null },
    study: { id: 'example', tag: 'example', project: 'your-repository' },
    metric: { name: 'val_bpb', goal: 'minimize' },
    ...{ debrief: null, diff: null, log: null, heldBack: 0 },
  };
}
