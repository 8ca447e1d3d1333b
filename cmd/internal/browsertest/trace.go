package browsertest

import (
	"encoding/json"
	"sync"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/tracing"
)

// TraceEvent is something that the browser itself wrote down.
type TraceEvent struct {
	Name string          `json:"name"`
	PID  int             `json:"pid"` // of the process
	TID  int             `json:"tid"` // and its thread
	At   float64         `json:"ts"`  // microseconds
	Took float64         `json:"dur"` // microseconds; 0 for a moment
	Args json.RawMessage `json:"args"`
}

// trace collects the events of one recording.
type trace struct {
	mu     sync.Mutex
	events []TraceEvent
	done   chan struct{} // closed when all have come
}

// heard is called by the browser's loop.
func (tr *trace) heard(e *tracing.EventDataCollected) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	for _, value := range e.Value {
		var event TraceEvent
		if json.Unmarshal(value, &event) == nil {
			tr.events = append(tr.events, event)
		}
	}
}

// Trace returns what the browser writes down of some categories while part goes on.
func (tab *Tab) Trace(part func(), categories ...string) []TraceEvent {
	tab.t.Helper()
	tr := &trace{done: make(chan struct{})}
	tab.mu.Lock()
	tab.trace = tr
	tab.mu.Unlock()
	Call(tab, tracing.Start, tracing.StartParams{TransferMode: tracing.StartTransferModeReportEvents, TraceConfig: &tracing.TraceConfig{IncludedCategories: categories}})
	part()
	Call(tab, tracing.End, cdp.Empty{})
	select {
	case <-tr.done:
	case <-tab.ctx.Done():
		tab.t.Fatal("the trace does not end")
	}
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return tr.events
}
