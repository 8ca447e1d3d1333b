//go:build unix

package handover

import (
	"encoding/json"
	"io"
	"regexp"

	"wavedeck/store"
	"wavedeck/store/manifest"
	"wavedeck/store/wave"
)

// Iterations and aggregations write to one place for all runs. What the next run
// overwrote is made again of what the runs within this one left, when that is as
// long as the output was.
func (l *look) again(step manifest.Step, row wave.Artifact) ([]byte, bool) {
	var text []byte
	ok := false
	switch step.Kind {
	case manifest.KindIterate:
		text, ok = l.collected(step)
	case manifest.KindAggregate:
		text, ok = l.aggregated(step)
	}
	return text, ok && int64(len(text)) == row.Size
}

// collected is the list of an iteration's outputs. Wave keeps one output of each
// pipeline, the last, however many items it was run for.
func (l *look) collected(step manifest.Step) ([]byte, bool) {
	inner := l.request.Left.Inner[step.ID]
	last := map[string]store.InnerOutputs{}
	for _, in := range inner {
		if _, several := last[in.Pipeline]; several && in.Iterate != nil && in.Iterate.Mode == "parallel" {
			return nil, false // which of them was the last is not recorded
		}
		last[in.Pipeline] = in
	}
	list := make([]json.RawMessage, 0, len(inner))
	for _, in := range inner {
		text, ok := l.only(last[in.Pipeline])
		if !ok {
			return nil, false
		}
		if !json.Valid(text) {
			var err error
			if text, err = json.Marshal(string(text)); err != nil {
				return nil, false
			}
		}
		list = append(list, text)
	}
	text, err := json.Marshal(list)
	return text, err == nil && len(list) > 0
}

// only is the output of a run that has one; Wave takes any of several.
func (l *look) only(in store.InnerOutputs) ([]byte, bool) {
	if len(in.Outputs) == 0 {
		return []byte("null"), true
	}
	newest := in.Outputs[len(in.Outputs)-1]
	for _, o := range in.Outputs {
		if o.Name != newest.Name || o.StepID != newest.StepID {
			return nil, false
		}
	}
	file, err := l.recorded(newest)
	if err != nil {
		return nil, false
	}
	return l.read(file)
}

// wholeOutput is a template that stands for all that a step left.
var wholeOutput = regexp.MustCompile(`^\s*\{\{\s*([A-Za-z0-9_-]+)\.output\s*\}\}\s*$`)

// aggregated is what an aggregation wrote that takes one step's output as it is.
func (l *look) aggregated(step manifest.Step) ([]byte, bool) {
	from := wholeOutput.FindStringSubmatch(step.Aggregate.From)
	if from == nil || step.Aggregate.Strategy != "concat" && step.Aggregate.Strategy != "reduce" {
		return nil, false
	}
	var text []byte
	found := 0
	for _, o := range l.Outputs {
		if o.Step != from[1] {
			continue
		}
		found++
		if text = o.Text; text == nil {
			var ok bool
			if text, ok = l.read(o.File); !ok {
				return nil, false
			}
		}
	}
	return text, found == 1
}

// maxAgain bounds what is made again, in bytes.
const maxAgain = 16 << 20

func (l *look) read(file string) ([]byte, bool) {
	f, info, err := l.tree.Open(file)
	if err != nil || info.Size() > maxAgain {
		return nil, false
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxAgain))
	return text, err == nil
}
