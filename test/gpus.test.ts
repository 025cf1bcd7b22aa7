import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import { expect, onTestFinished, test } from 'vitest';
import { AmdSampler } from '../src/engine/machine/amd-sampler.ts';
import { boundGpus, gpuVariables } from '../src/engine/machine/bind-gpu.ts';
import { DiskSpace } from '../src/engine/machine/disk-space.ts';
import { processorModel } from '../src/engine/machine/hardware.ts';
import { HostSampler } from '../src/engine/machine/host-sampler.ts';
import { parseMigInstances } from '../src/engine/machine/mig-instances.ts';
import { Telemetry } from '../src/engine/machine/telemetry.ts';
import { dataPaths } from '../src/engine/paths.ts';
import { runDoctor } from '../src/engine/preflight/doctor.ts';
import { trainingEnvironment } from '../src/engine/process/environment.ts';
import { Engine } from '../src/engine/session/engine.ts';
import type { GpuSample } from '../src/shared/machines/telemetry.ts';
import { FAST_TRAINER, temporaryFolder, writeFiles } from './support/scaffold.ts';
import { checkNight, prepareNight, TAG } from './support/study.ts';

const WHOLE: GpuSample = { index: 0, uuid: 'GPU-8fe3a97d', name: 'NVIDIA H100', migMode: 0, powerWatts: 300 };
const SMALL: GpuSample = { index: 2, uuid: 'GPU-a230e637', name: 'NVIDIA GeForce MX150' };
const INSTANCES = [
  { uuid: 'MIG-3f1c', name: 'MIG 3g.20gb' },
  { uuid: 'MIG-77aa', name: 'MIG 2g.10gb' },
];
const SPLIT: GpuSample = {
  ...{ index: 1, uuid: 'GPU-c97b7f88', name: 'NVIDIA A100', migMode: 1, instances: INSTANCES },
  ...{ powerWatts: 200, memoryUsedMib: 9, memoryTotalMib: 40_960, temperatureCelsius: 40 },
  processes: [
    { uuid: 'MIG-3f1c', pid: 1 },
    { uuid: 'MIG-77aa', pid: 2 },
  ],
};

test('of several GPUs a training is bound to one by its UUID, unless the user’s environment chose', () => {
  const gpus = [SPLIT, WHOLE, SMALL];
  expect(boundGpus(gpus, {})).toEqual([WHOLE]);
  expect(gpuVariables(gpus, {}, null)).toEqual({ CUDA_VISIBLE_DEVICES: WHOLE.uuid });
  expect(boundGpus(gpus, { CUDA_VISIBLE_DEVICES: '2,0' })).toEqual([SMALL, WHOLE]);
  expect(boundGpus(gpus, { CUDA_VISIBLE_DEVICES: 'GPU-a230' })).toEqual([SMALL]);
  expect(boundGpus(gpus, { CUDA_VISIBLE_DEVICES: 'MIG-other' })).toEqual([]);
  // As CUDA reads it.
  expect(boundGpus(gpus, { CUDA_VISIBLE_DEVICES: '0,-1,2' })).toEqual([WHOLE]);
  expect(gpuVariables(gpus, { CUDA_VISIBLE_DEVICES: '' }, null)).toEqual({});
  expect(boundGpus(gpus, { CUDA_VISIBLE_DEVICES: '' })).toEqual([]);
  // With one there is no choice, and with none nothing to bind.
  expect(gpuVariables([WHOLE], {}, null)).toEqual({});
  expect(gpuVariables([], {}, null)).toEqual({});
  expect(boundGpus([], {})).toEqual([]);
});

test('what the user chose for the study comes before their environment, and must be there', () => {
  const gpus = [SPLIT, WHOLE, SMALL];
  const environment = { CUDA_VISIBLE_DEVICES: '0' };
  expect(gpuVariables(gpus, environment, '2')).toEqual({ CUDA_VISIBLE_DEVICES: SMALL.uuid });
  expect(gpuVariables(gpus, environment, 'GPU-a230')).toEqual({ CUDA_VISIBLE_DEVICES: SMALL.uuid });
  expect(gpuVariables(gpus, environment, 'MIG-77aa')).toEqual({ CUDA_VISIBLE_DEVICES: 'MIG-77aa' });
  expect(() => gpuVariables([], {}, '3')).toThrow(/is missing\. There is none that Pawl can see; choose/);
  // What names several names none.
  expect(() => gpuVariables(gpus, {}, 'GPU-')).toThrow(/is missing/);
  expect(() => gpuVariables(gpus, {}, '3')).toThrow(
    /^The GPU 3 chosen for this study is missing\. There are 1: NVIDIA A100, MIG-3f1c: MIG 3g\.20gb, .* choose with --gpu\.$/,
  );
});

test('an instance of a split GPU is bound by its own UUID, and has nothing that is all instances’ together', () => {
  expect(gpuVariables([SPLIT], {}, null)).toEqual({ CUDA_VISIBLE_DEVICES: 'MIG-3f1c' });
  expect(boundGpus([SPLIT], { CUDA_VISIBLE_DEVICES: 'MIG-77aa' })).toEqual([
    {
      ...{ index: 1, uuid: 'MIG-77aa', name: 'NVIDIA A100, MIG 2g.10gb', migMode: 1, temperatureCelsius: 40 },
      processes: [{ uuid: 'MIG-77aa', pid: 2 }],
    },
  ]);
  const { instances: _, ...untold } = SPLIT;
  expect(boundGpus([untold], {})).toEqual([]);
  expect(gpuVariables([untold], {}, null)).toEqual({});
});

const LISTING = `GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-c97b7f88)
  MIG 3g.20gb     Device  0: (UUID: MIG-3f1c)
  MIG 2g.10gb     Device  1: (UUID: MIG-GPU-c97b7f88/5/0)
GPU 1: NVIDIA H100 (UUID: GPU-8fe3a97d)
`;

test('instances are read from the list, in the forms of old and new drivers', () => {
  expect(parseMigInstances(LISTING)).toEqual(
    new Map([
      [
        'GPU-c97b7f88',
        [
          { uuid: 'MIG-3f1c', name: 'MIG 3g.20gb' },
          { uuid: 'MIG-GPU-c97b7f88/5/0', name: 'MIG 2g.10gb' },
        ],
      ],
    ]),
  );
  expect(parseMigInstances('  MIG 3g.20gb     Device  0: (UUID: MIG-3f1c)\nNo devices were found\n')).toEqual(
    new Map(),
  );
});

/** A folder with a stand-in for nvidia-smi that prints the rows twenty times a second, and lists what it is told. */
async function standIn(rows: readonly string[], listing = ''): Promise<string> {
  const folder = await temporaryFolder();
  const echo = (lines: readonly string[]) => lines.map(line => `echo "${line}"`).join('; ');
  await writeFile(
    join(folder, 'nvidia-smi'),
    `#!/bin/sh
case "$1" in
  -L) cat <<'END'
${listing}
END
  exit ;;
  --query-compute-apps*) exec sleep 600 ;;
esac
while :; do ${echo(rows)}; sleep 0.05; done
`,
  );
  await chmod(join(folder, 'nvidia-smi'), 0o755);
  return folder;
}

const row = (index: number, uuid: string, mig: string, watts: number, model = 'NVIDIA A100') =>
  `${index}, ${uuid}, ${model}, 90, 19, 40960, 31, ${watts}, 400, 210, 1215, [N/A], 4, 16, 0x0000000000000000, ${mig}`;

/** A study of the baseline alone on a machine of these GPUs, whose training prints what it is bound to. */
async function studyOn(folder: string, gpu: string | null, env: Readonly<Record<string, string>> = {}) {
  const night = await prepareNight({
    trainer: FAST_TRAINER.replace(/^printf/m, 'echo "bound to: $CUDA_VISIBLE_DEVICES"\nsleep 0.4\nprintf'),
  });
  const { engine, close } = await engineOn(folder, night.home, env);
  const study = await engine.createStudy({
    ...{ repositoryPath: night.repository, tag: TAG, stop: { experiments: 0 }, gpu },
    proposer: { kind: 'search', seed: 1 },
  });
  return { night, engine, close, study };
}

/** An engine of a data folder, on a machine of the GPUs that a folder's stand-in prints. */
async function engineOn(folder: string, home: string, env: Readonly<Record<string, string>> = {}) {
  const environment = {
    ...{ ...process.env, PAWL_HOME: home, PATH: `${folder}:${process.env.PATH}`, PAWL_SANDBOX: 'off' },
    ...env,
  };
  const telemetry = new Telemetry({ environment, intervalMs: 20 });
  const engine = await Engine.open(
    { paths: dataPaths(environment), host: 'test', environment, telemetry },
    null,
  );
  let isOpen = true;
  const close = () => {
    if (!isOpen) return;
    isOpen = false;
    telemetry.stop();
    engine.close();
  };
  onTestFinished(close);
  telemetry.start();
  return { engine, close };
}

test('a study trains on the GPU that was chosen for it, and counts the energy of that one', async () => {
  const folder = await standIn([row(0, 'GPU-aa', 'Disabled', 100), row(1, 'GPU-bb', 'Disabled', 40_000)]);
  const { night, engine, study } = await studyOn(folder, 'GPU-bb', { CUDA_VISIBLE_DEVICES: '0' });
  expect((await engine.run(study.id, {}, () => {})).error).toBeNull();
  const [run] = engine.ledger.runs.list(study.id, 0);
  const log = await readFile(join(night.home, 'studies', study.id, 'runs', '0', 'output.log'), 'utf8');
  expect(log).toContain('bound to: GPU-bb');
  // Of 40 kW for some tenths of a second; with the other one's it would be more, with that alone far less.
  const seconds = ((run?.gpuEnergyWh ?? 0) * 3_600) / 40_000;
  expect(seconds).toBeGreaterThan(0.1);
  expect(engine.ledger.runs.gpuEnergyWh(study.id)).toBe(run?.gpuEnergyWh);
  await checkNight(night);
});

test('a study whose GPU is not there says so before anything is trained', async () => {
  const folder = await standIn([row(0, 'GPU-aa', 'Disabled', 100)]);
  const { engine, study } = await studyOn(folder, 'GPU-gone');
  const end = await engine.run(study.id, {}, () => {});
  expect(end.error).toMatchObject({ code: 'gpu_missing' });
  expect(engine.ledger.runs.list(study.id, 0)).toEqual([]);
  // With another one it goes on.
  expect((await engine.run(study.id, { gpu: '0' }, () => {})).error).toBeNull();
  expect(engine.ledger.experiments.tally(study.id, 'minimize').keep).toBe(1);
});

test('a study does not go on with another model of GPU than the baseline’s', async () => {
  const own = await studyOn(await standIn([row(0, 'GPU-aa', 'Disabled', 100)]), null);
  const { night, study } = own;
  expect((await own.engine.run(study.id, {}, () => {})).error).toBeNull();
  own.close();
  const faster = await standIn([row(0, 'GPU-bb', 'Disabled', 100, 'NVIDIA H100')]);
  const there = await engineOn(faster, night.home);
  // Both where the machine chooses the GPU and where the user does.
  for (const lanes of [[], ['gpu:GPU-bb']]) {
    const { error } = await there.engine.run(study.id, { stop: { experiments: 1 }, lanes }, () => {});
    expect(error).toMatchObject({
      code: 'usage',
      message: expect.stringContaining('on NVIDIA H100, the baseline on NVIDIA A100'),
    });
  }
  there.close();
  const before = await engineOn(await standIn([row(0, 'GPU-cc', 'Disabled', 100)]), night.home);
  const again = await before.engine.run(study.id, { stop: { experiments: 1 }, lanes: [] }, () => {});
  expect(again).toMatchObject({ error: null, reason: 'experiments' });
  expect(before.engine.ledger.runs.list(study.id, 1)).not.toEqual([]);
});

test('a study without a GPU does not go on with another model of processor than the baseline’s', async () => {
  const { night, engine, study } = await studyOn(await temporaryFolder(), null);
  expect((await engine.run(study.id, {}, () => {})).error).toBeNull();
  const database = new BetterSqlite3(join(night.home, 'pawl.sqlite'));
  database.exec("UPDATE run SET fairness = json_set(fairness, '$.hardware.processor', 'Another model')");
  database.close();
  const { error } = await engine.run(study.id, { stop: { experiments: 1 } }, () => {});
  expect(error).toMatchObject({
    code: 'usage',
    message: expect.stringContaining(`on ${processorModel()}, the baseline on Another model`),
  });
  expect(engine.ledger.runs.list(study.id, 1)).toEqual([]);
});

test('on a machine whose GPU is split a study gets an instance', async () => {
  const folder = await standIn([row(0, 'GPU-c97b7f88', 'Enabled', 100)], LISTING);
  const { night, engine, study } = await studyOn(folder, null);
  expect((await engine.run(study.id, {}, () => {})).error).toBeNull();
  const log = await readFile(join(night.home, 'studies', study.id, 'runs', '0', 'output.log'), 'utf8');
  expect(log).toContain('bound to: MIG-3f1c');
  // What all instances take together is not its own.
  expect(engine.ledger.runs.list(study.id, 0)[0]?.gpuEnergyWh).toBeNull();
});

/** A tree like the kernel's, of cards with these files. */
async function cards(...all: readonly Readonly<Record<string, string>>[]): Promise<string> {
  const folder = await temporaryFolder();
  for (const [place, files] of all.entries()) {
    const device = join(folder, `card${place}`, 'device');
    await mkdir(join(device, 'hwmon', 'hwmon3'), { recursive: true });
    await writeFiles(device, files);
    await mkdir(join(folder, `card${place}-DP-1`));
  }
  return folder;
}
const RADEON = {
  ...{ vendor: '0x1002\n', device: '0x744c\n', unique_id: '5c88007d4a2b1f03\n', product_name: '\n' },
  ...{ gpu_busy_percent: '97\n', mem_info_vram_used: '21474836480\n', mem_info_vram_total: '25753026560\n' },
  ...{ current_link_speed: '16.0 GT/s PCIe\n', current_link_width: '16\n' },
  'hwmon/hwmon3/temp1_input': '61000\n',
  'hwmon/hwmon3/power1_average': '301000000\n',
  'hwmon/hwmon3/power1_cap': '355000000\n',
  'hwmon/hwmon3/freq1_input': '2482000000\n',
  'hwmon/hwmon3/freq2_input': '1249000000\n',
  'hwmon/hwmon3/pwm1': '102\n',
  'hwmon/hwmon3/pwm1_max': '255\n',
};

test('AMD’s GPUs are told by the kernel’s files, and what a card has not is absent', async () => {
  const folder = await cards({ vendor: '0x8086\n' }, RADEON, {
    ...{ vendor: '0x1002\n', product_name: 'AMD Instinct MI300X\n', gpu_busy_percent: 'N/A\n' },
    'hwmon/hwmon3/power1_input': '512000000\n',
  });
  const sampler = new AmdSampler(folder);
  expect(sampler.gpus()).toEqual([]);
  await sampler.read();
  expect(sampler.gpus()).toStrictEqual([
    {
      ...{ index: 0, maker: 'amd', uuid: 'GPU-5c88007d4a2b1f03', name: 'AMD GPU 0x744c' },
      ...{ utilizationPercent: 97, memoryUsedMib: 20_480, memoryTotalMib: 24_560 },
      ...{ temperatureCelsius: 61, powerWatts: 301, powerLimitWatts: 355, smClockMhz: 2482 },
      ...{ memoryClockMhz: 1249, fanPercent: 40, pcieGeneration: 4, pcieLanes: 16 },
    },
    { index: 1, maker: 'amd', uuid: '', name: 'AMD Instinct MI300X', powerWatts: 512 },
  ]);
  expect(gpuVariables(sampler.gpus(), {}, null)).toEqual({ ROCR_VISIBLE_DEVICES: 'GPU-5c88007d4a2b1f03' });
  const none = new AmdSampler(join(folder, 'nowhere'));
  await none.read();
  expect(none.gpus()).toEqual([]);
});

test('a choice among AMD’s GPUs that the user made stays theirs', () => {
  const card = (index: number, uuid: string): GpuSample => ({ index, uuid, name: 'AMD', maker: 'amd' });
  const gpus = [card(0, ''), card(1, 'GPU-aa'), card(2, 'GPU-bb')];
  // A graphics unit inside of the processor comes first and is not meant.
  expect(boundGpus(gpus, {})).toEqual([gpus[1]]);
  expect(gpuVariables(gpus, {}, null)).toEqual({ ROCR_VISIBLE_DEVICES: 'GPU-aa' });
  for (const name of ['ROCR_VISIBLE_DEVICES', 'HIP_VISIBLE_DEVICES', 'CUDA_VISIBLE_DEVICES']) {
    expect(gpuVariables(gpus, { [name]: '2' }, null)).toEqual({});
    expect(boundGpus(gpus, { [name]: '2' })).toEqual([gpus[2]]);
  }
  const environment = { HIP_VISIBLE_DEVICES: '2' };
  expect(gpuVariables(gpus, environment, '1')).toEqual({
    ...{ ROCR_VISIBLE_DEVICES: 'GPU-aa', HIP_VISIBLE_DEVICES: '0' },
  });
  const user = { ROCR_VISIBLE_DEVICES: '1', HIP_VISIBLE_DEVICES: '0' };
  const none = { named: [], marker: 'm', uvProjectEnvironment: null, uvMaySync: false };
  expect(trainingEnvironment({ ...none, user })).toMatchObject(user);
});

test('a driver of AMD’s that hangs takes one of Node’s threads, and its numbers are forgotten', async () => {
  const folder = await cards(RADEON, { vendor: '0x1002\n' }, { vendor: '0x1002\n' });
  let time = 0;
  const sampler = new AmdSampler(folder, () => time);
  await sampler.read();
  expect(sampler.gpus()).toHaveLength(3);
  const hanging = ['unique_id', 'product_name', 'device', 'current_link_speed'];
  for (const card of ['card0', 'card1', 'card2']) {
    for (const name of hanging) {
      await rm(join(folder, card, 'device', name), { force: true });
      execFileSync('mkfifo', [join(folder, card, 'device', name)]);
    }
  }
  const reading = sampler.read();
  // The others are free: what reads a file gets it.
  for (let turn = 0; turn < 10; turn += 1) await readFile('/etc/hostname');
  time = 5_001;
  expect(sampler.gpus()).toEqual([]);
  // Each of the waiting readers gets an end.
  const ends = (async () => {
    for (const card of ['card0', 'card1', 'card2']) {
      for (const name of hanging) await writeFile(join(folder, card, 'device', name), '');
    }
  })();
  await Promise.all([reading, ends]);
});

test('without nvidia-smi AMD’s GPUs are sampled, and with it they are not', async () => {
  const folder = await cards(RADEON);
  const names = async (path: string) => {
    const telemetry = new Telemetry({ environment: { PATH: path }, intervalMs: 5, cards: folder });
    onTestFinished(() => telemetry.stop());
    telemetry.start();
    const gpus = await telemetry.knownGpus(60_000);
    return [telemetry.gpuState.kind, ...gpus.map(({ name }) => name)];
  };
  expect(await names(await temporaryFolder())).toEqual(['sampling', 'AMD GPU 0x744c']);
  const path = `${await standIn([row(0, 'GPU-aa', 'Disabled', 100)])}:${process.env.PATH}`;
  expect(await names(path)).toEqual(['sampling', 'NVIDIA A100']);
});

test('the checks name AMD’s GPUs, and say where there is none', async () => {
  const check = async (folder: string) => {
    const environment = { PATH: await temporaryFolder() };
    const paths = dataPaths({ PAWL_HOME: await temporaryFolder() });
    const checks = await runDoctor({ path: folder, tag: null, paths, environment, cards: folder });
    return checks.find(({ name }) => name === 'GPU');
  };
  expect(await check(await cards(RADEON))).toMatchObject({
    outcome: 'ok',
    detail: 'AMD GPU 0x744c, 24560 MiB, by the amdgpu driver',
  });
  expect(await check(await cards())).toMatchObject({
    outcome: 'warning',
    detail: expect.stringContaining('No GPU found'),
  });
});

test('what the disks move is counted once, from the second reading on', async () => {
  const folder = await temporaryFolder();
  const disks = (read: number, written: number) => `   7       0 loop0 1 0 8 0 1 0 8 0 0 0 0
 259       0 nvme0n1 100 0 ${read} 0 100 0 ${written} 0 0 0 0
 259       1 nvme0n1p1 100 0 ${read} 0 100 0 ${written} 0 0 0 0
   8       0 sda 100 0 1000 0 100 0 1000 0 0 0 0
 253       0 dm-0 100 0 ${read} 0 100 0 ${written} 0 0 0 0
`;
  await writeFiles(folder, {
    stat: 'cpu  100 0 50 800 50 0 0 0 70 0\n',
    meminfo: 'MemTotal: 1000 kB\nMemAvailable: 400 kB\n',
    loadavg: '1 1 1 1/82 22522\n',
    diskstats: disks(2_000, 4_000),
  });
  let time = 0;
  const sampler = new HostSampler(folder, () => time);
  expect(sampler.read()).not.toHaveProperty('diskReadBytesPerSecond');
  time = 2_000;
  await writeFiles(folder, { diskstats: disks(3_000, 4_000) });
  expect(sampler.read()).toMatchObject({ diskReadBytesPerSecond: 256_000, diskWriteBytesPerSecond: 0 });
  await writeFiles(folder, { diskstats: '' });
  expect(sampler.read()).not.toHaveProperty('diskReadBytesPerSecond');
});

test('the room on the disk is what the system says', async () => {
  const space = new DiskSpace(await temporaryFolder());
  expect(space.last).toBeNull();
  await space.look();
  expect(space.last?.totalBytes).toBeGreaterThan(space.last?.freeBytes ?? Number.NaN);
  const nowhere = new DiskSpace('/nowhere/at/all');
  await nowhere.look();
  expect(nowhere.last).toBeNull();
});
