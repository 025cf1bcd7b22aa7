import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse as parseToml } from 'smol-toml';
import { describe, expect, test } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { findConstants } from '../src/engine/proposers/search/constants.ts';
import { givenBy } from '../src/engine/proposers/search/given.ts';
import { turn } from '../src/engine/proposers/search/moves.ts';
import { cpuMs } from './support/clock.ts';
import { namesOfConstants as names, turnAll } from './support/constants.ts';
import { temporaryFolder } from './support/scaffold.ts';

const run = promisify(execFile);

describe('of data', () => {
  const YAML = `# settings
optimizer:
  lr: 0.00002   # the rate
  betas: [0.9, 0.95]
  nesterov: false
  name: adam
layers:
  - width: 64
  - {width: 128, drop: 1.0e-5}
seed: 1
eval:
  batch_size: 8
  # do not change
  k: 5
word: "x"
`;
  const TOML = `title = "x"
steps = 1_000 # many
[optimizer]
lr = 3e-4
"weight decay" = 0.1
betas = [0.9, 0.95]
table = { a = 1, b.c = true }
text = """
lr = 5
"""
[[layer]]
width = 64
[[layer]]
width = 128
`;
  const JSON_TEXT = `{
  "lr": 0.001,
  "model": {"depth": 8, "betas": [0.9, 0.95], "bias": true},
  "layers": [{"width": 64}, {"width": 128}],
  "seed": 4, "name": "x", "note": null
}
`;

  test('every value of a YAML, TOML or JSON file is a constant, by its path', () => {
    expect(names('config.yaml', YAML)).toEqual([
      ...['optimizer.lr', 'optimizer.betas', 'optimizer.nesterov', 'layers[0].width', 'layers[1].width'],
      'layers[1].drop',
    ]);
    expect(names('config.toml', TOML)).toEqual([
      ...['steps', 'optimizer.lr', 'optimizer.weight decay', 'optimizer.betas', 'optimizer.table.a'],
      ...['optimizer.table.b.c', 'layer[0].width', 'layer[1].width'],
    ]);
    expect(names('config.json', JSON_TEXT)).toEqual([
      ...['lr', 'model.depth', 'model.betas', 'model.bias', 'layers[0].width', 'layers[1].width'],
    ]);
    const given = givenBy({ environment: [], train: 'python train.py optimizer.lr=1 --depth=4' });
    expect(names('config.yaml', YAML, given)).not.toContain('optimizer.lr');
  });

  test("Hydra's own words are none", () => {
    const source =
      'optimizer:\n  _target_: torch.optim.Adam\n  _partial_: true\n  lr: 0.1\n_recursive_: false\n';
    expect(names('model.yaml', source)).toEqual(['optimizer.lr']);
  });

  test('a program reads what was written, and comments and layout stay', async () => {
    const yaml = turnAll('config.yaml', YAML).text;
    expect(parseYaml(yaml)).toMatchObject({
      optimizer: { lr: 0.000_04, betas: [0.95, 0.95], nesterov: true, name: 'adam' },
      layers: [{ width: 128 }, { width: 256, drop: 2e-5 }],
      seed: 1,
      eval: { k: 5 },
    });
    expect(yaml).toContain('# the rate\n');
    const toml = turnAll('config.toml', TOML).text;
    expect(parseToml(toml)).toMatchObject({
      steps: 2000,
      optimizer: { lr: 6e-4, 'weight decay': 0.2, betas: [0.95, 0.95], table: { a: 2, b: { c: false } } },
      layer: [{ width: 128 }, { width: 256 }],
    });
    expect(toml).toContain('# many\n');
    const json = turnAll('config.json', JSON_TEXT).text;
    expect(JSON.parse(json)).toMatchObject({
      lr: 0.002,
      model: { depth: 10, betas: [0.95, 0.95], bias: false },
      layers: [{ width: 128 }, { width: 256 }],
      seed: 4,
    });
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'c.toml'), toml);
    await writeFile(join(folder, 'c.json'), json);
    const code =
      'import json, tomllib; print(json.load(open("c.json"))["lr"], tomllib.load(open("c.toml", "rb"))["optimizer"]["lr"])';
    expect((await run('python3', ['-c', code], { cwd: folder })).stdout).toBe('0.002 0.0006\n');
  });

  test('a number of YAML stays one for readers of its first version', () => {
    const down = (text: string) => {
      const [found] = findConstants('c.yml', `lr: ${text}\n`);
      return found ? turn(found.literal, 'down', 0, 0) : null;
    };
    // Those take a number with an exponent but without a point for a word.
    expect(down('0.000001')).toBe('5.0e-7');
    expect(down('1.0e-5')).toBe('5.0e-6');
    expect(down('1e-5')).toBe('5e-6');
  });

  test('a byte order mark, line ends of Windows and comments in JSON do no harm', () => {
    for (const mark of ['\uFEFF', '\u00EF\u00BB\u00BF']) {
      const source = `${mark}{\r\n  // one\r\n  "lr": 0.1,\r\n}\r\n`;
      expect(findConstants('c.json', source)).toMatchObject([{ name: 'lr', literal: { text: '0.1' } }]);
      expect(findConstants('c.yaml', `${mark}lr: 0.1\r\nb: 2\r\n`)).toHaveLength(2);
    }
  });

  test('what is no settings file has none: broken, large, of a tool, or a table of numbers', () => {
    expect(names('a.json', '{"a": 1')).toEqual([]);
    expect(names('a.toml', 'a = \nb = 1')).toEqual([]);
    expect(names('a.yaml', 'a: [1\nb: 2')).toEqual([]);
    expect(names('package.json', '{"a": 1}')).toEqual([]);
    expect(names('a.json', JSON.stringify(Array.from({ length: 300 }, (_, a) => ({ a }))))).toEqual([]);
    expect(names('a.yaml', 'a: &x 1\na: 2\n')).toEqual([]);
    // Names that nobody could be shown, or that read differently as bytes.
    expect(names('a.json', `{"a\\nb": 1, "${'x'.repeat(300)}": 2, "gr\u00f6\u00dfe": 3, "b c": 4}`)).toEqual([
      'b c',
    ]);
  });

  test('no data makes the reading slow or deep', () => {
    const evils = [
      '[',
      '{"a":',
      '- ',
      'a: &a [*a,',
      '? ',
      'a = [',
      '[[a]]\n',
      '"',
      '# ',
      'a:\n ',
      '&a ',
      '!!a ',
      '{a: ',
    ];
    for (const evil of evils) {
      for (const file of ['a.json', 'a.yaml', 'a.toml']) {
        const start = cpuMs();
        expect(findConstants(file, evil.repeat(Math.floor(60_000 / evil.length))).length).toBeLessThan(201);
        expect(cpuMs() - start).toBeLessThan(5_000);
      }
    }
  });
});
