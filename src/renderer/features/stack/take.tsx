import { Copy, Download } from 'lucide-react';
import { type FormEvent, type ReactNode, useState } from 'react';
import type { StudyCard } from '../../../shared/notebook.ts';
import { counted } from '../../../shared/numbers.ts';
import { describeConflicts, NO_AUTHOR, type Stack } from '../../../shared/stack.ts';
import { attempt } from '../../app/actions.ts';
import { explain } from '../../app/explain.ts';
import { useStore } from '../../app/store.ts';
import { getClient } from '../../app/sync.ts';
import { toast } from '../../app/toast.ts';
import { useCall } from '../../app/use-call.ts';
import { download } from '../../charts/progress-export.ts';
import { Button } from '../../ui/button.tsx';
import { Field, Switch, TextArea, TextField, TextInput } from '../../ui/field.tsx';
import { TabList, TabPanel, Tabs } from '../../ui/tabs.tsx';

const WAYS = ['branch', 'patches', 'pull'] as const;
const TITLES = { branch: 'Branch', patches: 'Patches', pull: 'Pull request' } as const;

type Props = {
  readonly card: StudyCard;
  readonly stack: Stack;
  readonly order: readonly number[];
  /** Whether the outcome of the choice is known. */
  readonly isReady: boolean;
  readonly onClose: () => void;
};

/** What to do with the chosen commits. */
export function Take(props: Props) {
  const [way, setWay] = useState<(typeof WAYS)[number]>('branch');
  const [signsOff, setSignsOff] = useState(false);
  const { author } = props.stack;
  const signature =
    author === null ? (
      <p className="text-sm text-warn">{NO_AUTHOR}</p>
    ) : (
      <Switch label={`Sign off as ${author}`} checked={signsOff} onChange={setSignsOff} />
    );
  return (
    <Tabs names={WAYS} chosen={way} onChoose={setWay}>
      <div className="border-line border-b">
        <TabList label="Ways to take it" names={WAYS} titles={TITLES} isSmall />
      </div>
      <TabPanel name="branch" className="pt-3">
        <BranchForm {...props} signsOff={signsOff}>
          {signature}
        </BranchForm>
      </TabPanel>
      <TabPanel name="patches" className="pt-3">
        <PatchesForm {...props} signsOff={signsOff}>
          {signature}
        </PatchesForm>
      </TabPanel>
      <TabPanel name="pull" className="pt-3">
        <PullText {...props} />
      </TabPanel>
    </Tabs>
  );
}

type FormProps = Props & { readonly signsOff: boolean; readonly children: ReactNode };

function canCommit({ stack, isReady }: Props): boolean {
  const isSomething = stack.steps.some(({ state }) => state !== 'empty');
  return isReady && isSomething && stack.author !== null && describeConflicts(stack.steps) === null;
}

function BranchForm(props: FormProps) {
  const { card, order, signsOff, onClose, children } = props;
  const [branch, setBranch] = useState(`best-of-${card.tag}`);
  const [problem, setProblem] = useState<string | null>(null);
  const best = card.tally.bestExperiment;
  const make = async (call: () => Promise<{ readonly commit: string }>, what: string) => {
    try {
      const { commit } = await call();
      toast.success(`Branch ${branch} is ${what} (${commit.slice(0, 7)}). Merge it when you like.`);
      onClose();
    } catch (error) {
      setProblem(explain(error));
    }
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const { stack } = getClient();
    const count = counted(order.length, 'commit');
    void make(
      () => stack.branch({ study: card.id, order: [...order], signsOff, branch }),
      `made of ${count}`,
    );
  };
  const takeBest = () => make(() => getClient().studies.applyBest({ study: card.id, branch }), `at #${best}`);
  const isNamed = branch.trim() !== '';
  return (
    <form onSubmit={submit} className="flex flex-col gap-3">
      <TextField
        label="Branch name"
        problem={problem}
        hint="It must not exist yet."
        data-branch-name
        value={branch}
        onChange={text => {
          setBranch(text);
          setProblem(null);
        }}
      />
      <div className="flex flex-wrap items-center justify-between gap-3">
        {children}
        <span className="ml-auto flex gap-2">
          <Button
            disabled={!isNamed || best === null}
            title="The study's own commits, with the messages they have"
            onClick={() => void takeBest()}
          >
            Branch at #{best} as it is
          </Button>
          <Button kind="primary" type="submit" disabled={!isNamed || !canCommit(props)}>
            Create the branch
          </Button>
        </span>
      </div>
    </form>
  );
}

function PatchesForm(props: FormProps) {
  const { card, order, signsOff, children } = props;
  const canChoose = useStore(state => state.host?.canChooseFolder ?? false);
  const [folder, setFolder] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  const choice = { study: card.id, order: [...order], signsOff };
  const save = async (event: FormEvent) => {
    event.preventDefault();
    try {
      const { files } = await getClient().stack.savePatches({ ...choice, folder });
      toast.success(`${counted(files.length, 'patch', 'patches')} written to ${folder}.`);
    } catch (error) {
      setProblem(explain(error));
    }
  };
  const saveOne = () =>
    attempt(async () => {
      const { name, content } = await getClient().stack.patches(choice);
      const bytes = Uint8Array.from(atob(content), character => character.charCodeAt(0));
      download(name, new Blob([bytes], { type: 'application/mbox' }));
    });
  const choose = () =>
    attempt(async () => {
      const chosen = await getClient().projects.choose();
      if (chosen) setFolder(chosen);
    });
  const isReady = canCommit(props);
  return (
    <form onSubmit={event => void save(event)} className="flex flex-col gap-3">
      <Field
        label="Folder on this machine"
        problem={problem}
        hint="Outside the checkout; numbered files for “git am”. No file is replaced."
      >
        {ids => (
          <div className="flex gap-2">
            <TextInput
              {...ids}
              value={folder}
              placeholder="~/patches"
              onChange={event => {
                setFolder(event.target.value);
                setProblem(null);
              }}
            />
            {canChoose ? <Button onClick={() => void choose()}>Choose …</Button> : null}
          </div>
        )}
      </Field>
      <div className="flex flex-wrap items-center justify-between gap-3">
        {children}
        <span className="ml-auto flex gap-2">
          <Button disabled={!isReady} onClick={() => void saveOne()}>
            <Download size={14} aria-hidden /> Download as one file
          </Button>
          <Button kind="primary" type="submit" disabled={!isReady || folder.trim() === ''}>
            Write the patches
          </Button>
        </span>
      </div>
    </form>
  );
}

function PullText({ card, order, stack, isReady }: Props) {
  const isWhole = isReady && order.length > 0 && describeConflicts(stack.steps) === null;
  const { value, problem } = useCall(isWhole ? `pull ${card.id} ${order.join()}` : null, () =>
    getClient().stack.pullRequest({ study: card.id, order: [...order] }),
  );
  if (!isWhole || problem !== null || !value) {
    return (
      <p role="status" className="py-4 text-muted text-sm">
        {problem ?? (isWhole ? 'Writing …' : 'There is no text for a stack that cannot be merged.')}
      </p>
    );
  }
  const { title, text } = value;
  // A forge asks for the title separately.
  const body = text.slice(text.indexOf('\n')).trimStart();
  const copy = (what: string, words: string) =>
    attempt(() => navigator.clipboard.writeText(words), `The ${what} is copied.`);
  const button = (what: string, words: string) => (
    <Button aria-label={`Copy the ${what}`} onClick={() => void copy(what, words)}>
      <Copy size={14} aria-hidden /> Copy
    </Button>
  );
  return (
    <div className="flex flex-col gap-2">
      <Field label="Title">
        {ids => (
          <div className="flex gap-2">
            <TextInput {...ids} readOnly value={title} />
            {button('title', title)}
          </div>
        )}
      </Field>
      <Field label="Text, in Markdown">
        {ids => (
          <div className="flex items-start gap-2">
            <TextArea {...ids} readOnly rows={6} value={body} className="font-mono text-xs" />
            {button('text', body)}
          </div>
        )}
      </Field>
    </div>
  );
}
