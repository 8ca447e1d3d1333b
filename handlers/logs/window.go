package logs

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"wavedeck/handlers/present"
	"wavedeck/handlers/web"
	"wavedeck/store/criteria"
	"wavedeck/store/wave"
	"wavedeck/views"
	"wavedeck/views/legible"
)

// Sizes of what a log shows at once. A page mounts twenty blocks at most, so
// blockLines keeps it below ten thousand lines.
const (
	blockEvents  = 250
	blockLines   = 500
	blockBytes   = 256 << 10 // of messages
	linesAround  = 60        // before the line that a log is opened at
	linesFailing = 8         // before the failure that a log opens at by itself
	headLines    = 150       // of one long message
	tailLines    = 40
	messageBytes = 32 << 10
)

// showLog is a run's log.
func (h *Handler) showLog(w http.ResponseWriter, r *http.Request) error {
	run, query, err := h.logRequest(r)
	if err != nil {
		return err
	}
	if jumps, err := h.jumpToLine(w, r, run, query); jumps || err != nil {
		return err
	}
	return h.ServeCached(w, r, web.TypeHTML, func(r *http.Request, b *bytes.Buffer) error {
		ctx := r.Context()
		view, err := h.logView(ctx, r, run, query)
		if err != nil {
			return err
		}
		return views.LogPage(view).Render(ctx, b)
	})
}

// showLogBlock is a window of a run's log.
func (h *Handler) showLogBlock(w http.ResponseWriter, r *http.Request) error {
	run, query, err := h.logRequest(r)
	if err != nil {
		return err
	}
	return h.ServeCached(w, r, web.TypeHTML, func(r *http.Request, b *bytes.Buffer) error {
		ctx := r.Context()
		block, err := h.logBlock(ctx, run, query)
		if err != nil {
			return err
		}
		view := views.LogView{Log: views.Log{Clock: query.clock, Form: views.LogForm{Plain: query.process}, Block: block}}
		if query.after > 0 { // what leads the other way stands there already
			view.Log.Block.Earlier = views.LogMore{}
		} else {
			view.Log.Block.Later = views.LogMore{}
		}
		return views.LogBlockPart(view).Render(ctx, b)
	})
}

// logBlock is the window that an address asks for.
func (h *Handler) logBlock(ctx context.Context, run string, query logQuery) (block views.LogBlock, err error) {
	window := logWindow{after: query.after, before: query.before}
	if query.process {
		err = h.withProcessLog(ctx, run, query, func(log *processLog) error {
			block, err = log.block(ctx, h, window)
			return err
		})
		return block, err
	}
	log, err := h.openLog(ctx, run, query)
	if err != nil {
		return block, err
	}
	return log.block(ctx, h, window)
}

// showLogEnd says how far a run's log goes by now.
func (h *Handler) showLogEnd(w http.ResponseWriter, r *http.Request) error {
	run, query, err := h.logRequest(r)
	if err != nil {
		return err
	}
	return h.ServeCached(w, r, web.TypeHTML, func(r *http.Request, b *bytes.Buffer) error {
		ctx := r.Context()
		if query.process {
			return h.withProcessLog(ctx, run, query, func(log *processLog) error {
				return views.LogEndPart(log.end(h)).Render(ctx, b)
			})
		}
		log, err := h.openLog(ctx, run, query)
		if err != nil {
			return err
		}
		return views.LogEndPart(h.logEnd(log)).Render(ctx, b)
	})
}

func (h *Handler) logRequest(r *http.Request) (run string, query logQuery, err error) {
	if run, err = web.PathVar(r, "run"); err != nil {
		return run, query, err
	}
	query, err = parseLogQuery(run, r.URL.Query())
	return run, query, err
}

// openedLog is a log at one moment.
type openedLog struct {
	query    logQuery
	run      wave.Run
	where    wave.LogMap
	attempts map[string][]wave.LogMark // where the attempts at each step begin
}

func (h *Handler) openLog(ctx context.Context, id string, query logQuery) (*openedLog, error) {
	run, err := h.Store.Run(ctx, id)
	if err != nil {
		return nil, err //nolint:wrapcheck // described by the error table
	}
	return h.openLogOf(ctx, run, query)
}

func (h *Handler) openLogOf(ctx context.Context, run wave.Run, query logQuery) (*openedLog, error) {
	where, err := h.Store.LogMap(ctx, run.ID)
	if err != nil {
		return nil, err //nolint:wrapcheck // described by the error table
	}
	log := &openedLog{query: query, run: run, where: where, attempts: map[string][]wave.LogMark{}}
	for _, mark := range where.Marks {
		if !mark.Failed {
			log.attempts[mark.Step] = append(log.attempts[mark.Step], mark)
		}
	}
	return log, nil
}

// LogPart is a run's log for a page of others, and what of the address its links keep.
func (h *Handler) LogPart(ctx context.Context, r *http.Request, id string, asked url.Values) (view views.LogView, kept url.Values, err error) {
	query, err := parseLogQuery(id, asked)
	if err != nil {
		return view, nil, err
	}
	view, err = h.logView(ctx, r, id, query)
	return view, query.values, err
}

func (h *Handler) logView(ctx context.Context, r *http.Request, id string, query logQuery) (views.LogView, error) {
	var view views.LogView
	d, err := h.Store.Detail(ctx, id)
	if err != nil {
		return view, err //nolint:wrapcheck // described by the error table
	}
	log, err := h.openLogOf(ctx, d.Run, query)
	if err != nil {
		return view, err
	}
	view.RunView = h.RunHeadView(r, d)
	if view.Cost, err = h.CostView(ctx, d.Run.ID); err != nil {
		return view, err
	}
	if view.Diagnosis, err = h.DiagnosisView(ctx, d.Run); err != nil {
		return view, err
	}
	h.OpenTab(&view.RunView, "log")
	v := &view.Log
	v.Sources = h.logSources(id, query.process)
	if query.process {
		return view, h.processView(ctx, d.Run, query, v)
	}
	v.Of, v.Clock, v.Wrap = "Log of "+legible.Name(id), query.clock, query.wrap
	if log.where.Events == 0 {
		v.Missing = "No events were recorded for this run."
		return view, nil
	}
	hits, err := h.logHits(ctx, log)
	if err != nil {
		return view, err
	}
	window := log.place(hits)
	if v.Block, err = log.block(ctx, h, window); err != nil {
		return view, err
	}
	v.Target, v.AtEnd = window.around, window.newest && v.Block.Later == (views.LogMore{})
	if v.Hits, err = h.logHitsView(ctx, log, hits); err != nil {
		return view, err
	}
	v.End = h.logEnd(log)
	v.Fragment = h.Paths.Log(id, "block", query.values)
	v.Form = h.logForm(log)
	h.logLinks(log, v)
	return view, nil
}

// logWindow is where in a log to look.
type logWindow struct {
	around        int64 // a line in the window, with some before it
	context       int   // how many
	after, before int64
	newest        bool
}

// place is where the log opens: where the address says, else where a reader
// wants to be.
func (log *openedLog) place(hits criteria.LogHits) logWindow {
	q := log.query
	switch {
	case q.before > 0:
		return logWindow{before: q.before}
	case q.after > 0:
		return logWindow{after: q.after}
	case q.from > 0:
		return logWindow{around: q.from, context: linesAround}
	case q.at > 0:
		return logWindow{around: q.at, context: linesAround}
	case q.end:
		return logWindow{newest: true}
	case q.all && len(hits.IDs) > 0:
		return logWindow{around: hits.IDs[0], context: linesFailing}
	case log.run.State.Active():
		return logWindow{newest: true}
	case q.onlyHits():
		return logWindow{}
	}
	switch log.run.State {
	case wave.Failed, wave.Rejected:
		if failure := log.where.Failure(); failure > 0 {
			return logWindow{around: failure, context: linesFailing}
		}
		return logWindow{newest: true}
	case wave.Cancelled, wave.Lost:
		return logWindow{newest: true}
	default:
		return logWindow{}
	}
}

// block reads and lays out a window.
func (log *openedLog) block(ctx context.Context, h *Handler, w logWindow) (views.LogBlock, error) {
	var block views.LogBlock
	filter := log.query.filter
	if !log.query.onlyHits() {
		filter = criteria.LogFilter{Run: filter.Run}
	}
	read := func(w criteria.LogWindow) ([]wave.Event, bool, error) {
		w.Bytes = blockBytes
		events, err := h.Store.Log(ctx, filter, w)
		size := 0
		for _, e := range events {
			size += len(e.Message)
		}
		return events, len(events) == w.Limit || size >= blockBytes, err //nolint:wrapcheck // described by the error table
	}
	var before, after []wave.Event
	var moreBefore, moreAfter bool
	var err error
	switch {
	case w.around > 0:
		if before, moreBefore, err = read(criteria.LogWindow{Before: w.around, Newest: true, Limit: w.context}); err != nil {
			return block, err
		}
		after, moreAfter, err = read(criteria.LogWindow{After: w.around - 1, Limit: blockEvents - w.context})
	case w.before > 0 || w.newest:
		before, moreBefore, err = read(criteria.LogWindow{Before: w.before, Newest: true, Limit: blockEvents})
		moreAfter = w.before > 0
	default:
		after, moreAfter, err = read(criteria.LogWindow{After: w.after, Limit: blockEvents})
		moreBefore = w.after > 0
	}
	if err != nil {
		return block, err
	}
	lines, cutBefore, cutAfter := log.fit(before, after)
	log.lay(h, &block, lines)
	log.bound(h, &block, lines, w, moreBefore || cutBefore, moreAfter || cutAfter)
	return block, nil
}

// fit makes lines of events, of those next to where the window is first, until
// there are as many as a block may have.
func (log *openedLog) fit(before, after []wave.Event) (lines []logEvent, cutBefore, cutAfter bool) {
	left := blockLines
	for i, e := range after {
		l := logEvent{Event: e, text: log.text(e)}
		if left -= max(len(l.text.lines), 1); left < 0 && i > 0 {
			cutAfter = true
			break
		}
		lines = append(lines, l)
	}
	slices.Reverse(lines)
	for i, e := range slices.Backward(before) {
		l := logEvent{Event: e, text: log.text(e)}
		if left -= max(len(l.text.lines), 1); left < 0 && (i < len(before)-1 || len(after) > 0) {
			cutBefore = true
			break
		}
		lines = append(lines, l)
	}
	slices.Reverse(lines)
	return lines, cutBefore, cutAfter
}

// bound says which lines a block accounts for and what leads on from it.
func (log *openedLog) bound(h *Handler, block *views.LogBlock, lines []logEvent, w logWindow, earlier, later bool) {
	block.First, block.Last = log.where.First, log.where.Last
	if n := len(lines); n > 0 {
		if earlier {
			block.First = lines[0].ID
		}
		if later {
			block.Last = lines[n-1].ID
		} else {
			block.Last = max(block.Last, lines[n-1].ID)
		}
	} else if w.after > 0 {
		block.First = w.after
	} else if w.before > 0 {
		block.Last = w.before
	}
	more := func(key string, at int64) views.LogMore {
		q := log.query.with(key, strconv.FormatInt(at, 10))
		return views.LogMore{URL: h.Paths.Log(log.run.ID, "block", q), Page: h.Paths.Log(log.run.ID, "", q)}
	}
	if earlier && block.First > log.where.First {
		block.Earlier = more("before", block.First)
	}
	if later && block.Last < log.where.Last {
		block.Later = more("after", block.Last)
	}
}

// logEnd says how far a log goes, and whether it goes on.
func (h *Handler) logEnd(log *openedLog) views.LogEnd {
	end := views.LogEnd{
		URL: h.Paths.Log(log.run.ID, "end", nil), Last: log.where.Last, Total: log.where.Events,
		Page: h.Paths.Log(log.run.ID, "", log.query.with("at", "end")) + "#logend",
	}
	count := views.Plural(int(log.where.Events), "event", "events")
	switch {
	case log.run.State.Ended():
		end.Text = "The run has ended: " + present.RunWord(log.run) + ". " + count + "."
	case log.run.State == wave.Unknown:
		end.Text = count + " so far. Whether the run is still active is unknown."
	default:
		end.Text = count + " so far. The run is still active: " + present.RunWord(log.run) + "."
	}
	return end
}
