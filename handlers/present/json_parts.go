package present

import (
	"time"

	"wavedeck/store/diagnose"
)

// DagData is the graph of a run for programs.
type DagData struct {
	Nodes []DagNode `json:"nodes"`
	Edges []DagEdge `json:"edges"`
}

// DagNode is a step of the graph as JSON.
type DagNode struct {
	ID       string `json:"id"`
	Label    string `json:"label"`
	Persona  string `json:"persona"`
	Status   string `json:"status"`
	Progress int    `json:"progress"`
	X        int    `json:"x"`
	Y        int    `json:"y"`
}

// DagEdge is an arrow of the graph as JSON.
type DagEdge struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// StallSummary is a run's verdict in the JSON forms.
type StallSummary struct {
	Verdict  string            `json:"verdict"`
	Why      string            `json:"why"`
	Evidence []EvidenceSummary `json:"evidence,omitempty"`
	Action   string            `json:"action,omitempty"`
	Href     string            `json:"href,omitempty"`
}

// EvidenceSummary is one sign that speaks for or against a stall, as JSON.
type EvidenceSummary struct {
	Signal string     `json:"signal"`
	Value  string     `json:"value,omitempty"`
	At     *time.Time `json:"at,omitempty"`
	Note   string     `json:"note,omitempty"`
}

// EtaSummary is when a run will be done, in the JSON forms. The moments are left
// out where only being late is known.
type EtaSummary struct {
	Earliest *time.Time `json:"earliest,omitempty"` // p5
	P50      *time.Time `json:"p50,omitempty"`
	P90      *time.Time `json:"p90,omitempty"`
	N        int        `json:"n"`
	Late     bool       `json:"late"`
}

// ReplacedSummary says in JSON that the file is not what the run wrote.
type ReplacedSummary struct {
	Text string `json:"text"`
	By   string `json:"by_run_id,omitempty"` // the run that wrote it since, where it is known
}

func replacedSummaryOf(found map[int64]diagnose.Replacement, artifact int64) *ReplacedSummary {
	r, ok := found[artifact]
	if !ok {
		return nil
	}
	return &ReplacedSummary{Text: Redact(r.Text()), By: r.By}
}

// RunawaySummary is the same in the JSON forms.
type RunawaySummary struct {
	Kind    string     `json:"kind"` // loop, tokens
	Step    string     `json:"step_id"`
	Why     string     `json:"why"`
	Since   *time.Time `json:"since"`
	Actions []string   `json:"actions,omitempty"`
	Times   int        `json:"times,omitempty"`
	Of      int        `json:"of,omitempty"`
	Rate    int64      `json:"tokens_per_minute,omitempty"`
	Highest int64      `json:"highest_before,omitempty"`
	Past    int        `json:"past_runs"`
}
