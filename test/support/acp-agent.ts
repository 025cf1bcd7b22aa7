/**
 * A stand-in for an agent that speaks the Agent Client Protocol, built on the protocol's own library. Its first
 * argument selects what it does; the real agents are tested elsewhere.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { Readable, Writable } from 'node:stream';
import { agent, methods, ndJsonStream, RequestError } from '@agentclientprotocol/sdk';

const [, , act = 'edit'] = process.argv;
const ANSWER = JSON.stringify({
  hypothesis: 'LR becomes 8',
  rationale: 'It is low.',
  predicted_effect: -0.06,
});
let cwd = '';

// Keeps the process alive until a signal ends it, whatever else happens.
setInterval(() => {}, 60_000);

const app = agent({ name: 'stand-in' })
  .onRequest(methods.agent.initialize, () => ({ protocolVersion: 1, agentCapabilities: {} }))
  .onRequest(methods.agent.session.new, ({ params }) => {
    cwd = params.cwd;
    if (act === 'no_sign_in') throw new RequestError(-32_000, 'Authentication required');
    return { sessionId: 'one' };
  })
  .onRequest(methods.agent.session.setConfigOption, () => ({ configOptions: [] }))
  .onRequest(methods.agent.session.prompt, async ({ client }) => {
    const update = (more: object) =>
      client.notify(methods.client.session.update, { sessionId: 'one', update: more as never });
    const say = (text: string) =>
      update({ sessionUpdate: 'agent_message_chunk', content: { type: 'text', text } });
    const edit = async (path: string, change: (text: string) => string, kind = 'edit', isEarly = false) => {
      // Some agents announce the call before they ask, and ask with fewer fields.
      if (isEarly)
        await update({
          sessionUpdate: 'tool_call',
          toolCallId: path,
          title: 'Edit',
          kind,
          locations: [{ path: `${cwd}/${path}` }],
        });
      const { outcome } = await client.request(methods.client.session.requestPermission, {
        sessionId: 'one',
        toolCall: isEarly
          ? { toolCallId: path }
          : {
              toolCallId: path,
              title: `Edit ${path}`,
              kind: kind as 'edit',
              locations: [{ path: `${cwd}/${path}` }],
            },
        options: [
          { optionId: 'yes', name: 'Yes', kind: 'allow_once' },
          { optionId: 'always', name: 'Always', kind: 'allow_always' },
          { optionId: 'no', name: 'No', kind: 'reject_once' },
        ],
      });
      const isAllowed = outcome.outcome === 'selected' && outcome.optionId === 'yes';
      if (isAllowed) writeFileSync(`${cwd}/${path}`, change(readFileSync(`${cwd}/${path}`, 'utf8')));
      await update({
        sessionUpdate: 'tool_call_update',
        toolCallId: path,
        status: 'completed',
        title: `Edit ${path}`,
      });
      return isAllowed;
    };
    await update({
      sessionUpdate: 'agent_thought_chunk',
      content: { type: 'text', text: 'What if it were 8?' },
    });
    if (act === 'wrong_key')
      throw new RequestError(401, '{"error":{"code":401,"message":"API key not valid."}}');
    if (act === 'busy') throw new RequestError(-32_603, 'Internal error', { errorKind: 'overloaded' });
    if (act === 'retries') {
      for (const attempt of [1, 2, 3]) {
        await client.notify('_claude/sdkMessage', {
          sessionId: 'one',
          message: { type: 'system', subtype: 'api_retry', attempt, max_retries: 10, error_status: 401 },
        });
      }
      return new Promise<never>(() => {});
    }
    if (act === 'hangs') return new Promise<never>(() => {});
    if (act === 'declines') return { stopReason: 'refusal' };
    await say('I will look first.');
    // One update of a later protocol version, and one of no version.
    await update({ sessionUpdate: 'weather_report', sky: 'clear' });
    process.stdout.write('a stray line\n');
    const said = [
      await edit('prepare.sh', text => `${text}x`),
      await edit('../elsewhere', text => text, 'read').catch(() => 'failed'),
      await edit('train.sh', text => text, 'execute'),
      await edit('train.sh', text => text.replace('LR=2', 'LR=8'), 'edit', true),
    ];
    await update({
      sessionUpdate: 'usage_update',
      used: 9,
      size: 100,
      cost: { amount: 0.02, currency: 'USD' },
    });
    await say(`${JSON.stringify(said)}\n`);
    await say(ANSWER.slice(0, 20));
    // The rest arrives with the answer, and its handlers may still be working when the answer has come.
    void say(ANSWER.slice(20));
    return {
      stopReason: 'no_such_reason' as never,
      usage: { inputTokens: 7, outputTokens: 3, totalTokens: 10 },
    };
  });

app.connect(
  ndJsonStream(
    Writable.toWeb(process.stdout),
    Readable.toWeb(process.stdin) as unknown as Parameters<typeof ndJsonStream>[1],
  ),
);
