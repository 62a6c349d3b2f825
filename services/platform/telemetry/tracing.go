package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"trunkline/services/platform/config"
)

// TraceConfig says where spans go and how many are kept.
type TraceConfig struct {
	// Endpoint is the host:port of an OTLP gRPC collector; "" sends nothing.
	Endpoint string `koanf:"endpoint" doc:"OTLP gRPC collector, host:port. Empty: no spans are recorded."`
	// Insecure turns TLS off.
	Insecure bool `koanf:"insecure" doc:"Talk to the collector without TLS. Only for a collector on the same host or a protected network."`
	// SampleRatio is the share of new traces that are recorded, 0 to 1 inclusive.
	SampleRatio float64 `koanf:"sample_ratio" doc:"Share of new traces that are recorded, 0 to 1. A trace that a caller began keeps the caller's choice."`
	// ExportTimeout bounds one export and the flush at shutdown.
	ExportTimeout time.Duration `koanf:"export_timeout" doc:"Longest time for one export to the collector, and for the last one at shutdown."`

	// Service, Version and Instance describe this process in every span; "" leaves one out.
	Service  string `koanf:"-"`
	Version  string `koanf:"-"`
	Instance string `koanf:"-"`
}

// DefaultTraceConfig sends nothing; with an endpoint it records 10 % of traces.
func DefaultTraceConfig() TraceConfig {
	return TraceConfig{SampleRatio: 0.1, ExportTimeout: 10 * time.Second}
}

// Validate checks the endpoint's form, the ratio and the timeout.
func (c TraceConfig) Validate() error {
	var found []error
	if c.Endpoint != "" && !isHostPort(c.Endpoint) {
		found = append(found, config.Invalid("endpoint", c.Endpoint, "write host:port without a scheme, such as collector:4317"))
	}
	// Written so that NaN fails as well.
	if !(c.SampleRatio >= 0 && c.SampleRatio <= 1) {
		found = append(found, config.Invalid("sample_ratio", c.SampleRatio, "choose a share from 0 to 1, such as 0.1"))
	}
	if c.ExportTimeout <= 0 {
		found = append(found, config.Invalid("export_timeout", c.ExportTimeout, "set a duration above 0, such as 10s"))
	}
	return errors.Join(found...)
}

func isHostPort(s string) bool {
	host, port, err := net.SplitHostPort(s)
	if err != nil || host == "" {
		return false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}

// NewTracing returns the provider of all tracers and a function that flushes and
// stops it. The collector need not be up: spans wait in a bounded queue, and
// when it is full new spans are dropped. Without an endpoint no span is recorded,
// but spans still carry their trace id into logs and onwards.
//
// Shutdown takes at most ExportTimeout, or less when its context ends first. Spans
// that it could not deliver are its error or are reported to the error handler. The error of NewTracing itself
// reports a configuration that Validate refuses.
func NewTracing(ctx context.Context, cfg TraceConfig) (*sdktrace.TracerProvider, func(context.Context) error, error) {
	if err := cfg.Validate(); err != nil {
		return nil, nil, fmt.Errorf("trace settings: %w", err)
	}
	if cfg.Endpoint == "" {
		provider := sdktrace.NewTracerProvider(sdktrace.WithSampler(sdktrace.NeverSample()))
		return provider, provider.Shutdown, nil
	}
	options := []otlptracegrpc.Option{
		otlptracegrpc.WithEndpoint(cfg.Endpoint),
		otlptracegrpc.WithTimeout(cfg.ExportTimeout),
	}
	if cfg.Insecure {
		options = append(options, otlptracegrpc.WithInsecure())
	}
	exporter, err := otlptracegrpc.New(ctx, options...)
	if err != nil {
		return nil, nil, fmt.Errorf("trace exporter: %w", err)
	}
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(exporter, sdktrace.WithExportTimeout(cfg.ExportTimeout)),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(cfg.SampleRatio))),
		sdktrace.WithResource(traceResource(cfg)),
	)
	shutdown := func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, cfg.ExportTimeout)
		defer cancel()
		return provider.Shutdown(ctx)
	}
	return provider, shutdown, nil
}

// traceResource names the process by the OpenTelemetry semantic conventions.
func traceResource(cfg TraceConfig) *resource.Resource {
	var attrs []attribute.KeyValue
	for _, one := range []struct{ key, value string }{
		{"service.name", cfg.Service},
		{"service.version", cfg.Version},
		{"service.instance.id", cfg.Instance},
	} {
		if one.value != "" {
			attrs = append(attrs, attribute.String(one.key, one.value))
		}
	}
	return resource.NewSchemaless(attrs...)
}

// Propagator carries W3C trace context and baggage across processes, in HTTP
// headers as well as in message headers.
func Propagator() propagation.TextMapPropagator {
	return propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})
}

// ErrorHandler logs what the tracing library cannot return, such as a failed
// export. The main package installs it with otel.SetErrorHandler; without it the
// library writes plain text to standard error.
func ErrorHandler(logger *slog.Logger) otel.ErrorHandler {
	return otel.ErrorHandlerFunc(func(err error) {
		logger.Warn("tracing failed", "error", err)
	})
}
