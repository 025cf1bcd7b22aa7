import { dataPaths } from '../../engine/paths.ts';
import { PawlError } from '../../shared/errors.ts';
import { installMcp, type McpClient } from '../mcp/install.ts';

/** Serves agents that run in other terminals, or registers Pawl with one. */
export async function mcp(flags: { readonly install?: McpClient; readonly write?: boolean }): Promise<void> {
  if (flags.install === undefined) {
    if (flags.write)
      throw new PawlError('usage', '--write needs to know where: --install claude|codex|gemini|opencode.');
    const { serveMcp } = await import('../mcp/server.ts');
    await serveMcp(dataPaths(process.env), process.cwd());
    return;
  }
  process.stdout.write(await installMcp(flags.install, flags.write === true, process.env));
}
