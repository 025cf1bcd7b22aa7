import { Send } from 'lucide-react';
import { useMemo, useState } from 'react';
import {
  type ChannelForm,
  type ChannelKind,
  type ChannelView,
  channelSchema,
  type MessagePreview,
  NOTICE_KINDS,
  tokenSchema,
} from '../../../shared/channel.ts';
import { attempt } from '../../app/actions.ts';
import { getClient } from '../../app/sync.ts';
import { useCall } from '../../app/use-call.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field, Switch, TextField, TextInput } from '../../ui/field.tsx';
import { Loading } from '../../ui/lazy-view.tsx';
import { Problem } from '../../ui/problem.tsx';
import { RelativeTime } from '../../ui/relative-time.tsx';
import { SelectField } from '../../ui/select.tsx';
import { TabList, TabPanel, Tabs } from '../../ui/tabs.tsx';
import { useSettled } from '../../ui/use-settled.ts';
import { NOTICES } from './notices.ts';

const NEW: ChannelForm = {
  kind: 'ntfy',
  url: '',
  tells: { new_best: true, study_ended: true, crashes: true, attention: true },
  encloses: { diff: false, log: false },
};

const KINDS: readonly { readonly value: ChannelKind; readonly label: string; readonly example: string }[] = [
  { value: 'ntfy', label: 'ntfy', example: 'https://ntfy.sh/my-topic' },
  { value: 'slack', label: 'Slack, Mattermost, Discord', example: 'https://hooks.slack.com/services/…' },
  { value: 'webhook', label: 'Webhook (JSON)', example: 'https://example.com/hook' },
];

const HINTS: Readonly<Record<ChannelKind, string>> = {
  ntfy: 'The address of a topic. On a public server, choose a name that nobody can guess.',
  slack: 'The address of an incoming webhook; for Discord with /slack at its end.',
  webhook: 'Receives a JSON object by POST. A message that comes twice has the same id.',
};

const TITLES: Readonly<Record<MessagePreview['kind'], string>> = {
  new_best: 'New best',
  study_ended: 'End',
  crashes: 'Crashes',
  attention: 'Attention',
};

/** How the user gets messages while away. Nothing is sent before the user has seen what it would be. */
export function ChannelDialog({ onClose }: { readonly onClose: () => void }) {
  const { value, problem, isLoading, again } = useCall('channel', () => getClient().channel.get());
  return (
    <Dialog
      title="Tell me elsewhere"
      description="Pawl sends nothing from this machine unless you switch this on."
      isWide
      onClose={onClose}
    >
      {isLoading && value === null ? (
        <Loading className="">Reading …</Loading>
      ) : problem ? (
        <Problem>
          {problem} <Button onClick={again}>Read again</Button>
        </Problem>
      ) : (
        <ChannelForms view={value} onSaved={again} />
      )}
    </Dialog>
  );
}

function ChannelForms({
  view,
  onSaved,
}: {
  readonly view: ChannelView | null;
  readonly onSaved: () => void;
}) {
  const [form, setForm] = useState(view?.form ?? NEW);
  const [token, setToken] = useState('');
  /** Whether the next save deletes the stored token. */
  const [forgets, setForgets] = useState(false);
  const change = (part: Partial<ChannelForm>) => setForm(before => ({ ...before, ...part }));
  const kind = KINDS.find(({ value }) => value === form.kind);
  const problem = form.url === '' ? null : problemOf(form);
  const tokenProblem = token === '' || tokenSchema.safeParse(token).success ? null : 'No spaces, only ASCII.';
  const isWhole = form.url !== '' && problem === null && tokenProblem === null;
  const input = useMemo(
    () => ({ form, ...(token !== '' ? { token } : forgets ? { token: null } : {}) }),
    [form, token, forgets],
  );
  const settled = useSettled(input);
  const preview = useCall(
    isWhole && settled === input ? JSON.stringify(input) : null,
    async () => ({ input, messages: await getClient().channel.preview(input) }),
    'preview',
  );
  const isSeen = preview.value?.input === input;
  const isSaved =
    view?.isOn === true && token === '' && !forgets && JSON.stringify(view.form) === JSON.stringify(form);
  const save = async (isOn: boolean) => {
    const done = isOn ? 'Switched on.' : 'Switched off. Nothing is sent any more.';
    if (!(await attempt(() => getClient().channel.save({ ...input, isOn }), done))) return;
    setToken('');
    setForgets(false);
    onSaved();
  };
  const test = () =>
    attempt(async () => {
      const { error } = await getClient().channel.test(input);
      if (error !== null) throw new Error(error);
    }, 'The test message was taken.');
  return (
    <form
      className="flex flex-col gap-5"
      onSubmit={event => {
        event.preventDefault();
        if (isSeen && !isSaved) void save(true);
      }}
    >
      <div className="grid gap-4 sm:grid-cols-[14rem_minmax(0,1fr)]">
        <SelectField
          label="Over"
          value={form.kind}
          options={KINDS}
          onChange={chosen => change({ kind: chosen })}
        />
        <TextField
          label="Address"
          hint={HINTS[form.kind]}
          problem={problem}
          inputMode="url"
          autoComplete="off"
          placeholder={kind?.example}
          value={form.url}
          onChange={text => change({ url: text.trim() })}
        />
        <Field label="Token" hint="Sent as Authorization: Bearer." problem={tokenProblem}>
          {ids => (
            <div className="flex gap-2">
              <TextInput
                {...ids}
                type="password"
                autoComplete="off"
                placeholder={view?.hasToken && !forgets ? 'stored' : 'none'}
                value={token}
                onChange={event => setToken(event.target.value)}
                className="min-w-0 flex-1"
              />
              {view?.hasToken && token === '' && !forgets ? (
                <Button type="button" onClick={() => setForgets(true)}>
                  Forget it
                </Button>
              ) : null}
            </div>
          )}
        </Field>
        <fieldset className="grid content-start gap-2 sm:grid-cols-2">
          <legend className="mb-2 font-medium text-sm">Tell me when</legend>
          {NOTICES.map(({ kind: notice, label }) => (
            <Switch
              key={notice}
              label={label}
              checked={form.tells[notice]}
              onChange={isOn => change({ tells: { ...form.tells, [notice]: isOn } })}
            />
          ))}
          <Switch
            label="Also send the diff of a new best"
            checked={form.encloses.diff}
            onChange={diff => change({ encloses: { ...form.encloses, diff } })}
          />
          <Switch
            label="Also send the end of a crash's log"
            checked={form.encloses.log}
            onChange={log => change({ encloses: { ...form.encloses, log } })}
          />
        </fieldset>
      </div>
      <Previews messages={isWhole ? (preview.value?.messages ?? null) : null} problem={preview.problem} />
      <footer className="-mx-5 -mb-5 -bottom-5 sticky flex flex-wrap items-center gap-2 border-line border-t bg-surface px-5 py-3">
        <p role="status" className="mr-auto text-muted text-sm">
          <State view={view} />
        </p>
        <Button type="button" disabled={!isWhole} onClick={() => void test()}>
          <Send size={14} aria-hidden /> Send a test
        </Button>
        {view?.isOn ? (
          <Button type="button" onClick={() => void save(false)}>
            Switch off
          </Button>
        ) : null}
        <Button type="submit" kind="primary" disabled={!isSeen || isSaved}>
          {view?.isOn ? 'Save' : 'Switch on'}
        </Button>
      </footer>
    </form>
  );
}

function problemOf(form: ChannelForm): string | null {
  return channelSchema.safeParse(form).error?.issues[0]?.message ?? null;
}

/** Whether the channel is on, and what happened to the last message. */
function State({ view }: { readonly view: ChannelView | null }) {
  if (!view) return 'Off';
  const { isOn, last, waiting } = view;
  return (
    <>
      {isOn ? 'On' : 'Off'}
      {last ? (
        <>
          {' · last message '}
          {last.isSent ? 'sent' : 'failed'} <RelativeTime at={last.at} />
          {last.error ? <span className="text-crash"> {last.error}</span> : null}
        </>
      ) : null}
      {waiting > 0 ? ` · ${waiting} waiting` : null}
    </>
  );
}

/** The exact text of every message. */
function Previews({
  messages,
  problem,
}: {
  readonly messages: readonly MessagePreview[] | null;
  readonly problem: string | null;
}) {
  const [chosen, setChosen] = useState<MessagePreview['kind']>('new_best');
  return (
    <section aria-label="What is sent">
      <h3 className="font-medium text-sm">What is sent, word for word</h3>
      {messages === null ? (
        <p className="mt-1 text-muted text-sm">{problem ?? 'Shown here once there is an address.'}</p>
      ) : (
        <Tabs names={NOTICE_KINDS} chosen={chosen} onChoose={setChosen} className="mt-1">
          <div className="border-line border-b">
            <TabList label="Messages" names={NOTICE_KINDS} titles={TITLES} isSmall />
          </div>
          {messages.map(({ kind, isTold, url, headers, body }) => (
            <TabPanel key={kind} name={kind}>
              {isTold ? null : <p className="mt-2 text-muted text-sm">Switched off above: not sent.</p>}
              <pre
                // biome-ignore lint/a11y/noNoninteractiveTabindex: What scrolls must be reachable by the keyboard.
                tabIndex={0}
                className="mt-2 max-h-60 overflow-auto whitespace-pre-wrap break-words rounded-md border border-line bg-sunken p-3 font-mono text-xs"
              >
                {[
                  `POST ${url}`,
                  ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
                  '',
                  body,
                ].join('\n')}
              </pre>
            </TabPanel>
          ))}
        </Tabs>
      )}
    </section>
  );
}
