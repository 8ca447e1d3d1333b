package handlers

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

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
	out := startFlow(w, f.contentType())
	if r.Method == http.MethodHead {
		return nil
	}
	rows := newRowWriter(out, f)
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

// rowWriter writes runs in a form that has a row for each.
type rowWriter struct {
	out *outflow
	csv plain.CSV
	f   format
}

func newRowWriter(out *outflow, f format) *rowWriter {
	rows := &rowWriter{out: out, f: f}
	if f == formCSV {
		rows.csv = plain.NewCSV(&out.buf)
		_ = rows.csv.Row(csvColumns) // into memory: it cannot fail
	}
	return rows
}

func (rows *rowWriter) write(sums []runSummary) error {
	for _, sum := range sums {
		if rows.f == formCSV {
			_ = rows.csv.Row(csvRow(sum)) // into memory: it cannot fail
			continue
		}
		line, err := json.Marshal(sum)
		if err != nil {
			return err //nolint:wrapcheck // told by the caller
		}
		rows.out.buf.Write(line)
		rows.out.buf.WriteByte('\n')
	}
	return rows.out.flush()
}

// csvColumns are the fields of a run in JSON, by their names there; of what is an
// object there, the field that says most.
//
//nolint:gochecknoglobals // read only
var csvColumns = []string{
	"run_id", "pipeline_name", "status", "state", "reason", "input", "current_step", "total_tokens", "started_at", "completed_at",
	"duration", "duration_ms", "tags", "progress", "error_message", "parent_run_id", "branch_name",
	"estimated_cost", "stall", "eta_p50", "eta_p90", "runaway",
}

// csvRow has an empty cell where JSON leaves a field out. Tags are joined by commas.
func csvRow(sum runSummary) []string {
	row := []string{
		plain.Inert(sum.RunID), plain.Inert(sum.PipelineName), plain.Inert(sum.Status), sum.State, plain.Inert(sum.Reason), plain.Inert(sum.Input),
		plain.Inert(sum.CurrentStep), strconv.FormatInt(sum.TotalTokens, 10), moment(&sum.StartedAt), moment(sum.CompletedAt),
		sum.Duration, count(sum.DurationMs), plain.Inert(strings.Join(sum.Tags, ",")), count(int64(sum.Progress)), plain.Inert(sum.ErrorMessage),
		plain.Inert(sum.ParentRunID), plain.Inert(sum.BranchName),
		"", "", "", "", "",
	}
	extra := row[len(row)-5:]
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
