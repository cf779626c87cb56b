// Any thrown value to a code: shapes as the libraries make them, and values that nobody made.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { McpError } from '@modelcontextprotocol/sdk/types.js';
import { ProtocolError, SdkError, SdkErrorCode } from '@modelcontextprotocol/server';
import * as fc from 'fast-check';
import { describe, expect, onTestFinished } from 'vitest';
import { z } from 'zod';
import { z as z3 } from 'zod/v3';
import {
  classify,
  ERROR_CODES,
  ToolError,
  type Classifier,
  type ErrorCode,
  type ErrorMode,
  type Fault,
} from '../../src/index.ts';
import { errorMetaOf, errorResult } from '../../src/errors/error-result.ts';
import { closed, freePort, listening } from '../harness/http-server.ts';
import { verifies } from '../harness/verifies.ts';

const codeOf = (thrown: unknown) => classify(thrown).code;
const failing = async (work: () => unknown) => {
  try {
    await work();
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
};

async function answering(status: number, headers: Record<string, string> = {}): Promise<string> {
  const server = createServer((_, response) => {
    if (status > 0) response.writeHead(status, headers).end('{}');
  });
  onTestFinished(() => closed(server));
  return `${await listening(server)}/`;
}

describe('schemas', () => {
  const secret = 'hunter2-was-here';
  const shapes = {
    'zod 4': () => z.object({ user: z.object({ emails: z.array(z.email()) }), kind: z.enum(['a', 'b']) }),
    'zod 3': () => z3.object({ user: z3.object({ emails: z3.array(z3.string().email()) }), kind: z3.enum(['a', 'b']) }),
  };
  for (const [name, schema] of Object.entries(shapes)) {
    verifies(
      'errors.zod',
      async () => {
        const thrown = await failing(() => schema().parse({ user: { emails: [secret] }, kind: secret }));
        const { code, fault, details } = classify(thrown);
        expect([code, fault]).toEqual(['VALIDATION_ERROR', 'caller']);
        const issues = details?.['issues'] as { path: string; message: string }[];
        expect(issues.map(({ path }) => path).toSorted()).toEqual(['kind', 'user.emails.0']);
        expect(issues.every(({ message }) => /invalid/i.test(message))).toBe(true);
        expect(JSON.stringify(details)).not.toContain(secret);
      },
      name,
    );
  }

  verifies(
    'errors.zod',
    async () => {
      const thrown = await failing(() => z3.enum(['a', 'b']).parse(secret));
      expect(JSON.stringify(classify(thrown, { receivedValues: true }).details)).toContain(secret);
      const many = {
        name: 'ZodError',
        issues: Array.from({ length: 1_000 }, () => ({ path: [], message: 'm'.repeat(9_999) })),
      };
      expect(JSON.stringify(classify(many).details).length).toBeLessThan(6_000);
    },
    'values where they are allowed, and never without bounds',
  );
});

describe('aborts', () => {
  verifies('errors.aborts', async () => {
    const silent = await answering(0);
    const caller = new AbortController();
    const pending = failing(() => fetch(silent, { signal: caller.signal }));
    caller.abort();
    const byCaller = await pending;
    expect(codeOf(byCaller)).toBe('CANCELLED');
    expect(classify(byCaller, { signal: caller.signal }).code).toBe('CANCELLED');
    const late = await failing(() => fetch(silent, { signal: AbortSignal.timeout(5) }));
    expect(codeOf(late)).toBe('TIMEOUT');
    // a timer of Node wraps the reason
    expect(codeOf(await failing(() => wait(60_000, undefined, { signal: AbortSignal.timeout(5) })))).toBe('TIMEOUT');
    // the caller still waits: a limit of the server's own has aborted
    expect(classify(byCaller, { signal: new AbortController().signal }).code).toBe('TIMEOUT');
    // the SDKs abort with a reason that is any value, and fetch throws just that
    const withReason = new AbortController();
    withReason.abort('the user changed their mind');
    const thrown = await failing(() => fetch(silent, { signal: withReason.signal }));
    expect(classify(thrown, { signal: withReason.signal }).code).toBe('CANCELLED');
    expect(codeOf(thrown)).toBe('INTERNAL_ERROR');
  });

  verifies(
    'errors.aborts',
    () => {
      const named = (name: string, code?: string) => Object.assign(new Error('x'), { name, code });
      expect(['AbortError', 'CanceledError', 'CancelError'].map((name) => codeOf(named(name)))).toEqual(
        Array(3).fill('CANCELLED'),
      );
      expect(codeOf(named('AxiosError', 'ERR_CANCELED'))).toBe('CANCELLED');
      expect(
        [named('TimeoutError'), named('HeadersTimeoutError'), named('x', 'UND_ERR_BODY_TIMEOUT')].map(codeOf),
      ).toEqual(Array(3).fill('TIMEOUT'));
      expect(codeOf(Object.assign(named('AxiosError', 'ECONNABORTED'), { message: 'timeout of 10ms exceeded' }))).toBe(
        'TIMEOUT',
      );
    },
    'as axios, got, ky and undici name them',
  );
});

describe('HTTP', () => {
  const meanings: Readonly<Record<number, ErrorCode>> = {
    400: 'VALIDATION_ERROR',
    401: 'AUTHENTICATION_FAILED',
    403: 'PERMISSION_DENIED',
    404: 'RESOURCE_NOT_FOUND',
    405: 'INTERNAL_ERROR',
    407: 'INTERNAL_ERROR',
    408: 'TIMEOUT',
    409: 'VALIDATION_ERROR',
    422: 'VALIDATION_ERROR',
    429: 'RATE_LIMIT_EXCEEDED',
    500: 'UNAVAILABLE',
    502: 'UNAVAILABLE',
    503: 'UNAVAILABLE',
    504: 'TIMEOUT',
  };
  // the server asked, with credentials and a quota of its own
  const faults: Readonly<Record<number, Fault>> = { 401: 'server', 403: 'server', 407: 'server', 429: 'dependency' };
  // each as its client throws it
  const shapes: Readonly<Record<string, (status: number, headers: Record<string, string>) => unknown>> = {
    'a fetch Response': (status, headers) => new Response('', { status, headers }),
    ky: (status, headers) =>
      Object.assign(new Error('ky'), { name: 'HTTPError', response: new Response('', { status, headers }) }),
    axios: (status, headers) =>
      Object.assign(new Error('axios'), {
        code: 'ERR_BAD_REQUEST',
        response: { status, headers: new Headers(headers) },
      }),
    got: (statusCode, headers) =>
      Object.assign(new Error('got'), { code: 'ERR_NON_2XX_3XX_RESPONSE', response: { statusCode, headers } }),
    undici: (statusCode, headers) =>
      Object.assign(new Error('undici'), {
        code: 'UND_ERR_RESPONSE_STATUS_CODE',
        statusCode,
        headers: { 'retry-after': [headers['retry-after']] },
      }),
    'http-errors': (status, headers) => Object.assign(new Error('status'), { status, headers }),
    AWS: (httpStatusCode) => Object.assign(new Error('aws'), { $metadata: { httpStatusCode } }),
  };
  for (const [client, shape] of Object.entries(shapes)) {
    verifies(
      'errors.http',
      () => {
        for (const [status, code] of Object.entries(meanings)) {
          const found = classify(shape(Number(status), { 'retry-after': '7' }));
          expect(found.code, status).toBe(code);
          expect(found.fault, status).toBe(faults[Number(status)] ?? ERROR_CODES[code].fault);
          expect(found.retryable, status).toBe(ERROR_CODES[code].retryable);
          if (client !== 'AWS') expect(found.retryAfterMs, status).toBe(found.retryable ? 7_000 : undefined);
        }
        expect(classify(shape(501, {})).retryable).toBe(false);
      },
      client,
    );
  }

  verifies('errors.fault-fits', () => {
    const told = (thrown: unknown, mode: ErrorMode, classifiers: Classifier[] = []) =>
      errorResult(thrown, { mode, classifiers }).content.at(-1)?.text;
    const answer = (status: number, headers = {}) => new Response('', { status, headers });
    expect([401, 403].map((status) => told(answer(status), 'typed'))).toEqual([
      'AUTHENTICATION_FAILED: Do not repeat this call; report the trace id.',
      'PERMISSION_DENIED: Do not repeat this call; report the trace id.',
    ]);
    expect([401, 403, 429].map((status) => told(answer(status), 'strict'))).toEqual([
      "AUTHENTICATION_FAILED: The server's own credentials were refused. Do not repeat this call; report the trace id.",
      'PERMISSION_DENIED: The server is not allowed to do this. Do not repeat this call; report the trace id.',
      'RATE_LIMIT_EXCEEDED: A service that is needed for this is called too often. Wait, then call again.',
    ]);
    expect(told(answer(429, { 'retry-after': '7' }), 'typed')).toBe('RATE_LIMIT_EXCEEDED: Call again in 7 s.');
    // what the caller can mend, it is told to
    for (const status of [400, 404, 409, 410, 412, 413, 422]) expect(classify(answer(status)).fault).toBe('caller');
    for (const code of ['ENOENT', 'EACCES']) {
      expect(classify(Object.assign(new Error('x'), { code })).fault).toBe('caller');
    }
    expect(told(answer(404), 'typed')).toContain('Check the name or id');
    // who knows better wins
    const signIn = 'Sign in or renew the credentials, then call again.';
    const known = new ToolError('AUTHENTICATION_FAILED', 'Who are you?', { cause: answer(401) });
    expect(told(known, 'typed')).toBe(`AUTHENTICATION_FAILED: Who are you? ${signIn}`);
    expect(told(answer(401), 'typed', [() => ({ code: 'AUTHENTICATION_FAILED', fault: 'caller' })])).toBe(
      `AUTHENTICATION_FAILED: ${signIn}`,
    );
    expect(told('x', 'typed', [() => ({ code: 'VALIDATION_ERROR', fault: 'server' })])).toBe(
      'VALIDATION_ERROR: Do not repeat this call; report the trace id.',
    );
  });

  verifies('errors.retry-after', () => {
    const now = () => Date.UTC(2026, 0, 1);
    const after = (value: string) =>
      classify(new Response('', { status: 429, headers: { 'retry-after': value } }), { now }).retryAfterMs;
    expect(after('120')).toBe(120_000);
    expect(after(new Date(now() + 90_000).toUTCString())).toBe(90_000);
    expect(after(new Date(now() - 90_000).toUTCString())).toBe(0);
    expect(after('9999999999')).toBe(86_400_000);
    expect(['', 'soon', '-5', '3 apples', '1e9', 'Mon', 'NaN'].map(after)).toEqual(Array(7).fill(undefined));
  });
});

describe('the system', () => {
  verifies('errors.system', async () => {
    const port = await freePort();
    expect(classify(await failing(() => fetch(`http://127.0.0.1:${port}/`)))).toMatchObject({
      code: 'UNAVAILABLE',
      fault: 'dependency',
      retryable: true,
    });
    expect(codeOf(await failing(() => fetch('http://no-such-host.invalid/')))).toBe('UNAVAILABLE');
    expect(codeOf(await failing(() => readFile('/no/such/file')))).toBe('RESOURCE_NOT_FOUND');
    expect(codeOf(Object.assign(new Error('denied'), { code: 'EACCES', syscall: 'open' }))).toBe('PERMISSION_DENIED');
    const refused = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    expect(codeOf(new AggregateError([new Error('first'), refused]))).toBe('UNAVAILABLE');
    expect(codeOf(new Error('it failed', { cause: new Error('since', { cause: refused }) }))).toBe('UNAVAILABLE');
    const full = classify(Object.assign(new Error('too many open files'), { code: 'EMFILE' }));
    expect([full.code, full.fault, full.retryable]).toEqual(['UNAVAILABLE', 'server', true]);
  });

  verifies('errors.protocol-codes', () => {
    expect(codeOf(new McpError(-32602, 'bad'))).toBe('VALIDATION_ERROR');
    expect(codeOf(new ProtocolError(-32602, 'bad'))).toBe('VALIDATION_ERROR');
    expect(codeOf(new ProtocolError(-32002, 'gone'))).toBe('RESOURCE_NOT_FOUND');
    expect(codeOf(new ProtocolError(-32603, 'broken'))).toBe('INTERNAL_ERROR');
    expect(codeOf(new McpError(-32001, 'Request timed out'))).toBe('TIMEOUT');
    expect(codeOf(new SdkError(SdkErrorCode.RequestTimeout, 'late'))).toBe('TIMEOUT');
    expect(codeOf(new SdkError(SdkErrorCode.ConnectionClosed, 'closed'))).toBe('UNAVAILABLE');
  });
});

describe('what nobody knows', () => {
  verifies('errors.unknown', () => {
    const postgres = Object.assign(new Error('duplicate key'), { code: '23505', severity: 'ERROR' });
    const mongo = Object.assign(new Error('E11000'), { code: 11_000 });
    const unknown = [
      postgres,
      mongo,
      new TypeError('x'),
      'a string',
      0,
      null,
      undefined,
      Symbol('s'),
      { status: 'failed' },
      { status: 200 },
      [],
    ];
    for (const value of unknown) {
      expect(classify(value)).toEqual({
        code: 'INTERNAL_ERROR',
        fault: 'server',
        retryable: false,
        retryAfterMs: undefined,
      });
    }
  });

  verifies('errors.custom', () => {
    const classifiers = [
      () => {
        throw new Error('a classifier with a bug');
      },
      (error: unknown) =>
        (error as { code?: unknown } | undefined)?.code === '23505' ? ('VALIDATION_ERROR' as const) : undefined,
      (error: unknown) =>
        error === 'busy' ? { code: 'UNAVAILABLE' as const, fault: 'server' as const, retryAfterMs: 50 } : undefined,
      () => 'NO_SUCH_CODE' as ErrorCode,
    ];
    expect(classify(Object.assign(new Error('x'), { code: '23505' }), { classifiers }).code).toBe('VALIDATION_ERROR');
    expect(classify(new Error('wrapped', { cause: 'busy' }), { classifiers })).toEqual({
      code: 'UNAVAILABLE',
      fault: 'server',
      retryable: true,
      retryAfterMs: 50,
    });
    // before what toolspan knows, but not before what the tool itself said
    expect(classify(Object.assign(new Error('x'), { code: '23505', status: 404 }), { classifiers }).code).toBe(
      'VALIDATION_ERROR',
    );
    expect(classify(Object.assign(new ToolError('TIMEOUT', 'x')), { classifiers: [() => 'CANCELLED'] }).code).toBe(
      'TIMEOUT',
    );
    expect(classify(new Error('x'), { classifiers }).code).toBe('INTERNAL_ERROR');
  });
});

const PROPERTIES =
  'name code status statusCode response headers cause errors issues message stack path details retryable retryAfterMs length'.split(
    ' ',
  );

/** An error whose properties are arbitrary, getters that throw, or the error itself. */
const hostile = fc
  .dictionary(
    fc.constantFrom(...PROPERTIES),
    fc.oneof(
      fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true, withMap: true, withSet: true }),
      fc.constantFrom('ZodError', 'AbortError', 'ECONNREFUSED', 404, 429, -32602, new Headers({ 'retry-after': '1' })),
      fc.constantFrom('throws', 'itself'),
    ),
    { maxKeys: 8 },
  )
  .map((properties) => {
    const error = new Error('hostile');
    for (const [key, value] of Object.entries(properties)) {
      Object.defineProperty(error, key, {
        get(): unknown {
          if (value === 'throws') throw new Error('a getter that throws');
          return value === 'itself' ? error : value;
        },
      });
    }
    return error;
  });

describe('any value', () => {
  verifies('errors.any-value', () => {
    const codes = new Set(Object.keys(ERROR_CODES));
    const revoked = Proxy.revocable({}, {});
    revoked.revoke();
    const rude = new Proxy(new Error('rude'), {
      get() {
        throw new Error('not telling');
      },
      getPrototypeOf() {
        throw new Error('neither');
      },
    });
    const branded = { [Symbol.for('toolspan.tool-error.v1')]: true, code: 'NO_SUCH', details: 7 };
    const check = (thrown: unknown) => {
      for (const mode of ['typed', 'strict', 'passthrough'] as const) {
        expect(codes.has(classify(thrown).code)).toBe(true);
        const result = errorResult(thrown, { mode, traceId: '0'.repeat(32) });
        const sent = JSON.parse(JSON.stringify(result)) as typeof result;
        expect(sent.isError).toBe(true);
        expect(typeof sent.content[0]?.text).toBe('string');
        // the line that says what to do is one line
        if (mode !== 'passthrough') expect(sent.content.at(-1)?.text).not.toContain('\n');
        errorMetaOf(thrown);
      }
    };
    for (const odd of [revoked.proxy, rude, branded]) check(odd);
    fc.assert(fc.property(fc.oneof(hostile, fc.anything()), check), { numRuns: 2_000 });
  });

  verifies(
    'errors.any-value',
    () => {
      let asked = 0;
      const endless: object = new Proxy(
        {},
        {
          get(_, key): unknown {
            asked++;
            if (key === 'errors') return Array.from({ length: 1_000 }, () => endless);
            return key === 'cause' ? Object.create(endless) : undefined;
          },
        },
      );
      expect(classify(endless).code).toBe('INTERNAL_ERROR');
      expect(asked).toBeLessThan(1_000);
    },
    'with causes that never end',
  );
});
