package runner

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"setpoint.dev/services/internal/eventlog"
	"setpoint.dev/services/internal/fault"
)

func on(id string) eventlog.Subject {
	return eventlog.Subject{Org: "acme", Service: "strategy", Kind: "observation", ID: id}
}

// Turns on one aggregate come in the order in which they were asked for; who
// gives up is passed over.
func TestQueuesAreFirstComeFirstServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q queues
		first, err := q.enter(t.Context(), "acme", []eventlog.Subject{on("m")})
		if err != nil {
			t.Fatal(err)
		}
		impatient, giveUp := context.WithCancel(t.Context())
		var order []int
		var all sync.WaitGroup
		for i := range 5 {
			all.Go(func() {
				ctx := t.Context()
				if i == 2 {
					ctx = impatient
				}
				turn, err := q.enter(ctx, "acme", []eventlog.Subject{on("m")})
				if i == 2 {
					if fault.ReasonOf(err) != "command.queue" {
						t.Errorf("who gave up: %v", err)
					}
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				order = append(order, i) // one at a time
				turn.leave(uint64(10+i), 0)
			})
			synctest.Wait()
		}
		giveUp()
		synctest.Wait()
		first.leave(9, 0)
		all.Wait()
		if got := fmt.Sprint(order); got != "[0 1 3 4]" {
			t.Errorf("order %s", got)
		}
		last, err := q.enter(t.Context(), "acme", []eventlog.Subject{on("m"), on("other")})
		if err != nil || last.reach != 14 {
			t.Errorf("reach %d, %v, want that of the last write", last.reach, err)
		}
		last.leave(0, 14)
		if len(q.held) != 0 {
			t.Errorf("%d queues are remembered that the record has caught up with", len(q.held))
		}
	})
}

// Commands on several aggregates neither wait for each other for ever nor
// overlap on one, however often somebody gives up.
func TestQueuesUnderManyCommands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q queues
		var busy [4]int
		var mu sync.Mutex
		var all sync.WaitGroup
		done := 0
		for w := range 20 {
			r := rand.New(rand.NewPCG(1, uint64(w)))
			all.Go(func() {
				for range 200 {
					var ids []int
					var subjects []eventlog.Subject
					for i := range busy {
						if r.IntN(2) == 0 {
							ids = append(ids, i)
							subjects = append(subjects, on(fmt.Sprint("m", i)))
						}
					}
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(r.IntN(10))*time.Millisecond)
					turn, err := q.enter(ctx, "acme", subjects)
					if err == nil {
						mu.Lock()
						for _, i := range ids {
							if busy[i]++; busy[i] > 1 {
								t.Errorf("two at a time on %d", i)
							}
						}
						mu.Unlock()
						time.Sleep(time.Duration(r.IntN(3)) * time.Millisecond)
						mu.Lock()
						done++
						for _, i := range ids {
							busy[i]--
						}
						mu.Unlock()
						turn.leave(0, 0)
					}
					cancel()
				}
			})
		}
		all.Wait()
		if done < 100 {
			t.Errorf("only %d commands had their turn", done)
		}
		if len(q.held) != 0 {
			t.Errorf("%d queues are left", len(q.held))
		}
	})
}
