import { ArrowRight, FileInput, FlaskConical, FolderOpen, FolderX, X } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import type { Project, StudyCard } from '../../../shared/notebook.ts';
import { formatMetric, formatPercent } from '../../../shared/numbers.ts';
import { FIRST_SAMPLE, SAMPLE_NAMES, SAMPLE_WORDS, type SampleName } from '../../../shared/samples.ts';
import { attempt, goTo, openProject, openSample, openStudy, showOverlay } from '../../app/actions.ts';
import { CommandButton } from '../../app/command-button.tsx';
import { useStore } from '../../app/store.ts';
import { getClient } from '../../app/sync.ts';
import { Button, IconButton } from '../../ui/button.tsx';
import { Field, TextInput } from '../../ui/field.tsx';
import { PathLine } from '../../ui/path-line.tsx';
import { PawlMark } from '../../ui/pawl-mark.tsx';
import { RelativeTime } from '../../ui/relative-time.tsx';
import { StatePill } from '../../ui/state-pill.tsx';

/** The start: drop, choose or paste a repository, continue with a recent one, or try a sample. */
export function WelcomeScreen() {
  const projects = useStore(state => state.projects);
  return (
    <section aria-label="Welcome" className="h-full overflow-y-auto">
      <div className="mx-auto flex max-w-3xl flex-col gap-8 px-8 py-12">
        <header className="flex items-center gap-4">
          <PawlMark className="size-12 text-accent" />
          <div>
            <h1 className="font-semibold text-2xl tracking-tight">What should be better in the morning?</h1>
            <p className="mt-1 text-muted">
              Pawl tries changes all night, trains, measures, and keeps a commit only if its number is better.
            </p>
          </div>
        </header>
        <OpenForm />
        <RecentProjects projects={projects} />
        <SampleCard isFirst={projects.length === 0} />
        <ImportCard />
      </div>
    </section>
  );
}

function OpenForm() {
  const canChoose = useStore(state => state.host?.canChooseFolder ?? false);
  const [path, setPath] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, setIsBusy] = useState(false);
  const open = async (chosen: string) => {
    setIsBusy(true);
    setProblem(await openProject(chosen));
    setIsBusy(false);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (path.trim() === '') setProblem('Write or paste the path of a repository.');
    else void open(path);
  };
  const choose = async () => {
    if (!canChoose) return showOverlay({ name: 'folder' });
    let chosen: string | null = null;
    await attempt(async () => {
      chosen = await getClient().projects.choose();
    });
    if (chosen) await open(chosen);
  };
  return (
    <form
      onSubmit={submit}
      className="rounded-xl border border-line-strong border-dashed bg-surface px-6 py-6"
    >
      <div className="flex flex-col items-center gap-3 pb-5 text-center">
        <FolderOpen size={28} className="text-faint" aria-hidden />
        <p className="font-medium">Drop a repository anywhere in this window</p>
        <Button kind="primary" size="large" onClick={() => void choose()}>
          Choose a folder …
        </Button>
      </div>
      <Field
        label="Or paste its path"
        problem={problem}
        hint="A repository shaped like autoresearch needs no configuration; you can describe any other in the next step."
      >
        {ids => (
          <div className="flex gap-2">
            <TextInput
              {...ids}
              value={path}
              placeholder="~/autoresearch"
              onChange={event => {
                setPath(event.target.value);
                setProblem(null);
              }}
            />
            <Button type="submit" disabled={isBusy}>
              {isBusy ? 'Looking …' : 'Open'}
            </Button>
          </div>
        )}
      </Field>
    </form>
  );
}

function SampleCard({ isFirst }: { readonly isFirst: boolean }) {
  const [isBusy, setIsBusy] = useState(false);
  const open = async (name: SampleName) => {
    setIsBusy(true);
    await openSample(name);
    setIsBusy(false);
  };
  return (
    <div className="rounded-xl border border-line bg-surface px-5 py-4">
      <div className="flex items-center gap-4">
        <FlaskConical size={24} className="shrink-0 text-accent" aria-hidden />
        <div className="flex-1">
          <h2 className="font-medium">
            {isFirst ? 'New here? Start with the sample' : 'The sample project'}
          </h2>
          <p className="text-muted text-sm">{SAMPLE_WORDS[FIRST_SAMPLE]}</p>
        </div>
        <Button
          kind={isFirst ? 'primary' : 'plain'}
          disabled={isBusy}
          onClick={() => void open(FIRST_SAMPLE)}
        >
          Open the sample project
        </Button>
      </div>
      <ul aria-label="More samples" className="mt-3 border-line border-t pt-2 pl-10">
        {SAMPLE_NAMES.filter(name => name !== FIRST_SAMPLE).map(name => (
          <li key={name} className="flex items-center gap-4 py-1">
            <p className="flex-1 text-muted text-sm">
              <span className="text-ink">{name}</span> · {SAMPLE_WORDS[name]}
            </p>
            <Button
              kind="quiet"
              size="small"
              disabled={isBusy}
              aria-label={`Open ${name}`}
              onClick={() => void open(name)}
            >
              Open
            </Button>
          </li>
        ))}
      </ul>
    </div>
  );
}

function ImportCard() {
  return (
    <div className="flex items-center gap-4 rounded-xl border border-line bg-surface px-5 py-4">
      <FileInput size={24} className="shrink-0 text-accent" aria-hidden />
      <div className="flex-1">
        <h2 className="font-medium">Results from elsewhere</h2>
        <p className="text-muted text-sm">
          Another loop's results.tsv, or a tracker's files, as a notebook to read and compare. Drop it here,
          or choose it.
        </p>
      </div>
      <CommandButton id="import" />
    </div>
  );
}

function RecentProjects({ projects }: { readonly projects: readonly Project[] }) {
  const studies = useStore(state => state.studies);
  if (projects.length === 0) return null;
  return (
    <section aria-labelledby="recent">
      <h2 id="recent" className="mb-2 font-medium text-muted text-sm">
        Recent projects
      </h2>
      <ul className="overflow-hidden rounded-xl border border-line bg-surface">
        {projects.map(project => (
          <RecentProject
            key={project.gitDir}
            project={project}
            studies={studies.filter(card => card.gitDir === project.gitDir && card.state !== 'imported')}
          />
        ))}
      </ul>
    </section>
  );
}

function RecentProject({
  project,
  studies,
}: {
  readonly project: Project;
  readonly studies: readonly StudyCard[];
}) {
  const [latest] = studies;
  const best = latest?.tally.best ?? null;
  const baseline = latest?.tally.baseline ?? null;
  const gain = best !== null && baseline ? (best - baseline) / Math.abs(baseline) : null;
  return (
    <li className="flex items-center gap-4 border-line border-b px-5 py-3 last:border-b-0">
      {project.exists ? null : <FolderX size={18} className="text-warn" aria-hidden />}
      <div className="min-w-0 flex-1">
        <p className="truncate font-medium">{project.name}</p>
        <p className="flex text-muted text-xs" title={project.path}>
          <PathLine path={project.path} />
          {project.exists ? null : <span className="whitespace-pre"> no longer exists</span>}
        </p>
      </div>
      {latest ? (
        <div className="hidden text-right lg:block">
          <p className="tabular text-sm">
            {best === null ? 'no result yet' : `${latest.contract.metric.name} ${formatMetric(best)}`}
            {gain === null ? null : <span className="ml-2 text-muted">{formatPercent(gain, 2)}</span>}
          </p>
          <p className="text-muted text-xs">
            {latest.tag} · <RelativeTime at={latest.activeAt} />
          </p>
        </div>
      ) : null}
      {latest ? <StatePill card={latest} isSmall /> : null}
      <div className="flex items-center gap-1">
        {latest ? (
          <Button size="small" onClick={() => openStudy(latest.id)}>
            Notebook
          </Button>
        ) : null}
        <Button
          size="small"
          kind="quiet"
          disabled={!project.exists}
          onClick={() => goTo({ name: 'set_up', path: project.path })}
        >
          New study <ArrowRight size={13} aria-hidden />
        </Button>
        <IconButton
          label={`Take ${project.name} off the list`}
          onClick={() => void attempt(() => getClient().projects.forget({ gitDir: project.gitDir }))}
        >
          <X size={15} aria-hidden />
        </IconButton>
      </div>
    </li>
  );
}
