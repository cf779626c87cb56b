"""Sends all three signals with the exporters of Python's SDK, compressed: a trace, a counter, histograms of both kinds with
exemplars, a log record. Prints the id of the trace."""

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode

resource = Resource.create({"service.name": "from-python"})
tracers = TracerProvider(resource=resource)
tracers.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(compression=Compression.Gzip)))
reader = PeriodicExportingMetricReader(OTLPMetricExporter(compression=Compression.Gzip))
meters = MeterProvider(
    [reader],
    resource=resource,
    views=[View(instrument_name="fine", aggregation=ExponentialBucketHistogramAggregation())],
)
loggers = LoggerProvider(resource=resource)
loggers.add_log_record_processor(SimpleLogRecordProcessor(OTLPLogExporter(compression=Compression.Gzip)))

meter = meters.get_meter("export")
coarse, fine, made = meter.create_histogram("coarse", unit="s"), meter.create_histogram("fine"), meter.create_counter("made")
with tracers.get_tracer("export").start_as_current_span(
    "tools/call forecast", kind=SpanKind.SERVER, attributes={"gen_ai.tool.name": "forecast", "cities": ["Paris", "Oslo"]}
) as span:
    for value in range(1, 101):
        coarse.record(value / 10, {"tool": "forecast"})
        fine.record(value)
    made.add(3)
    span.record_exception(ValueError("no such city"))
    span.set_status(Status(StatusCode.ERROR, "no such city"))
    loggers.get_logger("export").emit(
        LogRecord(body="said in Python", severity_number=SeverityNumber.WARN, event_name="said", attributes={"n": 1})
    )

for provider in (tracers, meters, loggers):
    provider.force_flush()
    provider.shutdown()
print(format(span.get_span_context().trace_id, "032x"))
