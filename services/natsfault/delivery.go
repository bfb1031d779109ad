package natsfault

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// Garbling says how often a message that a stream delivers to a consumer is
// lost, arrives twice, or changes place with the one behind it: each a
// probability. Acknowledgements and answers pass as they are.
type Garbling struct {
	Seed                  uint64
	Lose, Double, Reorder float64
}

// Garbler dials connections that garble what is delivered over them; it is a
// nats.CustomDialer.
type Garbler struct {
	mu   sync.Mutex
	is   Garbling
	rng  *rand.Rand
	what Garbled
}

// Garbled counts what was done.
type Garbled struct{ Delivered, Lost, Doubled, Reordered int }

// NewGarbler makes one.
func NewGarbler(g Garbling) *Garbler {
	return &Garbler{is: g, rng: rand.New(rand.NewPCG(g.Seed, 1))}
}

// Set changes what is done from now on.
func (g *Garbler) Set(is Garbling) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.is = is
}

// Counts tells what was done so far.
func (g *Garbler) Counts() Garbled {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.what
}

// Dial implements nats.CustomDialer.
func (g *Garbler) Dial(network, address string) (net.Conn, error) {
	c, err := net.Dial(network, address)
	if err != nil {
		return nil, err
	}
	return &garbled{Conn: c, g: g, in: bufio.NewReaderSize(c, 64<<10)}, nil
}

// garbled reads whole frames of the NATS protocol, and gives on what fate left
// of them.
type garbled struct {
	net.Conn
	g    *Garbler
	in   *bufio.Reader
	out  []byte // to be read
	held []byte // a delivery that the next one overtakes
}

func (c *garbled) Read(b []byte) (int, error) {
	for len(c.out) == 0 {
		frame, delivery, err := readFrame(c.in)
		if err != nil {
			return 0, err
		}
		if !delivery {
			c.out = frame
			continue
		}
		c.out = c.fate(frame)
	}
	n := copy(b, c.out)
	c.out = c.out[n:]
	return n, nil
}

func (c *garbled) fate(frame []byte) []byte {
	g := c.g
	g.mu.Lock()
	defer g.mu.Unlock()
	g.what.Delivered++
	if c.held != nil {
		frame = append(frame, c.held...)
		c.held = nil
		g.what.Reordered++
		return frame
	}
	switch p := g.rng.Float64(); {
	case p < g.is.Lose:
		g.what.Lost++
		return nil
	case p < g.is.Lose+g.is.Double:
		g.what.Doubled++
		return append(bytes.Clone(frame), frame...)
	case p < g.is.Lose+g.is.Double+g.is.Reorder:
		c.held = frame
		return nil
	}
	return frame
}

// readFrame reads one operation of the protocol with its payload, and tells
// whether it is a message that a consumer delivers: those have an address to
// acknowledge to.
func readFrame(in *bufio.Reader) (frame []byte, delivery bool, err error) {
	line, err := in.ReadBytes('\n')
	if err != nil {
		return nil, false, err
	}
	fields := bytes.Fields(line)
	if len(fields) == 0 {
		return line, false, nil
	}
	op := string(bytes.ToUpper(fields[0]))
	if op != "MSG" && op != "HMSG" {
		return line, false, nil
	}
	size, err := strconv.Atoi(string(fields[len(fields)-1]))
	if err != nil || size < 0 || size > 64<<20 {
		return nil, false, fmt.Errorf("a frame that is none: %q", line)
	}
	frame = append(line, make([]byte, size+2)...)
	if _, err := io.ReadFull(in, frame[len(line):]); err != nil {
		return nil, false, err
	}
	return frame, len(fields) > 3 && bytes.HasPrefix(fields[3], []byte("$JS.ACK.")), nil
}
