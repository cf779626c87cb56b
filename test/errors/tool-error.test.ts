// The error that tools throw, and the set of its codes.
import { describe, expect } from 'vitest';
import { classify, ERROR_CODES, isToolError, ToolError } from '../../src/index.ts';
import { verifies } from '../harness/verifies.ts';

describe('ToolError', () => {
  verifies('errors.codes', () => {
    expect(Object.keys(ERROR_CODES).toSorted()).toEqual([
      'AUTHENTICATION_FAILED',
      'CANCELLED',
      'INTERNAL_ERROR',
      'PERMISSION_DENIED',
      'RATE_LIMIT_EXCEEDED',
      'RESOURCE_NOT_FOUND',
      'TIMEOUT',
      'UNAVAILABLE',
      'VALIDATION_ERROR',
    ]);
    for (const { fault, advice } of Object.values(ERROR_CODES)) {
      expect(['caller', 'server', 'dependency']).toContain(fault);
      expect(advice).toMatch(/^[A-Z].*\.$/);
    }
  });

  verifies('errors.tool-error', async () => {
    const cause = new Error('why');
    const error = new ToolError('RATE_LIMIT_EXCEEDED', 'Too many', {
      details: { limit: 5 },
      retryAfterMs: 1_500,
      cause,
    });
    expect(error).toMatchObject({
      name: 'ToolError',
      code: 'RATE_LIMIT_EXCEEDED',
      message: 'Too many',
      retryable: true,
      cause,
    });
    expect(classify(error)).toEqual({
      code: 'RATE_LIMIT_EXCEEDED',
      fault: 'caller',
      retryable: true,
      retryAfterMs: 1_500,
      details: { limit: 5 },
    });
    expect(new ToolError('INTERNAL_ERROR', 'x', { retryable: true }).retryable).toBe(true);
    const specifier = '../../src/errors/tool-error.ts?another-copy';
    const copy = (await import(specifier)) as typeof import('../../src/errors/tool-error.ts');
    expect(copy.ToolError).not.toBe(ToolError);
    expect(isToolError(new copy.ToolError('TIMEOUT', 'late'))).toBe(true);
    expect(classify(new copy.ToolError('TIMEOUT', 'late')).code).toBe('TIMEOUT');
    expect([new Error('x'), { code: 'TIMEOUT' }, null, 'TIMEOUT'].map(isToolError)).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });

  verifies('errors.bad-tool-error', () => {
    const make =
      (...args: unknown[]) =>
      () =>
        Reflect.construct(ToolError, args) as unknown;
    expect(make('NOPE', 'x')).toThrow(
      new TypeError(`ToolError: code must be one of ${Object.keys(ERROR_CODES).join(', ')}, got "NOPE" (string)`),
    );
    expect(make('TIMEOUT', 7)).toThrow(new TypeError('ToolError: message must be a string, got 7 (number)'));
    expect(make('TIMEOUT', 'x', { details: [1] })).toThrow(
      new TypeError('ToolError: option "details" must be an object, got a list of 1'),
    );
    expect(make('TIMEOUT', 'x', { retryable: 'yes' })).toThrow(TypeError);
    expect(make('TIMEOUT', 'x', { retryAfterMs: -1 })).toThrow(
      new RangeError('ToolError: option "retryAfterMs" must be a number of milliseconds from 0, got -1 (number)'),
    );
    expect(make('TIMEOUT', 'x', { retryAfter: 1 })).toThrow(/unknown option "retryAfter"; known options: details, /);
  });
});
