package cli

import (
	"context"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/schollz/progressbar/v3"

	declarationv1 "setpoint.dev/proto/gen/setpoint/declaration/v1"
)

const (
	// manyRows is from how many rows on a bar is there from the start.
	manyRows = 20_000
	// patience is how long any other upload goes on without a word.
	patience = 2 * time.Second
	// frame is how often a bar is drawn.
	frame = 100 * time.Millisecond
)

// progress shows on a terminal how much of an upload has been sent, and nothing
// elsewhere: its methods do nothing on nil. That a bar cannot be drawn is no
// reason to stop.
type progress struct {
	what  string
	out   io.Writer
	total int
	// steps: not an upload. How many a second is told, too, the total may grow,
	// and 0 is one that is not known.
	steps   bool
	grown   atomic.Int64
	done    atomic.Int64 // units sent in the parts before
	size    atomic.Int64 // units of the part under way
	gauge   atomic.Pointer[gauge]
	stopped chan struct{}
	drawing sync.WaitGroup
	once    sync.Once
}

// progress begins to show how far an upload of total units is: at once, or
// where it takes longer than a moment.
func (a *app) progress(what string, total int, atOnce bool) *progress {
	return a.show(&progress{what: what, total: total}, atOnce)
}

func (a *app) show(p *progress, atOnce bool) *progress {
	if !a.opts.IsTerminal(a.opts.Stderr) || p.total == 0 && !p.steps {
		return nil
	}
	p.out, p.stopped = a.opts.Stderr, make(chan struct{})
	wait := a.opts.patience
	if atOnce {
		wait = 0
	}
	p.drawing.Go(func() { p.draw(wait) })
	return p
}

// part is the context of a request that carries so many units, after done have
// been answered.
func (p *progress) part(ctx context.Context, done, units int) context.Context {
	if p == nil {
		return ctx
	}
	g := &gauge{}
	p.gauge.Store(g)
	p.done.Store(int64(done))
	p.size.Store(int64(units))
	return context.WithValue(ctx, gaugeKey{}, g)
}

// end takes the bar away.
func (p *progress) end() {
	if p == nil {
		return
	}
	p.once.Do(func() { close(p.stopped) })
	p.drawing.Wait()
}

func (p *progress) draw(wait time.Duration) {
	if wait > 0 {
		select {
		case <-p.stopped:
			return
		case <-time.After(wait):
		}
	}
	// At another interval than 0 the library draws a spinner from a goroutine of
	// its own, which goes on when the bar has been taken away.
	options := []progressbar.Option{progressbar.OptionSetSpinnerChangeInterval(0)}
	if p.steps {
		options = append(options, progressbar.OptionShowIts(), progressbar.OptionSetItsString(""))
	}
	total := p.total
	if total == 0 {
		total = -1 // a spinner
	}
	bar := progressbar.NewOptions(total, append(options,
		progressbar.OptionSetWriter(p.out),
		progressbar.OptionSetDescription(p.what),
		progressbar.OptionShowCount(),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionSetWidth(30),
		progressbar.OptionSetRenderBlankState(true),
	)...)
	defer func() { _ = bar.Clear() }()
	tick := time.NewTicker(frame)
	defer tick.Stop()
	for {
		units, sent := p.position()
		if sent {
			bar.Describe(p.what + ", sent; the server is at work")
		} else {
			bar.Describe(p.what)
		}
		if grown := int(p.grown.Load()); total > 0 && grown > total {
			total = grown
			bar.ChangeMax(total)
		}
		if total > 0 {
			units = min(units, total-1) // the answer is what ends it
		}
		_ = bar.Set(units)
		select {
		case <-p.stopped:
			return
		case <-tick.C:
		}
	}
}

// position is how many units have been sent, and whether the part under way
// only waits for its answer.
func (p *progress) position() (units int, sent bool) {
	units = int(p.done.Load())
	if g := p.gauge.Load(); g != nil {
		if total := g.total.Load(); total > 0 {
			now := g.sent.Load()
			units += int(float64(p.size.Load()) * float64(now) / float64(total))
			sent = now >= total
		}
	}
	return units, sent
}

// gauge counts the bytes of one request.
type gauge struct{ sent, total atomic.Int64 }

type gaugeKey struct{}

// meter counts what is sent for whoever put a gauge into the context.
type meter struct{ http.RoundTripper }

func (m meter) RoundTrip(r *http.Request) (*http.Response, error) {
	if g, ok := r.Context().Value(gaugeKey{}).(*gauge); ok && r.Body != nil {
		r = r.Clone(r.Context())
		g.sent.Store(0)
		g.total.Store(r.ContentLength)
		r.Body = countedBody{r.Body, g}
	}
	return m.RoundTripper.RoundTrip(r)
}

type countedBody struct {
	io.ReadCloser
	g *gauge
}

func (b countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.g.sent.Add(int64(n))
	return n, err
}

func manifestBytes(m *declarationv1.Manifests) int {
	n := 0
	for _, f := range m.GetFiles() {
		n += len(f.GetContent())
	}
	return n
}
