package logs

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"wavedeck/handlers/present"
	"wavedeck/store/wave"
	"wavedeck/views"
	"wavedeck/views/address"
	"wavedeck/views/ansi"
)

// logEvent is an event with what is shown of its message.
type logEvent struct {
	wave.Event
	text logText
}

// logText is what is shown of a message.
type logText struct {
	lines []ansi.Line
	left  string // what is left out
}

// text makes lines of a message; of a long one its beginning and its end.
func (log *openedLog) text(e wave.Event) logText {
	message := e.Message
	var t logText
	if len(message) > present.MaxRead {
		message = message[:present.MaxRead]
	}
	if len(message) <= messageBytes && strings.Count(message, "\n") <= headLines+tailLines {
		if message != "" {
			t.lines = present.Terminal(message)
		}
		return t
	}
	t.lines = present.Terminal(message)
	head, tail := headLines, tailLines
	if n := len(t.lines); n > head+tail {
		t.left = "… all " + views.Plural(strings.Count(e.Message, "\n")+1, "line", "lines")
		middle := ansi.Line{Spans: []ansi.Span{{Text: fmt.Sprintf("… %s left out …", views.Plural(n-head-tail, "line", "lines"))}}}
		t.lines = slices.Concat(t.lines[:head], []ansi.Line{middle}, t.lines[n-tail:])
	}
	size := 0
	for i, line := range t.lines {
		if size += len(line.Text()); size > messageBytes {
			t.lines = t.lines[:max(i, 1)]
			t.left = "… all " + views.Bytes(int64(len(e.Message)))
			if i == 0 {
				t.lines[0] = ansi.Line{Spans: []ansi.Span{{Text: present.Clip(line.Text(), messageBytes)}}}
			}
			break
		}
	}
	return t
}

// attempt is the number of the attempt at a step that an event belongs to, and
// how many there are.
func (log *openedLog) attempt(step string, id int64) (number, of int) {
	marks := log.attempts[step]
	i, on := slices.BinarySearchFunc(marks, id, func(m wave.LogMark, id int64) int { return cmp.Compare(m.ID, id) })
	if on {
		i++
	}
	if i == 0 {
		return 0, len(marks)
	}
	return marks[i-1].Attempt, len(marks)
}

// group names what an event belongs to.
func (log *openedLog) group(e wave.Event) string {
	if e.StepID == "" {
		return "run"
	}
	number, of := log.attempt(e.StepID, e.ID)
	if number > 0 && of > 1 {
		return e.StepID + " ▸ attempt " + strconv.Itoa(number)
	}
	return e.StepID
}

// lay puts lines under headings, step by step and attempt by attempt. Where steps
// run side by side and take turns too often, each line names its own.
func (log *openedLog) lay(h *Handler, block *views.LogBlock, lines []logEvent) {
	labels := make([]string, len(lines))
	turns := 0
	for i, l := range lines {
		labels[i] = log.group(l.Event)
		if i > 0 && labels[i] != labels[i-1] {
			turns++
		}
	}
	mixed := turns > 8 && turns > len(lines)/4
	keep := log.query.with("show", log.query.values.Get("show"))
	if log.query.onlyHits() {
		keep.Set("show", "all")
	}
	prefix := "?" + address.EncodeQuery(keep).Encode()
	if len(keep) > 0 {
		prefix += "&"
	}
	for i, l := range lines {
		line := log.line(h, l, prefix)
		if mixed {
			line.Step = labels[i]
		}
		if n := len(block.Groups); n == 0 || !mixed && labels[i] != labels[i-1] {
			group := views.LogGroup{Label: labels[i]}
			if mixed {
				group.Label = "Steps side by side"
			}
			if n == 0 && !mixed {
				group.More = log.goesOn(l.Event)
			}
			block.Groups = append(block.Groups, group)
		}
		g := &block.Groups[len(block.Groups)-1]
		g.Lines = append(g.Lines, line)
		block.Count += max(1, len(line.Text))
	}
}

// goesOn reports whether an event is within an attempt that began before it.
func (log *openedLog) goesOn(e wave.Event) bool {
	return slices.ContainsFunc(log.attempts[e.StepID], func(m wave.LogMark) bool { return m.ID < e.ID }) &&
		!slices.ContainsFunc(log.attempts[e.StepID], func(m wave.LogMark) bool { return m.ID == e.ID })
}

func (log *openedLog) line(h *Handler, e logEvent, prefix string) views.LogLine {
	no := strconv.FormatInt(e.ID, 10)
	line := views.LogLine{
		No: e.ID, Href: prefix + "L=" + no + "#" + views.LogAnchor(e.ID),
		At: e.At, Since: e.At.Sub(log.run.StartedAt),
		State: present.Clip(present.Opening(e.State), present.NameShown), Tone: string(present.EventTone(e.State)), Text: e.text.lines, Facts: eventFacts(e.Event),
		Mark: log.query.marks(e.ID),
	}
	line.Hit = log.query.all && log.query.filter.Narrow() && log.query.filter.Matches(e.Event)
	if e.text.left != "" {
		line.Left = e.text.left
		line.Whole = h.Paths.LogText(log.run.ID, map[string][]string{"L": {no}})
	}
	return line
}

// eventFacts is what else is known of an event.
func eventFacts(e wave.Event) string {
	var facts []string
	if e.Tokens > 0 {
		facts = append(facts, views.Tokens(&e.Tokens)+" tokens")
	}
	if e.Duration > 0 {
		facts = append(facts, views.FormatDuration(e.Duration, false))
	}
	if e.Model != "" {
		facts = append(facts, present.Clip(present.Inline(present.Opening(e.Model)), present.NameShown))
	}
	return strings.Join(facts, " · ")
}
