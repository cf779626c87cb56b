// Who sends: health, resource, protocol versions, sessions; and what the viewer itself holds.
import type { JSX, TargetedEvent } from 'preact';
import type { ServerView, Status } from '../../api/shapes.ts';
import { AttributeTable } from '../parts/attributes.tsx';
import { State } from '../parts/badges.tsx';
import { Empty, Figure, Panel, Problem, SendHere } from '../parts/pieces.tsx';
import { Timelines } from '../parts/small-charts.tsx';
import { ago, bytes, count, duration } from '../format.ts';
import { shownUntil } from '../live.ts';
import { href } from '../location.ts';
import { useQuery } from '../query.ts';
import { useRange, type TimeRange } from '../range.ts';

export function ServersView(): JSX.Element {
  const range = useRange();
  const { data, error } = useQuery<{ servers: ServerView[] }>(range.key, () => `/api/servers?${range.params()}`, {
    everyMs: 1_500,
    idleMs: 5_000,
  });
  const status = useQuery<Status>('status', () => '/api/status', { everyMs: 1_500 }).data;
  return (
    <>
      <h1 class="unseen">Server</h1>
      <Problem message={error} />
      {data?.servers.length === 0 ? <Empty title="Nobody has sent anything yet." /> : null}
      {data?.servers.map((server) => (
        <Server key={server.service} server={server} range={range} />
      ))}
      {status === undefined ? null : <Viewer status={status} />}
    </>
  );
}

function Server({ server, range }: { readonly server: ServerView; readonly range: TimeRange }): JSX.Element {
  const now = shownUntil();
  const window = { fromMs: now - range.lengthMs, toMs: now };
  const [first, ...others] = server.resources;
  const overall = server.health.find(({ name }) => name === '') ?? server.health[0];
  const version = first?.attributes['service.version'];
  return (
    <section class="server" aria-label={server.service}>
      <div class="title-line">
        <h2 class="name">{server.service}</h2>
        {overall === undefined ? null : <State state={overall.now} />}
        <a href={href('/traces', { service: server.service })}>Traces</a>
      </div>
      <dl class="figures">
        <Figure name="Version" value={typeof version === 'string' ? version : '–'} />
        <Figure name="MCP revisions" value={server.protocolVersions.join(', ') || '–'} />
        <Figure name="Spans" value={count(server.spans)} />
        <Figure name="Sessions" value={count(server.sessionCount)} />
        <Figure name="Last seen" value={server.lastMs === 0 ? '–' : ago(server.lastMs, now)} />
      </dl>
      {server.health.length + server.breakers.length === 0 ? null : (
        <div class="columns">
          {server.health.length === 0 ? null : (
            <Panel title="Health">
              <Timelines lines={server.health} window={window} />
            </Panel>
          )}
          {server.breakers.length === 0 ? null : (
            <Panel title="Circuit breakers">
              <Timelines lines={server.breakers} window={window} />
            </Panel>
          )}
        </div>
      )}
      <div class="columns">
        <Panel title="Resource">
          {first === undefined ? null : <AttributeTable attributes={first.attributes} label="Resource" />}
          {others.length === 0 ? null : (
            <details>
              <summary>{others.length} more processes</summary>
              {others.map(({ attributes }, index) => (
                <AttributeTable key={index} attributes={attributes} label={`Resource ${index + 2}`} />
              ))}
            </details>
          )}
          <p class="quiet">Instrumented by {server.scopes.join(', ') || 'nobody'}.</p>
        </Panel>
        <Panel title="Sessions">
          {server.sessions.length === 0 ? (
            <Empty title="No session: the transport or the revision has none." />
          ) : (
            <table class="grid">
              <thead>
                <tr>
                  <th scope="col">Session</th>
                  <th scope="col" class="number">
                    Calls
                  </th>
                  <th scope="col">For</th>
                  <th scope="col">Last</th>
                </tr>
              </thead>
              <tbody>
                {server.sessions.map(({ id, calls, firstMs, lastMs }) => (
                  <tr key={id}>
                    <th scope="row">
                      <a href={href('/traces', { session: id, noise: 'show' })}>{id.slice(0, 24)}</a>
                    </th>
                    <td class="number">{calls}</td>
                    <td>{duration((lastMs - firstMs) * 1e6)}</td>
                    <td>{ago(lastMs, now)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </Panel>
      </div>
    </section>
  );
}

function Viewer({ status }: { readonly status: Status }): JSX.Element {
  const { received, rejected } = status;
  const refused = rejected.traces + rejected.metrics + rejected.logs;
  const clear = () => void fetch('/api/data', { method: 'DELETE' });
  const load = async (event: TargetedEvent<HTMLInputElement>) => {
    for (const file of event.currentTarget.files ?? []) {
      await fetch('/v1/traces', { method: 'POST', headers: { 'content-type': 'application/json' }, body: file });
    }
  };
  return (
    <section class="server" aria-label="This viewer">
      <div class="title-line">
        <h2 class="name">This viewer</h2>
        <label class="button">
          Load traces in OTLP/JSON
          <input
            type="file"
            class="unseen"
            accept=".json,application/json"
            multiple
            onChange={(event) => void load(event)}
          />
        </label>
        <button type="button" onClick={clear}>
          Forget everything
        </button>
      </div>
      <dl class="figures">
        <Figure
          name="Held"
          value={bytes(status.bytes)}
          note={`of ${bytes(status.maxBytes)}, for ${duration(status.maxAgeMs * 1e6)}`}
        />
        <Figure name="Traces" value={count(status.traces)} note={`${count(status.evictedTraces)} let go`} />
        <Figure name="Spans" value={count(status.spans)} note={`${count(received.traces)} came`} />
        <Figure name="Log records" value={count(status.logs)} note={`${count(received.logs)} came`} />
        <Figure name="Instruments" value={count(status.instruments)} note={`${count(received.metrics)} points came`} />
        <Figure name="Refused" value={count(refused)} tone={refused > 0 ? 'warn' : ''} />
      </dl>
      <Panel title="Send telemetry here">
        <SendHere endpoint={status.endpoint} />
        <p class="quiet">
          toolspan {status.version}.{' '}
          {status.persistent ? 'What comes is kept in a file.' : 'What comes is held in memory only.'} For developing; a
          production has a collector and a store: <code>toolspan stack</code>.
        </p>
      </Panel>
    </section>
  );
}
