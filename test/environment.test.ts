import { expect, test } from 'vitest';
import { trainingEnvironment } from '../src/engine/process/environment.ts';

const base = { named: [], marker: 'study/1.0', uvProjectEnvironment: null, uvMaySync: true };

test('the training sees what it needs and nothing that looks like a secret', () => {
  const user = {
    PATH: '/bin',
    HOME: '/home/me',
    LC_ALL: 'C',
    CUDA_VISIBLE_DEVICES: '0',
    ANTHROPIC_API_KEY: 'sk-1',
    AWS_SECRET_ACCESS_KEY: 'x',
    HF_TOKEN: 'x',
    UV_PUBLISH_TOKEN: 'x',
    SSH_AUTH_SOCK: '/s',
    EDITOR: 'vi',
  };
  const seen = trainingEnvironment({ ...base, user });
  expect(Object.keys(seen).sort()).toEqual(
    ['CUDA_VISIBLE_DEVICES', 'HOME', 'LC_ALL', 'PATH', 'PAWL_RUN', 'PYTHONUNBUFFERED', 'TERM'].sort(),
  );
  expect(seen.PYTHONUNBUFFERED).toBe('1');
  expect(seen.PAWL_RUN).toBe('study/1.0');
});

test('the training computes with what the user chose for its libraries', () => {
  const user = { KERAS_BACKEND: 'jax', ACCELERATE_MIXED_PRECISION: 'bf16' };
  expect(trainingEnvironment({ ...base, user })).toMatchObject(user);
});

test('what the contract names passes, also a secret', () => {
  const user = { WANDB_MODE: 'offline', MY_TOKEN: 't', OTHER: 'o' };
  const seen = trainingEnvironment({ ...base, user, named: ['WANDB_MODE', 'MY_TOKEN', 'ABSENT'] });
  expect(seen).toMatchObject({ WANDB_MODE: 'offline', MY_TOKEN: 't' });
  expect(seen).not.toHaveProperty('OTHER');
  expect(seen).not.toHaveProperty('ABSENT');
});

test("uv is pointed at the user's environment unless the contract says otherwise", () => {
  expect(
    trainingEnvironment({ ...base, user: {}, uvProjectEnvironment: '/r/.venv' }).UV_PROJECT_ENVIRONMENT,
  ).toBe('/r/.venv');
  const asItIs = trainingEnvironment({
    ...base,
    user: {},
    uvProjectEnvironment: '/r/.venv',
    uvMaySync: false,
  });
  expect(asItIs.UV_NO_SYNC).toBe('1');
  const named = { ...base, user: { UV_PROJECT_ENVIRONMENT: '/own' }, named: ['UV_PROJECT_ENVIRONMENT'] };
  expect(trainingEnvironment({ ...named, uvProjectEnvironment: '/r/.venv' }).UV_PROJECT_ENVIRONMENT).toBe(
    '/own',
  );
});
