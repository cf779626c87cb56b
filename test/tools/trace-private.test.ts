// What a trace and a metric tell a stranger of spans and labels that anybody in the process may have written.
import { SpanKind, trace, type Attributes } from '@opentelemetry/api';
import { describe, expect, onTestFinished } from 'vitest';
import { ToolError } from '../../src/errors/tool-error.ts';
import { reportMetrics } from '../../src/state/sources.ts';
import type { Scope } from '../../src/tools/access.ts';
import { metricsAnswer } from '../../src/tools/metrics-answer.ts';
import { traceAnswer } from '../../src/tools/trace-answer.ts';
import { exceptionAttributes } from '../../src/telemetry/exception.ts';
import { ownSdk } from '../harness/agent.ts';
import { verifies } from '../harness/verifies.ts';

const LEAKS = /internal|10\.0\.0\.5|admin|token|SECRET|shadow|hunter2|orders/;

const HOSTILE: Attributes = {
  'error.type': 'connect ECONNREFUSED 10.0.0.5:5432',
  'rpc.request.metadata.authorization': 'Bearer SECRET',
  'jsonrpc.request.id': 'hunter2',
  'toolspan.orders': 'hunter2',
  'toolspan.policy.name': 'https://internal/admin',
  'mcp.method.name': 'read /etc/shadow',
  'gen_ai.tool.name': '/etc/shadow',
  'url.full': 'https://internal-10.0.0.5/admin',
  'http.request.method': 'GET',
  'http.response.status_code': 503,
};

/** The answer about a span of a scope, which `HOSTILE` and an event of that name are on. */
function answerAbout(
  scope: Scope,
  { scopeName = 'http', spanName = 'GET https://internal-10.0.0.5/admin?token=SECRET' },
) {
  const span = trace.getTracer(scopeName).startSpan(spanName, { kind: SpanKind.CLIENT, attributes: HOSTILE });
  span.addEvent('read /etc/shadow', { path: '/etc/shadow', 'toolspan.retry.attempt': 2 });
  span.addEvent('toolspan.retry', { 'error.type': 'TypeError' });
  const forClients = new ToolError('RESOURCE_NOT_FOUND', 'no such city');
  span.addEvent(
    'exception',
    exceptionAttributes(scopeName === 'toolspan' ? forClients : new TypeError('hunter2 at internal')),
  );
  span.end();
  const { output, text } = traceAnswer(span.spanContext().traceId, { scope, sessionId: undefined }, () => null);
  return { span: output.spans[0], text, all: JSON.stringify([output, text]) };
}

describe('a stranger', () => {
  for (const scope of ['trace', 'session'] as const) {
    verifies(
      'agent.private',
      () => {
        ownSdk();
        const { span, text, all } = answerAbout(scope, {});
        expect(all).not.toMatch(LEAKS);
        expect(span).toMatchObject({
          name: 'CLIENT span',
          error: 'TypeError',
          attributes: { 'http.request.method': 'GET', 'http.response.status_code': 503 },
          events: [
            { name: 'event', attributes: { 'toolspan.retry.attempt': 2 } },
            { name: 'toolspan.retry', attributes: { 'error.type': 'TypeError' } },
            { name: 'exception', attributes: { 'exception.type': 'TypeError' } },
          ],
        });
        expect(Object.keys(span?.attributes ?? {})).toHaveLength(2);
        expect(text).toContain('CLIENT span client');
      },
      `of spans that others wrote, scope ${scope}`,
    );
  }

  verifies(
    'agent.private',
    () => {
      ownSdk();
      const { span, all } = answerAbout('trace', { scopeName: 'toolspan', spanName: 'tools/call forecast' });
      expect(all).not.toMatch(LEAKS);
      expect(span).toMatchObject({ name: 'tools/call forecast', error: 'ToolError: no such city' });
    },
    'of our own spans',
  );

  verifies(
    'agent.private',
    async () => {
      const labels = { 'server.address': '10.0.0.5', 'url.path': '/admin', 'toolspan.outcome': 'ok' };
      const metric = {
        name: 'it',
        type: 'counter',
        unit: '1',
        description: '',
        points: [{ labels, value: 3 }],
      } as const;
      onTestFinished(reportMetrics({ collect: () => Promise.resolve({ metrics: [metric], errors: 0 }) }));
      const seen = async (scope: Scope) =>
        (await metricsAnswer({}, { names: ['it'] }, { scope, sessionId: undefined })).output;
      expect((await seen('session')).series).toMatchObject([{ labels: { 'toolspan.outcome': 'ok' }, value: 3 }]);
      expect(JSON.stringify(await seen('trace'))).not.toMatch(LEAKS);
      expect((await seen('all')).series[0]?.labels).toEqual(labels);
    },
    'of labels',
  );
});

describe('whoever runs the process', () => {
  verifies('agent.redacted', () => {
    ownSdk();
    const { span, all } = answerAbout('all', {});
    expect(all).not.toMatch(/SECRET/);
    expect(span).toMatchObject({
      name: 'GET https://internal-10.0.0.5/admin?token=[REDACTED]',
      error: 'TypeError: hunter2 at internal',
      attributes: { 'rpc.request.metadata.authorization': '[REDACTED]', 'url.full': 'https://internal-10.0.0.5/admin' },
    });
  });
});
