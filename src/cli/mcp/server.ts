import { once } from 'node:events';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { openLedger } from '../../engine/ledger/ledger.ts';
import type { DataPaths } from '../../engine/paths.ts';
import { VERSION } from '../../shared/version.ts';
import { registerTools } from './tools.ts';

const INSTRUCTIONS =
  'Pawl runs training experiments one after another and keeps only what makes the metric better. You can read its studies, ' +
  'propose an experiment and write notes. You cannot run anything, change a contract or decide what is kept. ' +
  'After `propose`, call `wait` with the number you got, again and again until it is over: an experiment takes minutes.';

/**
 * Serves the Model Context Protocol on stdin and stdout until stdin ends.
 * @param folder where it was started: its repository's latest study is meant where no study is named
 */
export async function serveMcp(paths: DataPaths, folder: string): Promise<void> {
  const ledger = openLedger(paths.ledger);
  const server = new McpServer({ name: 'pawl', version: VERSION }, { instructions: INSTRUCTIONS });
  registerTools(server, { ledger, paths, folder, now: Date.now });
  try {
    const ended = once(process.stdin, 'end');
    await server.connect(new StdioServerTransport());
    // The transport does not notice by itself that its client is gone.
    await ended;
    await server.close();
  } finally {
    ledger.close();
  }
}
