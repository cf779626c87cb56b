import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { instrumentClient } from 'toolspan';
import { startTelemetry } from 'toolspan/node';

const telemetry = await startTelemetry({ serviceName: 'agent' });
const client = instrumentClient(new Client({ name: 'agent', version: '1.0.0' }));
const env = { ...process.env } as Record<string, string>;
await client.connect(new StdioClientTransport({ command: 'node', args: ['weather-server.ts'], env }));
console.log(await client.callTool({ name: 'forecast', arguments: { city: 'Paris' } }));
await client.close();
await telemetry.shutdown();
