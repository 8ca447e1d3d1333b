package runs

import (
	"bytes"
	"net/http"
	"strconv"

	"wavedeck/handlers/present"
	"wavedeck/handlers/web"
	"wavedeck/store/criteria"
	"wavedeck/store/wave"
	"wavedeck/views"
	"wavedeck/views/address"
)

// serveIcon draws the console's picture with a number on it: n= runs that need
// attention. Its address says everything about it.
func (h *Handler) serveIcon(w http.ResponseWriter, r *http.Request) error {
	n := 0
	if text := r.URL.Query().Get("n"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil || n < 0 {
			return &criteria.InputError{Field: "n", Got: present.Clip(text, 64), Want: "a number from 0"}
		}
	}
	w.Header().Set("Cache-Control", "private, max-age=86400")
	ctx := r.Context()
	h.Respond(w, r, http.StatusOK, "image/svg+xml", func(b *bytes.Buffer) error { return views.FaviconPicture(n).Render(ctx, b) })
	return nil
}

// endedRun is the notification that a run has ended, as text.
type endedRun struct {
	RunID string `json:"tag"`   // as a notification names it
	Title string `json:"title"` // pipeline and state
	Body  string `json:"body"`  // how long it took, and its id
	URL   string `json:"url"`
}

// askingRun is the notification that a run waits to be answered.
type askingRun struct {
	endedRun

	Gate string `json:"gate"` // of which there is one notification
}

type endedResponse struct {
	Ended []endedRun  `json:"ended"`
	Asks  []askingRun `json:"asks,omitempty"`
}

// apiEnded reports which of the runs of run=, up to 50, have ended, and which wait to
// be answered. One that is gone has ended: nobody waits for it any more.
func (h *Handler) apiEnded(w http.ResponseWriter, r *http.Request) error {
	ids, err := web.Texts(r.URL.Query(), "run")
	if err != nil {
		return err
	}
	return h.ServeCached(w, r, web.TypeJSON, func(r *http.Request, b *bytes.Buffer) error {
		ctx := r.Context()
		runs, err := h.Store.RunsByID(ctx, ids)
		if err != nil {
			return err
		}
		there := map[string]wave.Run{}
		for _, run := range runs {
			there[run.ID] = run
		}
		answer := endedResponse{Ended: []endedRun{}}
		for _, id := range ids {
			run, known := there[id]
			switch {
			case !known:
				answer.Ended = append(answer.Ended, endedRun{RunID: address.Encode(id), Title: "A run is gone", Body: id, URL: h.Paths.Run(id)})
			case run.State.Ended():
				answer.Ended = append(answer.Ended, endedRun{RunID: address.Encode(id), Title: runTitle(run), Body: tookWords(run) + id, URL: h.Paths.Run(id)})
			case run.State == wave.Waiting:
				open, err := h.Gates(ctx, wave.RunDetail{Run: run})
				if err != nil {
					return err
				}
				if len(open) > 0 {
					g := open[0]
					answer.Asks = append(answer.Asks, askingRun{
						endedRun{RunID: address.Encode(id), Title: run.Pipeline + " waits for an answer", Body: present.Clip(g.Question(), present.TextShown) + " · " + id, URL: h.Paths.Gates(g.Run)},
						strconv.FormatInt(g.Event, 10),
					})
				}
			}
		}
		return web.EncodeJSON(b, answer)
	})
}

// runTitle is pipeline and state: "build-shop failed".
func runTitle(run wave.Run) string {
	name := run.Pipeline
	if name == "" {
		name = run.ID
	}
	return present.Redact(present.Clip(name, web.MaxText)) + " " + endWord(run.State)
}

// endWord is a final state as a verb.
func endWord(state wave.State) string {
	switch state {
	case wave.Empty:
		return "succeeded with nothing to do"
	case wave.Cancelled:
		return "was cancelled"
	case wave.Rejected:
		return "was rejected"
	case wave.Lost:
		return "is lost"
	default:
		return string(state)
	}
}

func tookWords(run wave.Run) string {
	if !run.HasDuration {
		return ""
	}
	return "after " + views.FormatDuration(run.Duration, run.CoarseSecond) + " · "
}
