// Begins the page: the viewer, or a trace that was shared as a file.
import { render, type JSX } from 'preact';
import { followLinks, useLocation } from './location.ts';
import { startLive } from './live.ts';
import { Empty } from './parts/pieces.tsx';
import { Shell } from './shell.tsx';
import { startTheme } from './theme.ts';
import { fileSource, type SharedTrace } from './trace-source.ts';
import { CompareView } from './views/compare.tsx';
import { LogsView } from './views/logs.tsx';
import { MetricsView } from './views/metrics.tsx';
import { OverviewView } from './views/overview.tsx';
import { ServersView } from './views/server.tsx';
import { OneToolView, ToolsView } from './views/tools.tsx';
import { Trace, TraceRoute } from './views/trace.tsx';
import { TracesView } from './views/traces.tsx';

function View(): JSX.Element {
  const { path } = useLocation();
  const [, view = '', name] = path.split('/').map(decode);
  if (view === '') return <OverviewView />;
  if (view === 'traces') return name === undefined ? <TracesView /> : <TraceRoute key={name} traceId={name} />;
  if (view === 'tools') return name === undefined ? <ToolsView /> : <OneToolView key={name} name={name} />;
  if (view === 'compare') return <CompareView />;
  if (view === 'logs') return <LogsView />;
  if (view === 'metrics') return <MetricsView name={name} />;
  if (view === 'server') return <ServersView />;
  return <Empty title="There is no such page." />;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

const app = document.getElementById('app');
const shared = document.getElementById('shared-trace')?.textContent;
if (app !== null) {
  startTheme();
  if (shared === undefined) {
    followLinks();
    startLive();
    render(
      <Shell>
        <View />
      </Shell>,
      app,
    );
  } else {
    const file = JSON.parse(shared) as SharedTrace;
    render(
      <main id="main">
        <Trace trace={file.trace} source={fileSource(file)} />
      </main>,
      app,
    );
  }
}
