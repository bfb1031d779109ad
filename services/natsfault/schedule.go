package natsfault

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// Kind is what befalls a server, or several.
type Kind int

const (
	// Kill: SIGKILL; it starts again when the fault ends.
	Kill Kind = iota
	// Stop: SIGSTOP; it goes on when the fault ends.
	Stop
	// CutOff from the other servers, both ways; its clients still reach it.
	CutOff
	// Deaf: it hears nothing from the others, which hear it.
	Deaf
	// Mute: the others hear nothing from it, which hears them.
	Mute
	// Isolate: cut off from the other servers and from clients.
	Isolate
	// Slow: each piece of data between it and the others is late.
	Slow
	// PowerCut: all servers are killed at once.
	PowerCut
	// Disconnect: its clients' connections break, once.
	Disconnect
)

func (k Kind) String() string {
	return [...]string{
		"kill -9", "stop", "cut off (clients reach it)", "deafen", "mute", "isolate", "slow down", "kill -9 all", "break the clients of",
	}[k]
}

// Fault is one fault and how long it lasts.
type Fault struct {
	Kind Kind
	// Follower: a server that does not lead is hit, instead of the leader.
	Follower bool
	Lasts    time.Duration
}

func (f Fault) String() string {
	who := "the leader"
	switch {
	case f.Kind == PowerCut:
		who = "servers"
	case f.Follower:
		who = "a follower"
	}
	return fmt.Sprintf("%s %s for %s", f.Kind, who, f.Lasts)
}

// Schedule is a number of faults that a seed stands for: the same ones each
// time. Every kind comes before one comes again.
func Schedule(seed uint64, rounds int) []Fault {
	rng := rand.New(rand.NewPCG(seed, 2))
	faults := make([]Fault, 0, rounds)
	var kinds []int
	for range rounds {
		if len(kinds) == 0 {
			kinds = rng.Perm(int(Disconnect) + 1)
		}
		f := Fault{Kind: Kind(kinds[0]), Follower: rng.IntN(4) == 0}
		kinds = kinds[1:]
		switch f.Kind {
		case Kill, PowerCut, Disconnect:
			f.Lasts = time.Duration(500+rng.IntN(4500)) * time.Millisecond
		case Slow:
			f.Lasts = time.Duration(3+rng.IntN(5)) * time.Second
		default:
			// From less than an election takes to more than a leader needs to
			// notice that it is alone.
			f.Lasts = time.Duration(5_000+rng.IntN(25_000)) * time.Millisecond
		}
		faults = append(faults, f)
	}
	return faults
}

// Inflict lets a fault befall the servers that hold a stream, for as long as
// it lasts, and heals it. It waits until all servers are well again.
func (c *Cluster) Inflict(t testing.TB, f Fault, stream string) {
	t.Helper()
	victim := c.Leader(t, stream)
	if f.Follower {
		victim = (victim + 1) % len(c.Servers)
	}
	switch f.Kind {
	case Kill:
		c.Servers[victim].Kill()
	case Stop:
		c.Servers[victim].Pause()
	case CutOff:
		c.Cut(victim, Both)
	case Deaf:
		c.Cut(victim, Inbound)
	case Mute:
		c.Cut(victim, Outbound)
	case Isolate:
		c.Cut(victim, Both)
		c.CutClients(victim)
	case Slow:
		c.Delay(victim, 100*time.Millisecond)
	case PowerCut:
		for _, s := range c.Servers {
			s.Kill()
		}
	case Disconnect:
		c.BreakClients(victim)
	}
	time.Sleep(f.Lasts)
	c.Heal(t)
	c.Ready(t)
}
