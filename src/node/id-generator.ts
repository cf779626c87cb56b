// Makes trace and span ids: random as the stock generator's, written by a table of hexadecimal digits.
import type { IdGenerator } from '@opentelemetry/sdk-trace';

const HEX16 = Array.from({ length: 0x1_0000 }, (_, value) => value.toString(16).padStart(4, '0'));

const random16 = (): string => HEX16[(Math.random() * 0x1_0000) | 0] as string;

function spanId(): string {
  const id = random16() + random16() + random16() + random16();
  // all zeros is no id: https://www.w3.org/TR/trace-context-2/#parent-id
  return id === '0000000000000000' ? spanId() : id;
}

export const idGenerator: IdGenerator = {
  generateTraceId: () => spanId() + spanId(),
  generateSpanId: spanId,
};
