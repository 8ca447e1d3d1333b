package handlers

import (
	"bytes"
	"encoding/json"
	"net/url"
	"path"
	"path/filepath"
	"strings"
	"time"

	"wavedeck/store/wave"
	"wavedeck/views"
)

// decisionsShown is how many of a run's decisions a page shows: each holds texts
// of some length. Its JSON has more.
const decisionsShown = 100

// ledger is what a run left, decided and saved, as its page shows it.
func (s *Server) ledger(d wave.RunDetail) views.LedgerView {
	decisions := d.Decisions.Rows[max(0, len(d.Decisions.Rows)-decisionsShown):]
	view := views.LedgerView{
		OutcomesMore:    d.Outcomes.All - len(d.Outcomes.Rows),
		DecisionsMore:   d.Decisions.All - len(decisions),
		CheckpointsMore: d.Checkpoints.All - len(d.Checkpoints.Rows),
		AllURL:          s.paths.APIRun(d.Run.ID),
	}
	root := s.manifest.Current().Project.Root
	for _, o := range d.Outcomes.Rows {
		row := views.OutcomeRow{
			Kind: outcomeKind(o.Type), Label: shown(o.Label), Value: shown(o.Value), Description: shown(o.Description),
			Step: shown(o.StepID), At: o.At,
		}
		row.Out, row.Host = outLink(row.Value)
		if a, ok := artifactAt(d.Artifacts, o, root); ok && row.Out == "" {
			row.In = s.paths.Artifact(d.Run.ID, a.StepID, a.Name)
		}
		view.Outcomes = append(view.Outcomes, bounded(row))
	}
	for _, one := range decisions {
		view.Decisions = append(view.Decisions, bounded(views.DecisionRow{
			Step: shown(one.StepID), Category: words(shown(one.Category)), Decision: shown(one.Decision),
			Rationale: account(one.Rationale), Context: contextText(one.Context), At: one.At,
		}))
	}
	for _, p := range d.Checkpoints.Rows {
		view.Checkpoints = append(view.Checkpoints, bounded(views.CheckpointRow{
			Number: p.Index + 1, Step: shown(p.StepID), Workspace: shown(p.Workspace), Commit: shown(p.Commit), At: p.At,
		}))
	}
	return view
}

// outcomeKind is what kind of thing was left, in words.
func outcomeKind(recorded string) string {
	switch recorded {
	case "pr":
		return "pull request"
	case "url":
		return "link"
	default:
		return words(shown(recorded))
	}
}

// outLink is where a recorded text leads outside the console, and the host as it
// is. Both are empty where it is no plain address of the web: another scheme, a
// name before the host that could be taken for it, a host in other letters than
// ASCII that could look like another, or anything that a browser might read in
// another way than we do.
func outLink(text string) (href, host string) {
	if strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '\\' }) {
		return "", ""
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Opaque != "" || u.User != nil || u.Hostname() == "" {
		return "", ""
	}
	if strings.ContainsFunc(u.Host, func(r rune) bool { return r >= 0x7f || strings.ContainsRune("%<>\"'", r) }) {
		return "", ""
	}
	return u.String(), u.Host
}

// artifactAt is the artifact that an outcome is: the one at its path, or, since
// Wave records the workspace for some, the one that has its name in its step and
// lies below that path. The latest attempt's, where there are several.
func artifactAt(artifacts []wave.Artifact, o wave.Outcome, root string) (found wave.Artifact, ok bool) {
	value := path.Clean(filepath.ToSlash(o.Value))
	if o.Value == "" {
		return found, false
	}
	for _, a := range artifacts {
		at := path.Clean(filepath.ToSlash(a.Path))
		same := at == value || path.Join(root, at) == value && !path.IsAbs(at)
		if same || a.StepID == o.StepID && a.Name == o.Label && liesBelow(at, value) {
			found, ok = a, true
		}
	}
	return found, ok
}

// liesBelow tells whether a directory of the recorded file is what dir ends with:
// a project that was moved keeps the absolute paths of where it was.
func liesBelow(file, dir string) bool {
	for parent := path.Dir(file); parent != "." && parent != "/"; parent = path.Dir(parent) {
		if dir == parent || strings.HasSuffix(dir, "/"+parent) {
			return strings.Contains(parent, "/")
		}
	}
	return false
}

// contextText is what Wave recorded beside a decision, laid out for reading.
func contextText(recorded string) string {
	text := shown(recorded)
	var out bytes.Buffer
	if json.Indent(&out, []byte(text), "", "  ") != nil {
		return text
	}
	switch laid := strings.TrimSpace(out.String()); laid {
	case "{}", "null":
		return ""
	default:
		return redacted(broken(laid)) // what a line end parted may be a secret by itself
	}
}

// broken is laid out JSON with its texts of several lines on as many lines. It is
// for readers only: no program takes it for JSON any more.
func broken(laid string) string {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(laid, "\\")
		out.WriteString(before)
		if !found || after == "" {
			return out.String()
		}
		if after[0] == 'n' {
			out.WriteString("\n    ")
		} else {
			out.WriteString("\\" + after[:1])
		}
		laid = after[1:]
	}
}

// outcomeSummary, decisionSummary and checkpointSummary are the JSON forms.
type outcomeSummary struct {
	StepID      string     `json:"step_id,omitempty"`
	Type        string     `json:"type"`
	Label       string     `json:"label,omitempty"`
	Value       string     `json:"value"`
	Description string     `json:"description,omitempty"`
	CreatedAt   *time.Time `json:"created_at"`
}

type decisionSummary struct {
	StepID    string     `json:"step_id,omitempty"`
	Timestamp *time.Time `json:"timestamp"`
	Category  string     `json:"category"`
	Decision  string     `json:"decision"`
	Rationale string     `json:"rationale,omitempty"`
	Context   any        `json:"context,omitempty"` // JSON where it is, else the text
}

type checkpointSummary struct {
	StepID    string     `json:"step_id"`
	StepIndex int        `json:"step_index"`
	Workspace string     `json:"workspace_path,omitempty"`
	Commit    string     `json:"workspace_commit_sha,omitempty"`
	CreatedAt *time.Time `json:"created_at"`
}

// addLedger adds what a run left, decided and saved to its JSON.
func (body *runDetailResponse) addLedger(d wave.RunDetail) {
	for _, o := range d.Outcomes.Rows {
		body.Outcomes = append(body.Outcomes, outcomeSummary{
			StepID: shown(o.StepID), Type: shown(o.Type), Label: shown(o.Label), Value: shown(o.Value),
			Description: shown(o.Description), CreatedAt: momentOf(o.At),
		})
	}
	for _, one := range d.Decisions.Rows {
		body.Decisions = append(body.Decisions, decisionSummary{
			StepID: shown(one.StepID), Timestamp: momentOf(one.At), Category: shown(one.Category), Decision: shown(one.Decision),
			Rationale: shown(one.Rationale), Context: contextValue(one.Context),
		})
	}
	for _, p := range d.Checkpoints.Rows {
		body.Checkpoints = append(body.Checkpoints, checkpointSummary{
			StepID: shown(p.StepID), StepIndex: p.Index, Workspace: shown(p.Workspace), Commit: shown(p.Commit), CreatedAt: momentOf(p.At),
		})
	}
	body.OutcomesTotal, body.DecisionsTotal, body.CheckpointsTotal = d.Outcomes.All, d.Decisions.All, d.Checkpoints.All
}

func contextValue(recorded string) any {
	text := shown(recorded)
	switch {
	case strings.TrimSpace(text) == "", strings.TrimSpace(text) == "{}":
		return nil
	case json.Valid([]byte(text)):
		return json.RawMessage(strings.ToValidUTF8(text, "\uFFFD"))
	default:
		return text
	}
}
