package logs

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"wavedeck/handlers/present"
	"wavedeck/handlers/runview"
	"wavedeck/handlers/web"
	"wavedeck/store/criteria"
	"wavedeck/store/files"
	"wavedeck/store/logfile"
	"wavedeck/store/redact"
	"wavedeck/store/wave"
	"wavedeck/views"
	"wavedeck/views/address"
	"wavedeck/views/ansi"
)

// linesBeside is how many lines before and after a window are read with it: a
// colour or a private key that is shown may begin before it.
const linesBeside = 100

// indexes keeps where the lines of the process logs are that were read last. The
// zero value works.
type indexes struct {
	mu    sync.Mutex
	byRun map[string]*logfile.Index
}

// maxIndexes bounds the cache; an index has 8 bytes for each megabyte of its file.
const maxIndexes = 64

func (c *indexes) of(run string) *logfile.Index {
	c.mu.Lock()
	defer c.mu.Unlock()
	if x := c.byRun[run]; x != nil {
		return x
	}
	if c.byRun == nil || len(c.byRun) >= maxIndexes {
		c.byRun = map[string]*logfile.Index{} // made again in milliseconds
	}
	x := &logfile.Index{}
	c.byRun[run] = x
	return x
}

// processLog is the output of the process of a detached run, which Wave writes
// beside the state database. The caller closes it.
type processLog struct {
	file *os.File
	logfile.Window
	run   wave.Run
	query logQuery
}

// openProcessLog opens the file for a run. The run's id names it and is anyone's
// text: one that is no plain name has no file.
func (h *Handler) openProcessLog(ctx context.Context, run wave.Run, query logQuery) (*processLog, error) {
	if strings.ContainsAny(run.ID, "/\\\x00") {
		return nil, files.ErrName
	}
	project := h.Manifest.Current().Project
	f, _, err := files.Open(project.Root, filepath.Join(project.StateDir, "logs", run.ID+".log"), project.Databases()...)
	if err != nil {
		return nil, err //nolint:wrapcheck // described by its reader
	}
	window, err := h.processLogs.of(run.ID).Look(ctx, f)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &processLog{file: f, Window: window, run: run, query: query}, nil
}

// withProcessLog opens the log of a run for as long as use runs.
func (h *Handler) withProcessLog(ctx context.Context, id string, query logQuery, use func(*processLog) error) error {
	run, err := h.Store.Run(ctx, id)
	if err != nil {
		return err //nolint:wrapcheck // described by the error table
	}
	log, err := h.openProcessLog(ctx, run, query)
	if err != nil {
		return runview.Refusal(err)
	}
	defer log.file.Close()
	return use(log)
}

// hasProcessLog reports whether there is a file to open.
func (h *Handler) hasProcessLog(id string) bool {
	project := h.Manifest.Current().Project
	if project.StateDir == "" || strings.ContainsAny(id, "/\\\x00") {
		return false
	}
	info, err := os.Lstat(filepath.Join(project.StateDir, "logs", id+".log"))
	return err == nil && info.Mode().IsRegular()
}

// logSources lead to the two logs of a run, where it has a second one.
func (h *Handler) logSources(id string, process bool) []views.Option {
	if !process && !h.hasProcessLog(id) {
		return nil
	}
	return []views.Option{
		{Label: "events", Href: h.Paths.Log(id, "", nil), On: !process},
		{Label: "process", Href: h.Paths.Log(id, "", map[string][]string{"source": {"process"}}), On: process},
	}
}

// processView fills in the log of a run's process.
func (h *Handler) processView(ctx context.Context, run wave.Run, query logQuery, v *views.Log) error {
	v.Of, v.Wrap, v.Clock = "Process log of "+run.ID, query.wrap, clockNone
	v.Form.Plain = true
	log, err := h.openProcessLog(ctx, run, query)
	switch {
	case errors.Is(err, files.ErrGone), errors.Is(err, files.ErrName):
		v.Missing = "No process log: only detached runs have one, and it may have been cleaned up."
		return nil
	case err != nil:
		return runview.Refusal(err)
	}
	defer log.file.Close()
	if log.Lines == 0 {
		v.Missing = "The process wrote nothing."
		return nil
	}
	hits, err := log.hits(ctx, h.Budgets.Search)
	if err != nil {
		return err
	}
	window := logWindow{newest: run.State.Active() || run.State == wave.Failed || run.State == wave.Lost}
	switch q := query; {
	case q.before > 0:
		window = logWindow{before: q.before}
	case q.after > 0:
		window = logWindow{after: q.after}
	case max(q.from, q.at) > 0:
		window = logWindow{around: max(q.from, q.at), context: linesAround}
	case q.end:
		window = logWindow{newest: true}
	case len(hits.IDs) > 0:
		window = logWindow{around: hits.IDs[0], context: linesFailing}
	}
	if v.Block, err = log.block(ctx, h, window); err != nil {
		return err
	}
	v.Target, v.AtEnd = window.around, window.newest && v.Block.Later == (views.LogMore{})
	v.Hits = hitsView(query, hits, h.Budgets.Search, func(line int64) string { return h.LogLine(run.ID, query.values, line) })
	v.End = log.end(h)
	v.Fragment = h.Paths.Log(run.ID, "block", query.values)
	id, link := run.ID, func(key, value string) string { return h.Paths.Log(run.ID, "", query.with(key, value)) }
	keep := map[string][]string{"source": {"process"}}
	v.Form = views.LogForm{
		Action: h.Paths.Log(id, "", nil), Text: query.filter.Text, All: true, Narrow: query.filter.Text != "", Keep: keep,
		Clear: h.Paths.Log(id, "", keep), Plain: true,
	}
	v.Places = []views.Option{{Label: "start", Href: link("at", "1")}, {Label: "end", Href: v.End.Page}}
	v.Wraps = []views.Option{
		{Label: "wrapped", Href: link("wrap", ""), On: query.wrap, Value: "wrap"},
		{Label: "in one line", Href: link("wrap", "off"), On: !query.wrap, Value: "wrap"},
	}
	v.Download = []views.Option{{Label: "all", Href: h.Paths.LogText(id, keep)}}
	return nil
}

// hits are the lines that contain the text that is searched for.
func (log *processLog) hits(ctx context.Context, within time.Duration) (criteria.LogHits, error) {
	var hits criteria.LogHits
	if log.query.filter.Text == "" {
		return hits, nil
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	var err error
	hits.IDs, hits.More, hits.Tired, err = log.Search(ctx, log.query.filter.Text, hitsCounted, func(line string) bool {
		return log.query.filter.Matches(wave.Event{StepID: log.query.filter.Step, Message: line})
	})
	return hits, err //nolint:wrapcheck // described by its package
}

// block reads and lays out a window.
func (log *processLog) block(ctx context.Context, h *Handler, w logWindow) (views.LogBlock, error) {
	from, n := w.after+1, int64(blockEvents)
	switch {
	case w.around > 0:
		from = max(w.around-int64(w.context), 1)
	case w.before > 0:
		n = min(n, w.before-1)
		from = w.before - n
	case w.newest:
		n = min(n, log.Lines)
		from = log.Lines - n + 1
	}
	read, err := log.Read(ctx, from, int(n), blockBytes)
	for err == nil && (w.before > 0 || w.newest) && int64(len(read)) < n && n > 1 { // long lines: those next to the edge
		n, from = n/2, from+n-n/2
		read, err = log.Read(ctx, from, int(n), blockBytes)
	}
	if err != nil {
		return views.LogBlock{}, err //nolint:wrapcheck // described by its package
	}
	lines, err := log.lines(ctx, read)
	if err != nil {
		return views.LogBlock{}, err
	}
	block := views.LogBlock{First: min(from, log.Lines+1), Last: log.Lines, Count: len(lines), Groups: []views.LogGroup{{Lines: lines}}}
	if len(read) > 0 {
		block.Last = read[len(read)-1].No
	}
	more := func(key string, at int64) views.LogMore {
		q := log.query.with(key, strconv.FormatInt(at, 10))
		return views.LogMore{URL: h.Paths.Log(log.run.ID, "block", q), Page: h.Paths.Log(log.run.ID, "", q)}
	}
	if block.First > 1 {
		block.Earlier = more("before", block.First)
	}
	if block.Last < log.Lines {
		block.Later = more("after", block.Last)
	}
	return block, nil
}

// lines are what is shown of lines of the file.
func (log *processLog) lines(ctx context.Context, read []logfile.Line) ([]views.LogLine, error) {
	if len(read) == 0 {
		return nil, nil
	}
	first, last := read[0].No, read[len(read)-1].No
	before, err := log.Read(ctx, max(first-linesBeside, 1), int(min(linesBeside, first-1)), blockBytes)
	if err != nil {
		return nil, err //nolint:wrapcheck // described by its package
	}
	for len(before) > 0 && before[len(before)-1].No >= first {
		before = before[:len(before)-1]
	}
	after, err := log.Read(ctx, last+1, linesBeside, blockBytes)
	if err != nil {
		return nil, err //nolint:wrapcheck // described by its package
	}
	var text strings.Builder
	for _, part := range [][]logfile.Line{before, read, after} {
		for _, l := range part {
			text.WriteString(l.Text + "\n")
		}
	}
	prefix := "?"
	if q := address.EncodeQuery(log.query.values).Encode(); q != "" {
		prefix += q + "&"
	}
	parsed := numbered(text.String())
	lines := make([]views.LogLine, 0, len(read))
	for i, l := range read {
		no := strconv.FormatInt(l.No, 10)
		shown := parsed[len(before)+i]
		line := views.LogLine{No: l.No, Href: prefix + "L=" + no + "#" + views.LogAnchor(l.No), Mark: log.query.marks(l.No), Text: []ansi.Line{shown}}
		if l.Cut > 0 {
			line.Facts = views.Bytes(l.Cut) + " more in the download"
		}
		line.Hit = log.query.filter.Text != "" && log.query.filter.Matches(wave.Event{StepID: log.query.filter.Step, Message: l.Text})
		lines = append(lines, line)
	}
	return lines, nil
}

// numbered parses a text whose lines keep their numbers: a secret of several
// lines leaves as many behind.
func numbered(text string) []ansi.Line {
	_, found := redact.Text(text)
	var clean strings.Builder
	at := 0
	for _, f := range found {
		clean.WriteString(text[at:f.Start])
		clean.WriteString(f.Kind.Placeholder())
		clean.WriteString(strings.Repeat("\n", strings.Count(text[f.Start:f.End], "\n")))
		at = f.End
	}
	clean.WriteString(text[at:])
	lines := present.ParseLines(clean.String())
	for i, line := range lines {
		plain := line.Text()
		if again := present.RedactWhole(plain); again != plain { // it came together when the colours were taken out
			lines[i], _ = ansi.Parse(again, ansi.State{})
		}
	}
	return lines
}

func (log *processLog) end(h *Handler) views.LogEnd {
	end := views.LogEnd{
		URL: h.Paths.Log(log.run.ID, "end", map[string][]string{"source": {"process"}}), Last: log.Lines, Total: log.Lines,
		Page: h.Paths.Log(log.run.ID, "", log.query.with("at", "end")) + "#logend",
		Text: views.Number(log.Lines) + " lines so far. The run is still active: " + present.RunWord(log.run) + ".",
	}
	switch {
	case log.run.State.Ended():
		end.Text = "The run has ended: " + present.RunWord(log.run) + ". " + views.Number(log.Lines) + " lines."
	case log.run.State == wave.Unknown:
		end.Text = views.Number(log.Lines) + " lines so far. Whether the run is still active is unknown."
	}
	return end
}

// downloadProcessLog sends the whole file without colours and secrets, as a stream.
func (h *Handler) downloadProcessLog(w http.ResponseWriter, r *http.Request, id string, query logQuery) error {
	return h.withProcessLog(r.Context(), id, query, func(log *processLog) error { //nolint:contextcheck // it reads a file, until the client leaves
		attachment(w, id+".process.log.txt")
		if r.Method == http.MethodHead {
			return nil
		}
		text := redact.NewReader(&uncoloured{from: bufio.NewReaderSize(log.file, logfile.MaxLine)})
		control := http.NewResponseController(w)
		piece := make([]byte, blockBytes)
		for {
			n, err := text.Read(piece)
			if deadline := control.SetWriteDeadline(time.Now().Add(h.Budgets.Write)); deadline != nil && !errors.Is(deadline, http.ErrNotSupported) {
				return web.ErrClientGone
			}
			if _, err := w.Write(piece[:n]); err != nil {
				return web.ErrClientGone
			}
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				h.Log.ErrorContext(r.Context(), "failed to send the rest of a process log", "request", web.RequestID(r.Context()), "run", id, "err", err)
				panic(http.ErrAbortHandler) // half a file must not look whole
			}
		}
	})
}

// uncoloured reads a text as a reader sees it, line by line.
type uncoloured struct {
	from *bufio.Reader
	next bytes.Buffer
}

func (u *uncoloured) Read(p []byte) (int, error) {
	for u.next.Len() == 0 {
		raw, err := u.from.ReadSlice('\n')
		text, ended := strings.CutSuffix(string(raw), "\n")
		line, _ := ansi.Parse(text, ansi.State{})
		u.next.WriteString(line.Text())
		if ended {
			u.next.WriteByte('\n')
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) && u.next.Len() == 0 {
			if errors.Is(err, io.EOF) {
				return 0, io.EOF
			}
			return 0, fmt.Errorf("read process log: %w", err)
		}
	}
	return u.next.Read(p) //nolint:wrapcheck // of memory: io.EOF at most
}
