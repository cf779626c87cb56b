// Ports on loopback: both addresses, and who has one that is taken.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect } from 'vitest';
import { isAddressInUse, openPort } from '../../src/loopback/listen.ts';
import { IDENTITY_HEADER, portHolder } from '../../src/loopback/port-holder.ts';
import { verifies } from '../harness/verifies.ts';

const answer = (text: string) => (_: unknown, response: { end(text: string): unknown }) => void response.end(text);

describe('a port', () => {
  verifies('loopback.listen', async () => {
    const port = await openPort(answer('here'), 0);
    for (const address of port.addresses) {
      const host = address.includes(':') ? `[${address}]` : address;
      expect(await (await fetch(`http://${host}:${port.port}`)).text()).toBe('here');
    }
    expect(port.addresses).toContain('127.0.0.1');
    const taken = await openPort(answer('there'), port.port).catch((error: unknown) => error);
    expect(isAddressInUse(taken)).toBe(true);
    await port.close();
    const again = await openPort(answer('again'), port.port);
    expect(again.port).toBe(port.port);
    await again.close();
  });

  verifies(
    'loopback.listen',
    async () => {
      const six = createServer(answer('six'));
      const bound = await new Promise<boolean>((resolve) => {
        six.once('error', () => resolve(false));
        six.listen(0, '::1', () => resolve(true));
      });
      if (!bound) return;
      const { port } = six.address() as AddressInfo;
      expect(isAddressInUse(await openPort(answer('four'), port).catch((error: unknown) => error))).toBe(true);
      // nothing is left open on the address that was free
      await expect(fetch(`http://127.0.0.1:${port}`)).rejects.toThrow('fetch failed');
      await new Promise((resolve) => six.close(resolve));
    },
    'also where only one of the two is taken',
  );

  verifies('loopback.holder', async () => {
    const port = await openPort((_, response) => response.setHeader(IDENTITY_HEADER, 'viewer/1.2.3').end(), 0);
    expect(await portHolder(port.port)).toMatch(/^a toolspan viewer\/1\.2\.3(, process \d+ \(.+\))?$/);
    await port.close();
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const holder = await portHolder((silent.address() as AddressInfo).port);
    if (process.platform === 'linux') expect(holder).toMatch(new RegExp(`^process ${process.pid} \\(.+\\)$`));
    silent.closeAllConnections();
    await new Promise((resolve) => silent.close(resolve));
    expect(await portHolder(1)).toBeUndefined();
  });

  verifies(
    'loopback.holder',
    async () => {
      const liar = await openPort((_, response) => response.setHeader(IDENTITY_HEADER, '<b>"x"').end(), 0);
      expect((await portHolder(liar.port)) ?? '').not.toContain('<b>');
      await liar.close();
    },
    'but not by whatever it says',
  );
});
