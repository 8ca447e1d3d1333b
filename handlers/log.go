package handlers

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"

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
func (s *Server) showLog(w http.ResponseWriter, r *http.Request) error {
	run, query, err := s.logRequest(r)
	if err != nil {
		return err
	}
	if jumps, err := s.jumpToLine(w, r, run, query); jumps || err != nil {
		return err
	}
	return s.serveCached(w, r, typeHTML, func(ctx context.Context, b *bytes.Buffer) error {
		view, err := s.logView(ctx, r, run, query)
		if err != nil {
			return err
		}
		return views.LogPage(view).Render(ctx, b)
	})
}

// showLogBlock is a window of a run's log.
func (s *Server) showLogBlock(w http.ResponseWriter, r *http.Request) error {
	run, query, err := s.logRequest(r)
	if err != nil {
		return err
	}
	return s.serveCached(w, r, typeHTML, func(ctx context.Context, b *bytes.Buffer) error {
		block, err := s.logBlock(ctx, run, query)
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
func (s *Server) logBlock(ctx context.Context, run string, query logQuery) (block views.LogBlock, err error) {
	window := logWindow{after: query.after, before: query.before}
	if query.process {
		err = s.withProcessLog(ctx, run, query, func(log *processLog) error {
			block, err = log.block(ctx, s, window)
			return err
		})
		return block, err
	}
	log, err := s.openLog(ctx, run, query)
	if err != nil {
		return block, err
	}
	return log.block(ctx, s, window)
}

// showLogEnd says how far a run's log goes by now.
func (s *Server) showLogEnd(w http.ResponseWriter, r *http.Request) error {
	run, query, err := s.logRequest(r)
	if err != nil {
		return err
	}
	return s.serveCached(w, r, typeHTML, func(ctx context.Context, b *bytes.Buffer) error {
		if query.process {
			return s.withProcessLog(ctx, run, query, func(log *processLog) error {
				return views.LogEndPart(log.end(s)).Render(ctx, b)
			})
		}
		log, err := s.openLog(ctx, run, query)
		if err != nil {
			return err
		}
		return views.LogEndPart(s.logEnd(log)).Render(ctx, b)
	})
}

func (s *Server) logRequest(r *http.Request) (run string, query logQuery, err error) {
	if run, err = pathVar(r, "run"); err != nil {
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

func (s *Server) openLog(ctx context.Context, id string, query logQuery) (*openedLog, error) {
	run, err := s.store.Run(ctx, id)
	if err != nil {
		return nil, err //nolint:wrapcheck // described by the error table
	}
	return s.openLogOf(ctx, run, query)
}

func (s *Server) openLogOf(ctx context.Context, run wave.Run, query logQuery) (*openedLog, error) {
	where, err := s.store.LogMap(ctx, run.ID)
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

// logPart is a run's log for a page of others, and what of the address its links keep.
func (s *Server) logPart(ctx context.Context, r *http.Request, id string, asked url.Values) (view views.LogView, kept url.Values, err error) {
	query, err := parseLogQuery(id, asked)
	if err != nil {
		return view, nil, err
	}
	view, err = s.logView(ctx, r, id, query)
	return view, query.values, err
}

func (s *Server) logView(ctx context.Context, r *http.Request, id string, query logQuery) (views.LogView, error) {
	var view views.LogView
	d, err := s.store.Detail(ctx, id)
	if err != nil {
		return view, err //nolint:wrapcheck // described by the error table
	}
	log, err := s.openLogOf(ctx, d.Run, query)
	if err != nil {
		return view, err
	}
	view.RunView = s.runHeadView(r, d)
	if view.Cost, err = s.costView(ctx, d.Run.ID); err != nil {
		return view, err
	}
	if view.Outlook, err = s.outlookView(ctx, d.Run); err != nil {
		return view, err
	}
	s.openTab(&view.RunView, "log")
	v := &view.Log
	v.Sources = s.logSources(id, query.process)
	if query.process {
		return view, s.processView(ctx, d.Run, query, v)
	}
	v.Of, v.Clock, v.Wrap = "Log of "+legible.Name(id), query.clock, query.wrap
	if log.where.Events == 0 {
		v.Missing = "No events were recorded for this run."
		return view, nil
	}
	hits, err := s.logHits(ctx, log)
	if err != nil {
		return view, err
	}
	window := log.place(hits)
	if v.Block, err = log.block(ctx, s, window); err != nil {
		return view, err
	}
	v.Target, v.AtEnd = window.around, window.newest && v.Block.Later == (views.LogMore{})
	if v.Hits, err = s.logHitsView(ctx, log, hits); err != nil {
		return view, err
	}
	v.End = s.logEnd(log)
	v.Fragment = s.paths.Log(id, "block", query.values)
	v.Form = s.logForm(log)
	s.logLinks(log, v)
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
func (log *openedLog) block(ctx context.Context, s *Server, w logWindow) (views.LogBlock, error) {
	var block views.LogBlock
	filter := log.query.filter
	if !log.query.onlyHits() {
		filter = criteria.LogFilter{Run: filter.Run}
	}
	read := func(w criteria.LogWindow) ([]wave.Event, bool, error) {
		w.Bytes = blockBytes
		events, err := s.store.Log(ctx, filter, w)
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
	log.lay(s, &block, lines)
	log.bound(s, &block, lines, w, moreBefore || cutBefore, moreAfter || cutAfter)
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
func (log *openedLog) bound(s *Server, block *views.LogBlock, lines []logEvent, w logWindow, earlier, later bool) {
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
		return views.LogMore{URL: s.paths.Log(log.run.ID, "block", q), Page: s.paths.Log(log.run.ID, "", q)}
	}
	if earlier && block.First > log.where.First {
		block.Earlier = more("before", block.First)
	}
	if later && block.Last < log.where.Last {
		block.Later = more("after", block.Last)
	}
}

// logEnd says how far a log goes, and whether it goes on.
func (s *Server) logEnd(log *openedLog) views.LogEnd {
	end := views.LogEnd{
		URL: s.paths.Log(log.run.ID, "end", nil), Last: log.where.Last, Total: log.where.Events,
		Page: s.paths.Log(log.run.ID, "", log.query.with("at", "end")) + "#logend",
	}
	count := views.Plural(int(log.where.Events), "event", "events")
	switch {
	case log.run.State.Ended():
		end.Text = "The run has ended: " + runWord(log.run) + ". " + count + "."
	case log.run.State == wave.Unknown:
		end.Text = count + " so far. Whether the run goes on is not known."
	default:
		end.Text = count + " so far. The run goes on: " + runWord(log.run) + "."
	}
	return end
}
