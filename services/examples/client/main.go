// Command client shows how a program talks to setpoint: it declares a small
// plan, records measured values safely, has them compared, and follows the
// comparison as it changes.
//
// It needs the module setpoint.dev/proto and connectrpc.com/connect, and a
// running server:
//
//	setpoint dev &
//	go run ./examples/client
//
// Start with run; every step is one function.
package main

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"connectrpc.com/connect"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
	"setpoint.dev/proto/gen/setpoint/declaration/v1/declarationv1connect"
	gapv1 "setpoint.dev/proto/gen/setpoint/gap/v1"
	"setpoint.dev/proto/gen/setpoint/gap/v1/gapv1connect"
	strategyv1 "setpoint.dev/proto/gen/setpoint/strategy/v1"
	"setpoint.dev/proto/gen/setpoint/strategy/v1/strategyv1connect"
)

//go:embed plan.yaml
var plan []byte

func main() {
	server := flag.String("server", "http://127.0.0.1:8080", "address of the server")
	org := flag.String("org", "default", "organization")
	token := flag.String("token", os.Getenv("SETPOINT_TOKEN"), "bearer token, where the server asks for one")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c := newClient(http.DefaultClient, *server, *org, *token)
	if err := run(ctx, c, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// client holds one client for each service that is used. They share a
// connection.
type client struct {
	declaration declarationv1connect.DeclarationServiceClient
	strategy    strategyv1connect.StrategyServiceClient
	gap         gapv1connect.GapServiceClient
}

func newClient(h connect.HTTPClient, server, org, token string) client {
	who := connect.WithInterceptors(identity{org, token})
	return client{
		declaration: declarationv1connect.NewDeclarationServiceClient(h, server, who),
		strategy:    strategyv1connect.NewStrategyServiceClient(h, server, who),
		gap:         gapv1connect.NewGapServiceClient(h, server, who),
	}
}

// run goes round the loop once: declare, observe, compare, follow.
func run(ctx context.Context, c client, out io.Writer) error {
	if _, err := c.declare(ctx, out); err != nil {
		return fmt.Errorf("declare: %w", err)
	}
	january := &strategyv1.RecordObservationsRequest{
		// The same id for every attempt, also after a restart of this program:
		// made from what is recorded, here a file and its line.
		RequestId:    "bakery-2026.csv-line-2",
		Observations: []*strategyv1.Observation{observation("2026-01", 0.11)},
	}
	revision, err := c.record(ctx, january, out)
	if err != nil {
		return fmt.Errorf("observe: %w", err)
	}
	if err := c.compare(ctx, revision, out); err != nil {
		return fmt.Errorf("compare: %w", err)
	}
	if err := c.follow(ctx, out); err != nil {
		return fmt.Errorf("follow: %w", err)
	}
	return nil
}

// declare applies the plan: all of it or nothing. Applied again, it changes
// nothing.
func (c client) declare(ctx context.Context, out io.Writer) (revision int64, err error) {
	res, err := c.declaration.Apply(ctx, &declarationv1.ApplyRequest{
		Manager: "api", Reason: "the example",
		Manifests: &declarationv1.Manifests{
			// A set of its own, so that pruning concerns nothing else.
			Set:   "bakery",
			Files: []*declarationv1.ManifestFile{{Path: "plan.yaml", Content: plan}},
		},
	})
	if err != nil {
		return 0, err
	}
	fmt.Fprintf(out, "declared: %d created, %d unchanged\n", res.GetSummary().GetCreate(), res.GetSummary().GetUnchanged())
	return res.GetRevision(), nil
}

// record sends observations until it knows that they are on record. What
// makes it safe to ask again is the request id: the server carries a request
// out once, and answers a repetition with what it answered then.
func (c client) record(ctx context.Context, req *strategyv1.RecordObservationsRequest, out io.Writer) (revision int64, err error) {
	for pause := 100 * time.Millisecond; ; pause *= 2 {
		res, err := c.strategy.RecordObservations(ctx, req)
		if err == nil {
			fmt.Fprintf(out, "observed: %d recorded, %d unchanged\n", res.GetRecorded(), res.GetUnchanged())
			return res.GetRevision(), nil
		}
		// Everything else is an answer: asking again would not change it.
		if connect.CodeOf(err) != connect.CodeUnavailable || pause > 5*time.Second {
			return 0, err
		}
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-time.After(pause):
		}
	}
}

func observation(period string, value float64) *strategyv1.Observation {
	return &strategyv1.Observation{Metric: "unsold-bread", ObservedAt: period, Value: &value, Source: "till"}
}

// compare evaluates at the end of a day, with at least what had been recorded
// at the revision.
func (c client) compare(ctx context.Context, revision int64, out io.Writer) error {
	res, err := c.gap.Evaluate(ctx, &gapv1.EvaluateRequest{Strategy: "bakery", AsOf: "2026-02-28", MinRevision: revision})
	if err != nil {
		return err
	}
	show(out, "compared", res)
	return nil
}

// follow watches the comparison, and records another value meanwhile: the
// stream brings a result at once, and another one whenever it changes.
func (c client) follow(ctx context.Context, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the stream
	stream, err := c.gap.Watch(ctx, &gapv1.WatchRequest{Query: &gapv1.EvaluateRequest{Strategy: "bakery", AsOf: "2026-02-28"}})
	if err != nil {
		return err
	}
	defer stream.Close()
	if !stream.Receive() {
		return stream.Err()
	}
	show(out, "watching", stream.Msg().GetResult())

	february := &strategyv1.RecordObservationsRequest{
		RequestId:    "bakery-2026.csv-line-3",
		Observations: []*strategyv1.Observation{observation("2026-02", 0.125)},
	}
	revision, err := c.record(ctx, february, out)
	if err != nil {
		return err
	}
	for stream.Msg().GetResult().GetRevision() < revision {
		if !stream.Receive() {
			return stream.Err()
		}
	}
	show(out, "changed", stream.Msg().GetResult())
	return nil
}

// show prints each target. A number that is not known is absent, never 0:
// look before you use it.
func show(out io.Writer, word string, res *gapv1.EvaluateResponse) {
	for _, t := range res.GetTargets() {
		fmt.Fprintf(out, "%s: %s is %s", word, t.GetName(), t.GetStatus())
		if t.Actual != nil && t.Gap != nil {
			fmt.Fprintf(out, ", %.1f %% in %s, %.1f percentage points to go", 100*t.GetActual(), t.GetPeriod(), 100*t.GetGap())
		}
		fmt.Fprintln(out)
	}
}

// identity says on whose behalf each call is made.
type identity struct{ org, token string }

func (i identity) set(h http.Header) {
	h.Set("Setpoint-Org", i.org)
	if i.token != "" {
		h.Set("Authorization", "Bearer "+i.token)
	}
}

// WrapUnary implements connect.Interceptor.
func (i identity) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
		i.set(req.Header())
		return next(ctx, req)
	}
}

// WrapStreamingClient implements connect.Interceptor.
func (i identity) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return func(ctx context.Context, spec connect.Spec) connect.StreamingClientConn {
		conn := next(ctx, spec)
		i.set(conn.RequestHeader())
		return conn
	}
}

// WrapStreamingHandler implements connect.Interceptor; a client handles none.
func (i identity) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return next
}
