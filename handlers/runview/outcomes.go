package runview

import (
	"bytes"
	"encoding/json"
	"net/url"
	"path"
	"path/filepath"
	"strings"

	"wavedeck/handlers/present"
	"wavedeck/store/wave"
	"wavedeck/views"
)

// decisionsShown is how many of a run's decisions a page shows: each holds texts
// of some length. Its JSON has more.
const decisionsShown = 100

// OutcomesView is what a run left, decided and saved, as its page shows it.
func (rv *Reader) OutcomesView(d wave.RunDetail) views.OutcomesView {
	decisions := d.Decisions.Rows[max(0, len(d.Decisions.Rows)-decisionsShown):]
	view := views.OutcomesView{
		OutcomesMore:    d.Outcomes.All - len(d.Outcomes.Rows),
		DecisionsMore:   d.Decisions.All - len(decisions),
		CheckpointsMore: d.Checkpoints.All - len(d.Checkpoints.Rows),
		AllURL:          rv.Paths.APIRun(d.Run.ID),
	}
	root := rv.Manifest.Current().Project.Root
	for _, o := range d.Outcomes.Rows {
		row := views.OutcomeRow{
			Kind: outcomeKind(o.Type), Label: present.Redact(o.Label), Value: present.Redact(o.Value), Description: present.Redact(o.Description),
			Step: present.Redact(o.StepID), At: o.At,
		}
		row.Out, row.Host = outLink(row.Value)
		if a, ok := artifactAt(d.Artifacts, o, root); ok && row.Out == "" {
			row.In = rv.Paths.Artifact(d.Run.ID, a.StepID, a.Name)
		}
		view.Outcomes = append(view.Outcomes, present.Bounded(row))
	}
	for _, one := range decisions {
		view.Decisions = append(view.Decisions, present.Bounded(views.DecisionRow{
			Step: present.Redact(one.StepID), Category: present.Words(present.Redact(one.Category)), Decision: present.Redact(one.Decision),
			Rationale: present.Account(one.Rationale), Context: contextText(one.Context), At: one.At,
		}))
	}
	for _, p := range d.Checkpoints.Rows {
		view.Checkpoints = append(view.Checkpoints, present.Bounded(views.CheckpointRow{
			Number: p.Index + 1, Step: present.Redact(p.StepID), Workspace: present.Redact(p.Workspace), Commit: present.Redact(p.Commit), At: p.At,
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
		return present.Words(present.Redact(recorded))
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

// liesBelow reports whether a directory of the recorded file is what dir ends with:
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
	text := present.Redact(recorded)
	var out bytes.Buffer
	if json.Indent(&out, []byte(text), "", "  ") != nil {
		return text
	}
	switch laid := strings.TrimSpace(out.String()); laid {
	case "{}", "null":
		return ""
	default:
		return present.RedactWhole(broken(laid)) // what a line end parted may be a secret by itself
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
