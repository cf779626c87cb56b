// Who sends: each service with its resources, the protocol versions and sessions seen, its health and breakers.
import type { Resource } from '../store/resources.ts';
import type { SpanSegment, TextColumn } from '../store/span-segment.ts';
import type { Store } from '../store/store.ts';
import { keyOf } from '../store/values.ts';
import type { Facets, ServerView, SessionView, Window } from './shapes.ts';
import { breakerTimelines, healthTimelines } from './states.ts';
import { kindOf, sideOf } from './statistics.ts';

const MAX_SESSIONS = 100;
const MAX_RESOURCES = 50;
const MAX_FACETS = 500;

interface Growing {
  readonly resources: Set<Resource>;
  readonly scopes: Set<string>;
  readonly protocolVersions: Set<string>;
  readonly sessions: Map<string, { -readonly [K in keyof SessionView]: SessionView[K] }>;
  spans: number;
  firstMs: number;
  lastMs: number;
}

/** Everybody who has sent something that is still there. */
export function serverViews(store: Store, window: Window): ServerView[] {
  const services = new Map<string, Growing>();
  const counted = kindOf(sideOf(store.spans));
  for (const segment of store.spans.segments) addSegment(services, segment, counted);
  for (const segment of store.logs.segments) {
    for (const resource of segment.resources()) growing(services, resource);
  }
  for (const { series } of store.metrics.instruments.values()) {
    for (const { resource } of series.values()) growing(services, resource);
  }
  const health = healthTimelines(store, window);
  const breakers = breakerTimelines(store, window);
  return [...services]
    .map(([service, grown]): ServerView => {
      const { resources, scopes, protocolVersions, sessions, spans, firstMs, lastMs } = grown;
      return {
        service,
        resources: [...distinct(resources)]
          .slice(0, MAX_RESOURCES)
          .map((resource) => ({ service: resource.service, attributes: resource.attributes })),
        scopes: [...scopes].filter((name) => name !== ''),
        protocolVersions: [...protocolVersions].toSorted(),
        sessions: [...sessions.values()].toSorted((a, b) => b.lastMs - a.lastMs).slice(0, MAX_SESSIONS),
        sessionCount: sessions.size,
        spans,
        firstMs: Number.isFinite(firstMs) ? firstMs : 0,
        lastMs,
        health: health.filter((line) => line.service === service),
        breakers: breakers.filter((line) => line.service === service),
      };
    })
    .toSorted((a, b) => b.spans - a.spans);
}

/** What there is to filter by. */
export function facets(store: Store): Facets {
  const services = new Set<string>();
  for (const segment of [...store.spans.segments, ...store.logs.segments]) {
    for (const { service } of segment.resources()) services.add(service);
  }
  return {
    services: [...services].slice(0, MAX_FACETS).toSorted(),
    tools: textsOf(store, 'tool'),
    methods: textsOf(store, 'method'),
    outcomes: textsOf(store, 'outcome'),
    errorCodes: textsOf(store, 'errorCode'),
  };
}

function textsOf(store: Store, column: TextColumn): string[] {
  const texts = new Set<string>();
  for (const segment of store.spans.segments) {
    const ids = new Set<number>();
    for (let row = 0; row < segment.rows; row++) {
      const id = segment.textId(column, row);
      if (id !== 0 && !ids.has(id) && segment.isLive(row)) ids.add(id);
    }
    for (const id of ids) texts.add(segment.index.text(id));
  }
  return [...texts].slice(0, MAX_FACETS).toSorted();
}

function addSegment(services: Map<string, Growing>, segment: SpanSegment, counted: number): void {
  for (let row = 0; row < segment.rows; row++) {
    if (!segment.isLive(row)) continue;
    const grown = growing(services, segment.resource(row));
    const startMs = segment.startMs[row] ?? 0;
    grown.spans++;
    grown.firstMs = Math.min(grown.firstMs, startMs);
    grown.lastMs = Math.max(grown.lastMs, startMs);
    grown.scopes.add(segment.scope(row).name);
    if (segment.textId('protocolVersion', row) !== 0) grown.protocolVersions.add(segment.text('protocolVersion', row));
    // each call is seen from two sides: it is counted where it is served, or where only clients tell
    if (segment.textId('sessionId', row) === 0 || segment.kind[row] !== counted) continue;
    const id = segment.text('sessionId', row);
    const session = grown.sessions.get(id) ?? { id, firstMs: startMs, lastMs: startMs, calls: 0 };
    session.firstMs = Math.min(session.firstMs, startMs);
    session.lastMs = Math.max(session.lastMs, startMs);
    session.calls++;
    grown.sessions.set(id, session);
  }
}

function growing(services: Map<string, Growing>, resource: Resource): Growing {
  let grown = services.get(resource.service);
  if (grown === undefined) {
    grown = {
      resources: new Set(),
      scopes: new Set(),
      protocolVersions: new Set(),
      sessions: new Map(),
      spans: 0,
      firstMs: Number.POSITIVE_INFINITY,
      lastMs: 0,
    };
    services.set(resource.service, grown);
  }
  grown.resources.add(resource);
  return grown;
}

// the three signals write one resource in more ways than one
function distinct(resources: ReadonlySet<Resource>): Iterable<Resource> {
  const known = new Map<string, Resource>();
  for (const resource of resources) known.set(keyOf(resource.attributes), resource);
  return known.values();
}
