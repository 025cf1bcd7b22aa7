import { Switch } from '../../ui/field.tsx';
import { SelectField } from '../../ui/select.tsx';
import { hasMeasures } from './set-up-measures.ts';
import { Group, type GroupProps, hasProblemIn, Lines, Text } from './set-up-part.tsx';
import { describeMeasure, describeMeasures } from './set-up-summaries.ts';

/** Which number counts, and how long to train. */
export function MeasureFields({ tries, ...props }: GroupProps) {
  const { form, onChange } = props;
  return (
    <Group
      title="Which number counts"
      summary={describeMeasure(form)}
      hasProblem={hasProblemIn(props.problems, [
        ...(['metric', 'goal', 'budget', 'limit', 'memory', 'memoryLimit'] as const),
      ])}
      tries={tries}
      isOpenAtFirst={form.metric.trim() === ''}
      hint={
        <>
          Printed by the training as <code>name: number</code> or <code>METRIC name=number</code>.
        </>
      }
    >
      <Text {...props} name="metric" label="Metric" placeholder="val_bpb" />
      <SelectField
        label="Better is"
        problem={props.problems.goal}
        value={form.goal}
        options={[
          { value: '', label: 'as its name tells' },
          { value: 'minimize', label: 'lower' },
          { value: 'maximize', label: 'higher' },
        ]}
        onChange={goal => onChange({ goal })}
      />
      <Text
        {...props}
        name="budget"
        label="Budget (seconds)"
        hint="How long the training is expected to run."
        inputMode="decimal"
      />
      <Text
        {...props}
        name="limit"
        label="Limit (seconds)"
        hint="When Pawl ends it. Leave empty for twice the budget plus 30 s."
        inputMode="decimal"
      />
      <Text
        {...props}
        name="memory"
        label="Memory metric"
        hint="A second number to show. Optional."
        placeholder="peak_vram_mb"
      />
      <Text
        {...props}
        name="memoryLimit"
        label="Memory limit"
        hint="An experiment that exceeds it is discarded."
        inputMode="decimal"
      />
      <Switch
        label="End runs early that can no longer reach the best"
        checked={form.prune}
        onChange={prune => onChange({ prune })}
      />
    </Group>
  );
}

/** Fields that most contracts do not need; open if this one does. */
export function MoreMeasureFields({ tries, ...props }: GroupProps) {
  return (
    <Group
      title="How the number is found and judged"
      summary={describeMeasures(props.form)}
      hasProblem={hasProblemIn(props.problems, [
        ...(['verdict', 'leastGain', 'bound', 'swaps', 'pattern', 'metricCommand', 'require'] as const),
        ...(['checks', 'wait', 'scoreCommand', 'artifacts', 'scoreModel', 'scoreReads'] as const),
        ...(['model', 'modelUrl'] as const),
      ])}
      tries={tries}
      isOpenAtFirst={hasMeasures(props.form)}
    >
      <SelectField
        label="Verdicts"
        hint="The same code gives a different number each time. Honest repeats decisive measurements, and says how sure a gain is."
        value={props.form.verdict}
        options={[
          { value: '', label: 'as this machine does' },
          { value: 'honest', label: 'honest: repeat what decides' },
          { value: 'greedy', label: 'greedy: take each number as it is' },
        ]}
        onChange={verdict => props.onChange({ verdict })}
      />
      <Text
        {...props}
        name="leastGain"
        label="Least gain"
        hint="In the metric's unit; smaller gains do not count. Leave empty to count any."
        inputMode="decimal"
      />
      <Text
        {...props}
        name="bound"
        label="Best possible number"
        hint="0 for most losses, 1 for an accuracy. A better number is examined closely. Optional."
        inputMode="decimal"
      />
      <SelectField
        label="Edits that name the evaluation"
        hint="Or the validation data, a seed or a clock. Such edits are marked; they can also wait for you."
        value={props.form.approvesHints ? 'ask' : 'run'}
        options={[
          { value: 'run', label: 'run, and are marked' },
          { value: 'ask', label: 'wait for me' },
        ]}
        onChange={chosen => props.onChange({ approvesHints: chosen === 'ask' })}
      />
      <Lines
        {...props}
        name="swaps"
        label="Data to swap"
        hint="To see whether a large gain comes from the data: validation data = other data of the same kind, one pair per line. Optional."
        placeholder="data/val.bin = data/val-b.bin"
      />
      <Text
        {...props}
        name="pattern"
        label="Pattern of the number"
        hint="A regular expression with one group. Leave empty to find the number by its name."
        placeholder="score is ([0-9.]+)"
      />
      <Text
        {...props}
        name="metricCommand"
        label="Command that prints the number"
        hint="Runs after the training. Optional."
        placeholder="./report.sh"
      />
      <Lines
        {...props}
        name="require"
        label="Conditions for a keep"
        hint="A printed name, a comparison, a value; one per line."
        placeholder="correctness = PASS"
      />
      <Lines
        {...props}
        name="checks"
        label="Checks"
        hint="A name, a colon, a command that must succeed; one per line."
        placeholder="tests: make test"
      />
      <Text
        {...props}
        name="wait"
        label="How long the number may take"
        hint="After the training: 45s, 30m, 12h, 7d. Leave empty if it comes at once."
        placeholder="7d"
      />
      <Text
        {...props}
        name="scoreCommand"
        label="Command that scores"
        hint="Runs outside the training, which then only writes the files to score. Optional."
        placeholder="python3 score.py"
      />
      <Lines
        {...props}
        name="artifacts"
        label="What it scores"
        hint="Files that the training writes; one per line."
        placeholder="model.bin"
      />
      <Text
        {...props}
        name="scoreModel"
        label="Command that answers for the model"
        hint="Runs the edited code, separately from the scorer. Optional."
        placeholder="python3 train.py --serve"
      />
      <Lines
        {...props}
        name="scoreReads"
        label="What only the scorer may read"
        hint="Files and folders outside the repository; one per line."
        placeholder="~/data/held-out"
      />
      <Text
        {...props}
        name="model"
        label="Model the training may ask"
        hint="Through Pawl, which keeps the key. Optional."
      />
      <Text {...props} name="modelUrl" label="Address of its server" hint="Empty: Anthropic's." />
    </Group>
  );
}
