package present

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"wavedeck/store/gate"
	"wavedeck/views"
	"wavedeck/views/legible"
	"wavedeck/views/plain"
)

// gateChoices is how many choices of a gate are shown.
const gateChoices = 24

// GateOf is a waiting gate as it is shown: its texts are redacted and not long. The
// keys of its choices stay what they are, for an answer is given by them.
func GateOf(g gate.Open, keeper gate.Keeper, maxKey int) views.Gate {
	without, expires := g.Without(keeper)
	v := views.Gate{
		Run: g.Run, Pipeline: BoundedName(g.Pipeline), Step: g.Step, Event: g.Event, Type: Clip(g.Type, NameShown), Prompt: Whole(PlainText(Terminal(clipWhole(g.Prompt, 2*AccountShown))), AccountShown),
		Default: g.Default, Freeform: g.Freeform, Since: g.Since, Without: string(without), Expires: expires,
	}
	for _, c := range g.Choices {
		if len(v.Choices) == gateChoices {
			v.More = len(g.Choices) - gateChoices
			break
		}
		usable := gate.Typable(c.Key, maxKey)
		key := c.Key
		if !usable {
			key = Clip(key, NameShown)
		}
		v.Choices = append(v.Choices, views.GateChoice{
			Key: key, Label: Clip(Inline(clipWhole(c.Label, openingRead)), TextShown), Target: Clip(c.Target, NameShown), Aborts: c.Target == gate.Aborts, Usable: usable,
		})
	}
	return v
}

// GateSummary is a waiting gate as JSON.
type GateSummary struct {
	RunID        string              `json:"run_id"` // a run below this one where it is not this one
	Step         string              `json:"step"`
	Type         string              `json:"type,omitempty"` // approval, timer, pr_merge, ci_pass
	Prompt       string              `json:"prompt"`
	Choices      []GateChoiceSummary `json:"choices"`
	Default      string              `json:"default,omitempty"`  // the key of a choice
	Freeform     bool                `json:"freeform,omitempty"` // it takes a text
	WaitingSince *time.Time          `json:"waiting_since"`
	ExpiresAt    *time.Time          `json:"expires_at"`
	OnTimeout    string              `json:"on_timeout"` // waits, default, fails, continues
	Answerable   bool                `json:"answerable"` // from here
	Reason       string              `json:"reason,omitempty"`
	By           string              `json:"answerable_by,omitempty"`
	Answer       *GateAnswerSummary  `json:"answer,omitempty"` // that was given and not taken yet
	Place        *GatePlaceSummary   `json:"place,omitempty"`  // where else it can be answered
	Href         string              `json:"answer_href,omitempty"`
	Event        int64               `json:"event,omitempty"` // by which it began to wait
}

// GateChoiceSummary is an answer to a gate as JSON.
type GateChoiceSummary struct {
	Key    string `json:"key"`
	Label  string `json:"label"`
	Target string `json:"target,omitempty"` // a step, or _fail, which ends the run
}

// GateAnswerSummary is what somebody answered as JSON.
type GateAnswerSummary struct {
	Choice string     `json:"choice"`
	Label  string     `json:"label,omitempty"`
	Text   string     `json:"text,omitempty"`
	By     string     `json:"answered_by"`
	At     *time.Time `json:"answered_at"`
}

// GatePlaceSummary is where the process of a run is as JSON.
type GatePlaceSummary struct {
	Host     string `json:"host"`
	PID      int    `json:"pid,omitempty"`
	Terminal string `json:"terminal,omitempty"`
	User     string `json:"user,omitempty"`
	Command  string `json:"command,omitempty"`
}

// GateSummaries are the gates of a run as JSON.
func GateSummaries(list []views.Gate) []GateSummary {
	var sums []GateSummary
	for _, g := range list {
		sum := GateSummary{
			RunID: g.Run, Step: g.Step, Type: g.Type, Prompt: g.Prompt, Choices: []GateChoiceSummary{}, Default: g.Default, Freeform: g.Freeform,
			WaitingSince: OptionalTime(g.Since), ExpiresAt: OptionalTime(g.Expires), OnTimeout: g.Without, Answerable: g.Answerable, Reason: g.Why, By: g.By, Href: g.Action, Event: g.Event,
		}
		for _, c := range g.Choices {
			target := c.Target
			sum.Choices = append(sum.Choices, GateChoiceSummary{Key: c.Key, Label: c.Label, Target: target})
		}
		if a := g.Answered; a != nil {
			sum.Answer = &GateAnswerSummary{Choice: a.Choice, Label: a.Label, Text: a.Text, By: a.Who, At: OptionalTime(a.At)}
		}
		if p := g.Place; p != nil {
			sum.Place = &GatePlaceSummary{Host: p.Host, PID: p.PID, Terminal: p.Terminal, User: p.User, Command: p.Command}
		}
		sums = append(sums, BoundedTo(sum, AccountShown))
	}
	return sums
}

// part is a gate as text.
func (g GateSummary) part(to views.Paths, origin string) plain.Part {
	p := plain.Part{Heading: "Gate " + legible.Name(g.Step)}
	add := func(name, text string) {
		if text != "" {
			p.Facts = append(p.Facts, plain.Fact{Name: name, Cell: TextCell(text)})
		}
	}
	add("Question", g.Prompt)
	p.Facts = append(p.Facts, plain.Fact{Name: "Run", Cell: RunCell(g.RunID, to, origin)})
	for _, c := range g.Choices {
		target := cmp.Or(c.Target, "continues")
		if c.Target == gate.Aborts {
			target = "ends the run"
		}
		add("Choice "+legible.Name(c.Key), fmt.Sprintf("%s → %s", cmp.Or(c.Label, c.Key), target))
	}
	add("Waiting since", TimeText(g.WaitingSince))
	without := map[string]string{
		string(gate.TakesDefault): "default: " + g.Default, string(gate.Fails): "the run fails", string(gate.GoesOn): "it continues", string(gate.Waits): "it waits",
	}[g.OnTimeout]
	if g.ExpiresAt != nil {
		without += " at " + TimeText(g.ExpiresAt)
	}
	add("Without an answer", without)
	if a := g.Answer; a != nil {
		add("Answered", strings.TrimSpace(a.Choice+" by "+a.By+" "+TimeText(a.At)))
	}
	if g.Answerable {
		add("Can be answered", g.By)
	} else {
		add("Cannot be answered here", g.Reason)
	}
	if g.Place != nil {
		words := []string{"host " + g.Place.Host}
		if g.Place.PID > 0 {
			words = append(words, fmt.Sprintf("pid %d", g.Place.PID))
		}
		for _, text := range []string{word("terminal", g.Place.Terminal), word("user", g.Place.User)} {
			if text != "" {
				words = append(words, text)
			}
		}
		add("Process", strings.Join(words, ", "))
		add("Command", g.Place.Command)
	}
	return p
}

// word is a name with its value; empty: it has none.
func word(name, value string) string {
	if value == "" {
		return ""
	}
	return name + " " + value
}
