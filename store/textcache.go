package store

import (
	"hash/maphash"
	"sync"
)

// maxTextCache bounds what is kept: several pages of failed runs.
const maxTextCache = 4096

// textCache keeps what was found in texts that were read lately: to look through
// a large one takes milliseconds, and what a failure left does not change. It
// keeps no text but its hash. The zero value works.
type textCache[T any] struct {
	mu     sync.Mutex
	seed   maphash.Seed
	byHash map[uint64]T
}

func (c *textCache[T]) get(texts []string, find func() T) T {
	key := c.key(texts)
	c.mu.Lock()
	found, known := c.byHash[key]
	c.mu.Unlock()
	if known {
		return found
	}
	found = find()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.byHash) >= maxTextCache {
		clear(c.byHash)
	}
	c.byHash[key] = found
	return found
}

func (c *textCache[T]) key(texts []string) uint64 {
	c.mu.Lock()
	if c.byHash == nil {
		c.seed, c.byHash = maphash.MakeSeed(), map[uint64]T{}
	}
	var h maphash.Hash
	h.SetSeed(c.seed)
	c.mu.Unlock()
	for _, text := range texts {
		_, _ = h.WriteString(text) // it cannot fail
		_ = h.WriteByte(0)
	}
	return h.Sum64()
}
