import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from './scaffold.ts';

/** The stand-in GPU's readings, by nvidia-smi's field names. */
const FIELDS: Readonly<Record<string, string>> = {
  ...{ index: '0', uuid: 'GPU-8fe3a97d', name: 'NVIDIA RTX 6000, Ada', 'memory.total': '49140' },
  ...{ 'memory.used': '45061', 'power.draw': '298.37', 'power.limit': '300.00', 'temperature.gpu': '64' },
  ...{ 'clocks.sm': '1755', 'clocks.mem': '2619', 'utilization.gpu': '97' },
  'clocks_throttle_reasons.active': '0x0000000000000000',
};

/** Answers once, or repeatedly if asked to; a file holds the process ids. */
const SMI = (folder: string, once: Readonly<Record<string, string>>) => `#!${process.execPath}
const { existsSync, readFileSync } = require('node:fs');
const args = process.argv.slice(2);
const list = name => args.find(arg => arg.startsWith(name + '='))?.slice(name.length + 1).split(',');
const gpu = list('--query-gpu');
const apps = list('--query-compute-apps');
const interval = args.indexOf('-lms');
const fields = { ...${JSON.stringify(FIELDS)}, ...(interval < 0 ? ${JSON.stringify(once)} : {}) };
const say = () => {
  if (args[0] === '-L') console.log('GPU 0: ' + fields.name);
  if (gpu) console.log(gpu.map(name => fields[name] ?? '[N/A]').join(', '));
  const pids = apps ? readFileSync(${JSON.stringify(join(folder, 'computing'))}, 'utf8').split('\\n') : [];
  for (const pid of pids.filter(pid => pid && existsSync('/proc/' + pid))) {
    console.log(apps.map(name => ({ gpu_uuid: fields.uuid, pid, used_gpu_memory: '512' })[name]).join(', '));
  }
};
say();
if (interval >= 0) setInterval(say, Number(args[interval + 1]));
`;

/** Acts as whatever the check starts: trains, serves and scores nano-gpt, multiplies, or answers queries. */
const PYTHON = (folder: string) => `#!/bin/sh
case "$*" in
*torch.__version__*) echo '2.9.0+cu129 True' ;;
*libcuda*) echo '0 0 1' ;;
*torch.randn*)
  echo $$ >> '${folder}/computing'
  echo computing
  exec sleep 300 ;;
*train.py)
  echo $$ >> '${folder}/computing'
  echo 'device: cuda'
  sleep "$(sed -n 's/^TIME_BUDGET = //p' prepare.py)"
  echo weights >model.pt
  printf -- '---\\nval_bpb: 2.5\\npeak_vram_mb: 512.0\\n' ;;
*'train.py --serve') exec cat <&4 >/dev/null ;;
*score.py) printf '{"val_bpb": 2.5}\\n' >&3 ;;
*) exit 9 ;;
esac
`;

/**
 * A folder for the front of a PATH, with a working GPU and a Python that has PyTorch, both stand-ins.
 * @param once
 * values that nvidia-smi gives instead when it is asked only once
 */
export async function gpuStandIns(once: Readonly<Record<string, string>> = {}): Promise<string> {
  const folder = await temporaryFolder();
  // For any user under which a stand-in for bubblewrap runs them.
  await chmod(folder, 0o755);
  await writeFile(join(folder, 'computing'), '');
  await writeProgram(folder, 'nvidia-smi', SMI(folder, once));
  await writeProgram(folder, 'python3', PYTHON(folder));
  return folder;
}

/** Answers for several idle GPUs, once or repeatedly. */
const SEVERAL = (gpus: readonly { readonly uuid: string; readonly name: string }[]) => `#!${process.execPath}
const gpus = ${JSON.stringify(gpus)};
const args = process.argv.slice(2);
const wanted = args.find(arg => arg.startsWith('--query-gpu='))?.slice(12).split(',');
const interval = args.indexOf('-lms');
const say = () => gpus.forEach((gpu, index) => {
  const fields = { ...${JSON.stringify(FIELDS)}, 'utilization.gpu': '0', ...gpu, index };
  if (args[0] === '-L') console.log('GPU ' + index + ': ' + gpu.name + ' (UUID: ' + gpu.uuid + ')');
  if (wanted) console.log(wanted.map(name => fields[name] ?? '[N/A]').join(', '));
});
say();
if (interval >= 0) setInterval(say, Number(args[interval + 1]));
`;

/** A folder for the front of a PATH, on which nvidia-smi lists GPUs that are not there. */
export async function listedGpus(gpus: Parameters<typeof SEVERAL>[0]): Promise<string> {
  const folder = await temporaryFolder();
  await writeProgram(folder, 'nvidia-smi', SEVERAL(gpus));
  return folder;
}

export async function writeProgram(folder: string, name: string, script: string): Promise<void> {
  await writeFile(join(folder, name), script);
  await chmod(join(folder, name), 0o755);
}
