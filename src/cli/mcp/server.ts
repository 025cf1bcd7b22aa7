import { once } from 'node:events';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import type { DataPaths } from '../../engine/paths.ts';
import { openLedger } from '../../engine/store/ledger.ts';
import { VERSION } from '../../shared/version.ts';
import { registerTools } from './tools.ts';

/** The first 250 characters must be enough, because Codex cuts the rest off. */
const INSTRUCTIONS =
  'Pawl trains one experiment after another and keeps what makes the metric better. Read its studies, `propose` an ' +
  'experiment, then `wait`, again and again until it is over: it takes minutes. You can also write notes. ' +
  'You cannot run anything, change a contract or decide what is kept.';

/**
 * Serves the Model Context Protocol on stdin and stdout until stdin ends.
 * @param folder where it was started; by default, calls are about the latest study in its repository
 */
export async function serveMcp(paths: DataPaths, folder: string): Promise<void> {
  const ledger = openLedger(paths.ledger);
  const server = new McpServer({ name: 'pawl', version: VERSION }, { instructions: INSTRUCTIONS });
  registerTools(server, { ledger, paths, folder, now: Date.now });
  try {
    const ended = once(process.stdin, 'end');
    await server.connect(new StdioServerTransport());
    // The transport itself does not notice when its client is gone.
    await ended;
    await server.close();
  } finally {
    ledger.close();
  }
}
