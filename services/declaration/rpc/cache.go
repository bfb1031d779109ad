package rpc

import (
	"sync"

	"setpoint.dev/services/declaration"
	"setpoint.dev/services/internal/record"
	"setpoint.dev/services/internal/resource"
)

// cached is how many organizations' declared states are kept in memory.
const cached = 16

// cache keeps declared states. Every declarative write moves the guard, so a
// state is right exactly as long as the guard's revision is the same.
type cache struct {
	mu    sync.Mutex
	state map[string]cacheEntry
}

type cacheEntry struct {
	revision uint64
	current  declaration.Current
}

// get returns what is declared at the guard's revision. The result is shared:
// declaration.Make does not change it.
func (c *cache) get(v record.View, kinds *resource.Registry, org string, revision uint64) (declaration.Current, error) {
	c.mu.Lock()
	e, ok := c.state[org]
	c.mu.Unlock()
	if ok && e.revision == revision {
		return e.current, nil
	}
	current, err := declared(v, kinds, org, v.Revision())
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state == nil || len(c.state) >= cached {
		c.state = map[string]cacheEntry{}
	}
	c.state[org] = cacheEntry{revision: revision, current: current}
	return current, nil
}

// declared reads the whole declared state at a revision.
func declared(v record.View, kinds *resource.Registry, org string, at uint64) (declaration.Current, error) {
	current := declaration.Current{}
	for _, k := range kinds.Kinds() {
		list, err := v.Resources(org, k.Name, at, "", 0)
		if err != nil {
			return nil, err
		}
		byName := make(map[string]declaration.Held, len(list))
		for _, r := range list {
			byName[r.Name] = declaration.Held{ID: r.ID, State: stateOf(r), By: author(r)}
		}
		current[k.Name] = byName
	}
	return current, nil
}
