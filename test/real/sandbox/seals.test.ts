import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { expect, test } from 'vitest';
import { HAS_SANDBOX } from '../../support/contained.ts';
import { temporaryFolder } from '../../support/scaffold.ts';
import { byExperiment, hostileStudy } from '../../support/trainers.ts';

/** Python: whether each can be done, printed as `name yes` or `name no`. */
const TRY = `
def can(name, do):
    try:
        do()
        print(name, 'yes')
    except OSError:
        print(name, 'no')
    sys.stdout.flush()
`;

test.skipIf(!HAS_SANDBOX)(
  'after the baseline a folder is read-only as a whole, unless the baseline made something in it',
  async () => {
    const home = await temporaryFolder();
    const attempt = `
import pkg.deep.module
can('new', lambda: open('pkg/new', 'w'))
can('deep', lambda: open('pkg/deep/new', 'w'))
can('moved', lambda: os.rename('pkg', 'old'))
can('out', lambda: open('out/late', 'w'))
can('renamed', lambda: os.rename('out/late', 'out/later'))
can('locked', lambda: open('out/fixed.py', 'a'))
can('replaced', lambda: os.rename('out/later', 'out/fixed.py'))
report(0.9 - n / 100)`;
    const study = await hostileStudy({
      ...{ home, env: { PAWL_SANDBOX: 'required' }, experiments: 2 },
      files: {
        'pkg/__init__.py': '',
        'pkg/deep/__init__.py': '',
        'pkg/deep/module.py': 'X = 1\n',
        'out/fixed.py': 'X = 1\n',
      },
      script:
        TRY +
        byExperiment(
          `import pkg.deep.module
os.close(os.open('out/transient', os.O_CREAT | os.O_WRONLY)); os.unlink('out/transient')
report(0.9)`,
          attempt,
          "open('pkg/deep/made', 'w')",
        ),
    });
    expect(study.verdicts).toEqual(['keep baseline', 'keep better', 'crash sealed_path']);
    const said = (await study.log(1)).toString().match(/^\w+ (?:yes|no)/gm);
    expect(said).toEqual([
      'new no',
      'deep no',
      'moved no',
      'out yes',
      'renamed yes',
      'locked no',
      'replaced no',
    ]);
    expect(study.messages[2]).toMatch(
      /^The training wrote to pkg\/deep\/made, but pkg is read-only:.*writes = \["pkg\/deep"\] under \[sandbox\] in pawl\.toml\.$/,
    );
    const ledger = new BetterSqlite3(join(home, 'pawl.sqlite'), { readonly: true });
    expect(ledger.prepare('SELECT written_folders FROM study').pluck().get()).toBe('["out"]');
    ledger.close();
  },
);
