package web

import (
	"cmp"
	"time"
)

// Limits are how much the console does at once, for all its clients together. A
// zero field is its default.
type Limits struct {
	Renderings int           // bodies of artifacts that are rendered at once; others wait, or are shown as text: 2
	NotedBurst int           // entries in the audit log that wrong tokens may make at once: 20
	NotedEvery time.Duration // until wrong tokens may make one more entry: 3 s
	Prefixes   int           // prefixes of X-Forwarded-Prefix that are served at once; a proxy has one or two: 16
	Export     int           // bytes of a run's exported file, without what is around its parts: 19.5 MB
	PrefixEach time.Duration // until one more prefix may be new, when a proxy passes on what its clients write: 10 s
}

// WithDefaults fills in what is zero.
func (l Limits) WithDefaults() Limits {
	return Limits{
		Renderings: cmp.Or(l.Renderings, 2),
		NotedBurst: cmp.Or(l.NotedBurst, 20),
		NotedEvery: cmp.Or(l.NotedEvery, 3*time.Second),
		Prefixes:   cmp.Or(l.Prefixes, 16),
		Export:     cmp.Or(l.Export, 19_500_000),
		PrefixEach: cmp.Or(l.PrefixEach, 10*time.Second),
	}
}
