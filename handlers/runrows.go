package handlers

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"wavedeck/store/wave"
	"wavedeck/views/plain"
)

// streamRuns sends runs row by row, as CSV or NDJSON: a page, or page after page
// everything that matches. What was sent is forgotten, so a million runs take no
// more memory than a hundred. It ends with the client.
func (s *Server) streamRuns(w http.ResponseWriter, r *http.Request, f format, l listing) error {
	ctx := r.Context()
	page, err := s.page(ctx, l)
	if err != nil {
		return err
	}
	if page.Older != nil && !l.all {
		q := with(r.URL.Query(), "older", page.Older.String())
		q.Del("cursor")
		q.Del("newer")
		w.Header().Set("Link", "<"+s.paths.As(s.paths.Runs(nil), string(f), q)+`>; rel="next"`)
	}
	out := s.startFlow(w, r, f.contentType())
	if r.Method == http.MethodHead {
		return nil
	}
	rows := newRowWriter(out, f, l.at)
	for {
		sums, err := s.summaries(ctx, page.Runs, l.at)
		if err == nil {
			err = rows.write(sums)
		}
		if err == nil && (!l.all || page.Older == nil) {
			return out.flush()
		}
		if err == nil {
			l.filter.Older, l.filter.Newer = page.Older, nil
			page, err = s.page(ctx, l)
		}
		if err != nil {
			return s.breakOff(ctx, err)
		}
	}
}

// breakOff ends an answer that has begun and cannot go on: what is there must not
// look whole.
func (s *Server) breakOff(ctx context.Context, err error) error {
	if ctx.Err() == nil && describe(err).status != statusClientClosed {
		s.log.ErrorContext(ctx, "answer broke off", "request", requestID(ctx), "error", err)
	}
	panic(http.ErrAbortHandler)
}

// rowWriter writes runs in a form that has a row for each. There is nothing
// around the rows: each says of which moment it is, if not of now.
type rowWriter struct {
	out  *outflow
	csv  plain.CSV
	f    format
	asOf *asOf
	last []string // of each row of CSV: asOf
}

// runLine is a run as a line of NDJSON.
type runLine struct {
	runSummary

	AsOf *asOf `json:"as_of,omitempty"`
}

func newRowWriter(out *outflow, f format, at *wave.Moment) *rowWriter {
	rows := &rowWriter{out: out, f: f}
	columns := csvColumns
	if at != nil {
		a := newAsOf(*at, "")
		rows.asOf, rows.last = a, []string{strconv.FormatInt(a.Event, 10), moment(a.Time), strings.Join(a.Approximate, ",")}
		columns = slices.Concat(columns, csvAsOf)
	}
	if f == formCSV {
		rows.csv = plain.NewCSV(&out.buf)
		_ = rows.csv.Row(columns) // into memory: it cannot fail
	}
	return rows
}

func (rows *rowWriter) write(sums []runSummary) error {
	for _, sum := range sums {
		if rows.f == formCSV {
			_ = rows.csv.Row(append(csvRow(sum), rows.last...)) // into memory: it cannot fail
			continue
		}
		line, err := json.Marshal(runLine{sum, rows.asOf})
		if err != nil {
			return err //nolint:wrapcheck // the caller adds context
		}
		rows.out.buf.Write(plain.JSON(line))
		rows.out.buf.WriteByte('\n')
	}
	return rows.out.flush()
}

// csvColumns are the fields of a run in JSON, by their names there; of what is an
// object there, the field that says most. csvAsOf follow as of a moment.
//
//nolint:gochecknoglobals // read only
var csvColumns, csvAsOf = []string{
	"run_id", "pipeline_name", "status", "state", "reason", "input", "current_step", "total_tokens", "started_at", "completed_at",
	"duration", "duration_ms", "tags", "progress", "error_message", "parent_run_id", "branch_name",
	"estimated_cost", "stall", "eta_p50", "eta_p90", "runaway", "headline", "caused_by_run_id",
	"subtree_tokens", "parent_step_id", "forked_from_run_id", "run_kind", "iterate_index", "iterate_total", "iterate_mode",
	"children", "children_ended", "children_failed", "dry_run",
}, []string{"as_of_event", "as_of_time", "as_of_approximate"}

// csvRow has an empty cell where JSON leaves a field out. Tags are joined by commas.
func csvRow(sum runSummary) []string {
	row := []string{
		plain.Inert(sum.RunID), plain.Inert(sum.PipelineName), plain.Inert(sum.Status), sum.State, plain.Inert(sum.Reason), plain.Inert(sum.Input),
		plain.Inert(sum.CurrentStep), strconv.FormatInt(sum.TotalTokens, 10), moment(sum.StartedAt), moment(sum.CompletedAt),
		sum.Duration, count(sum.DurationMs), plain.Inert(strings.Join(sum.Tags, ",")), count(int64(sum.Progress)), plain.Inert(sum.ErrorMessage),
		plain.Inert(sum.ParentRunID), plain.Inert(sum.BranchName),
		"", "", "", "", "", plain.Inert(sum.Headline), plain.Inert(sum.CausedBy),
	}
	row = append(row,
		count(sum.SubtreeTokens), plain.Inert(sum.ParentStepID), plain.Inert(sum.ForkedFrom), plain.Inert(sum.RunKind),
		given(sum.IterateIndex), given(sum.IterateTotal), plain.Inert(sum.IterateMode), "", "", "", "",
	)
	if c := sum.ChildrenCounts; c != nil {
		copy(row[len(row)-4:], []string{strconv.Itoa(c.Total), strconv.Itoa(c.Ended), strconv.Itoa(c.Failed)})
	}
	if sum.DryRun {
		row[len(row)-1] = "true"
	}
	extra := row[len(row)-18:]
	if c := sum.Cost; c != nil && c.Amount != nil {
		extra[0] = strconv.FormatFloat(*c.Amount, 'f', -1, 64)
	}
	if sum.Stall != nil {
		extra[1] = sum.Stall.Verdict
	}
	if sum.ETA != nil {
		extra[2], extra[3] = moment(sum.ETA.P50), moment(sum.ETA.P90)
	}
	if sum.Runaway != nil {
		extra[4] = sum.Runaway.Kind
	}
	return row
}

// given is a number that may be 0; empty: not known.
func given(n *int) string {
	if n == nil {
		return ""
	}
	return strconv.Itoa(*n)
}

// moment is a time as JSON has it; empty: not known.
func moment(t *time.Time) string {
	if t == nil || t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// count is a number that JSON leaves out when it is 0.
func count(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}
