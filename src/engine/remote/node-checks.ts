/** The result of a check; unless it is `ok`, `detail` says what to do. */
export type NodeCheck = {
  readonly name: string;
  readonly outcome: 'ok' | 'warning' | 'failed' | 'skipped';
  readonly detail: string;
};

type NodeGpu = { readonly uuid: string; readonly name: string };

const MAX_ANSWER_CHARACTERS = 300;

/** Lines of POSIX shell that describe a machine: each prints a name, `=`, and the value. */
export const QUESTIONS = `echo "node=$(uname -n)"
echo "python=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>&1 | tail -n 1)"
echo "git=$(git --version 2>&1 | tail -n 1)"
echo "bwrap=$(bwrap --ro-bind / / --dev /dev --proc /proc --unshare-pid --unshare-net true 2>&1 && echo works)"
nvidia-smi --query-gpu=uuid,name --format=csv,noheader 2>/dev/null | sed -n 's/^GPU-/gpu=GPU-/p'`;

/** Answers by question name; a machine may have several GPUs. */
export type NodeAnswers = ReadonlyMap<string, readonly string[]>;

/** The text comes from whatever programs the user's profile selects on the machine. */
export function readAnswers(text: string): NodeAnswers {
  const answers = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const at = line.indexOf('=');
    if (at < 1) continue;
    const name = line.slice(0, at);
    answers.set(name, [...(answers.get(name) ?? []), line.slice(at + 1, at + 1 + MAX_ANSWER_CHARACTERS)]);
  }
  return answers;
}

function gpusOf(answers: NodeAnswers): readonly NodeGpu[] {
  return (answers.get('gpu') ?? []).flatMap(line => {
    const [uuid = '', ...name] = line.split(', ');
    return /^GPU-[\w-]+$/.test(uuid) ? [{ uuid, name: name.join(', ') }] : [];
  });
}

/** Whether a machine has everything the wrapper needs. */
export function nodeChecks(answers: NodeAnswers, needsSandbox: boolean): readonly NodeCheck[] {
  const first = (name: string) => answers.get(name)?.[0] ?? '';
  const [node, python, git, bwrap] = [first('node') || '?', first('python'), first('git'), first('bwrap')];
  const gpus = gpusOf(answers).map(({ name }) => name);
  const none = `${node} cannot contain a training: ${bwrap || 'bubblewrap said nothing'}. Nothing is trained there unless sandbox.mode is "off".`;
  const [major = 0, minor = 0] = python.split('.').map(Number);
  const isRecent = major > 3 || (major === 3 && minor >= 8);
  const check = (name: string, isGood: boolean, good: string, bad: string): NodeCheck => ({
    name,
    outcome: isGood ? 'ok' : 'failed',
    detail: isGood ? good : bad,
  });
  return [
    check(
      'Python there',
      isRecent,
      python,
      `Pawl needs Python 3.8 or later on ${node}: ${python || 'none'}.`,
    ),
    check(
      'git there',
      /^git version/.test(git),
      git.replace('git version ', ''),
      `${node} has no git: ${git}`,
    ),
    ...(needsSandbox ? [check('sandbox there', bwrap === 'works', `bubblewrap works on ${node}`, none)] : []),
    {
      name: 'GPU there',
      outcome: gpus.length === 0 ? 'warning' : 'ok',
      detail:
        gpus.length === 0
          ? `nvidia-smi finds none on ${node}. Fine for a training that needs none.`
          : gpus.join('; '),
    },
  ];
}
