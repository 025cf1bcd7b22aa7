import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import { z } from 'zod';
import { PawlError } from '../shared/errors.ts';
import { clusterFileSchema } from '../shared/machines/cluster.ts';

/** In the data folder: only the user names programs that run with the user's rights, never a repository. */
const NAME = 'settings.toml';

const commandSchema = z.tuple([z.string().min(1)], z.string());
const agentSchema = z.strictObject({
  /** Program and arguments of an agent that speaks the Agent Client Protocol. */
  acp: commandSchema,
  title: z.string().trim().min(1).max(80).optional(),
  /** Files and folders in the home folder that it needs: its settings and its sign-in. It gets a copy of them. */
  reads: z.array(z.string().min(1)).default([]),
});

const settingsSchema = z.strictObject({
  agents: z
    .record(
      z.string().regex(/^[a-z0-9][a-z0-9_-]{0,39}$/, 'a name has only lower-case letters, digits, - and _'),
      agentSchema,
    )
    .default({}),
  /** Program and arguments of the editor that opens experiments. */
  editor: commandSchema.optional(),
  /** The cluster for repositories whose pawl.toml names none. */
  cluster: clusterFileSchema.optional(),
  hooks: z
    .strictObject({
      before: commandSchema.optional(),
      after: commandSchema.optional(),
      best: commandSchema.optional(),
      ended: commandSchema.optional(),
    })
    .default({}),
});

export type UserSettings = z.infer<typeof settingsSchema>;
export type UsersAgent = z.infer<typeof agentSchema>;

/**
 * The user's own settings file, with defaults for whatever it leaves out, or for everything if there is none. Rejects
 * with `settings_invalid`.
 * @param home the data folder
 */
export async function readUserSettings(home: string): Promise<UserSettings> {
  const path = join(home, NAME);
  const invalid = (message: string) => new PawlError('settings_invalid', `${path}: ${message}`);
  const text = await readFile(path, 'utf8').catch(error => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw invalid((error as Error).message);
  });
  let table: unknown;
  try {
    table = parse(text);
  } catch (error) {
    if (error instanceof TomlError) throw invalid(`line ${error.line}: ${error.message.split('\n')[0]}`);
    throw error;
  }
  const parsed = settingsSchema.safeParse(table, { reportInput: true });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const isMissing = issue !== undefined && 'input' in issue && issue.input === undefined;
  const what = isMissing ? 'is required' : issue?.message;
  throw invalid(`${issue?.path.join('.') || 'the file'}: ${what}`);
}
