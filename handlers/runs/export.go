package runs

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"wavedeck/handlers/present"
	"wavedeck/handlers/runview"
	"wavedeck/handlers/web"
	"wavedeck/store/wave"
	"wavedeck/views/plain"
)

// streamRuns sends runs row by row, as CSV or NDJSON: a page, or page after page
// everything that matches. What was sent is forgotten, so a million runs take no
// more memory than a hundred. It ends with the client.
func (h *Handler) streamRuns(w http.ResponseWriter, r *http.Request, f web.Format, l runview.Listing) error {
	ctx := r.Context()
	page, err := h.Page(ctx, l)
	if err != nil {
		return err
	}
	if page.Older != nil && !l.All {
		q := runview.With(r.URL.Query(), "older", page.Older.String())
		q.Del("cursor")
		q.Del("newer")
		w.Header().Set("Link", "<"+h.Paths.As(h.Paths.Runs(nil), string(f), q)+`>; rel="next"`)
	}
	out := h.StartFlow(w, r, f.ContentType())
	if r.Method == http.MethodHead {
		return nil
	}
	rows := newRowWriter(out, f, l.At)
	for {
		sums, err := h.Summaries(ctx, page.Runs, l.At)
		if err == nil {
			err = rows.write(sums)
		}
		if err == nil && (!l.All || page.Older == nil) {
			return out.Flush()
		}
		if err == nil {
			l.Filter.Older, l.Filter.Newer = page.Older, nil
			page, err = h.Page(ctx, l)
		}
		if err != nil {
			return h.BreakOff(ctx, err)
		}
	}
}

// rowWriter writes runs in a form that has a row for each. There is nothing
// around the rows: each says of which moment it is, if not of now.
type rowWriter struct {
	out  *web.ResponseStream
	csv  plain.CSV
	f    web.Format
	asOf *present.AsOf
	last []string // of each row of CSV: AsOf
}

// runLine is a run as a line of NDJSON.
type runLine struct {
	present.RunSummary

	AsOf *present.AsOf `json:"as_of,omitempty"`
}

func newRowWriter(out *web.ResponseStream, f web.Format, at *wave.Moment) *rowWriter {
	rows := &rowWriter{out: out, f: f}
	columns := csvColumns
	if at != nil {
		a := runview.NewAsOf(*at, "")
		rows.asOf, rows.last = a, []string{strconv.FormatInt(a.Event, 10), present.TimeText(a.Time), strings.Join(a.Approximate, ",")}
		columns = slices.Concat(columns, csvAsOf)
	}
	if f == web.FormatCSV {
		rows.csv = plain.NewCSV(&out.Buf)
		_ = rows.csv.Row(columns) // into memory: it cannot fail
	}
	return rows
}

func (rows *rowWriter) write(sums []present.RunSummary) error {
	for _, sum := range sums {
		if rows.f == web.FormatCSV {
			_ = rows.csv.Row(append(csvRow(sum), rows.last...)) // into memory: it cannot fail
			continue
		}
		line, err := json.Marshal(runLine{sum, rows.asOf})
		if err != nil {
			return err //nolint:wrapcheck // the caller adds context
		}
		rows.out.Buf.Write(plain.JSON(line))
		rows.out.Buf.WriteByte('\n')
	}
	return rows.out.Flush()
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
func csvRow(sum present.RunSummary) []string {
	row := []string{
		plain.InertName(sum.RunID), plain.InertName(sum.PipelineName), plain.Inert(sum.Status), sum.State, plain.Inert(sum.Reason), plain.Inert(sum.Input),
		plain.InertName(sum.CurrentStep), strconv.FormatInt(sum.TotalTokens, 10), present.TimeText(sum.StartedAt), present.TimeText(sum.CompletedAt),
		sum.Duration, present.CountText(sum.DurationMs), plain.InertName(strings.Join(sum.Tags, ",")), present.CountText(int64(sum.Progress)), plain.Inert(sum.ErrorMessage),
		plain.InertName(sum.ParentRunID), plain.InertName(sum.BranchName),
		"", "", "", "", "", plain.Inert(sum.Headline), plain.InertName(sum.CausedBy),
	}
	row = append(row,
		present.CountText(sum.SubtreeTokens), plain.InertName(sum.ParentStepID), plain.InertName(sum.ForkedFrom), plain.Inert(sum.RunKind),
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
		extra[2], extra[3] = present.TimeText(sum.ETA.P50), present.TimeText(sum.ETA.P90)
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
