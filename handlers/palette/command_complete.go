package palette

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"wavedeck/handlers/runview"
)

// completeCommand completes the word of a command that the caret stands in. Run
// is the one that the page shows.
func (h *Handler) completeCommand(ctx context.Context, text, run string, at int) ([]completion, error) {
	words := wordsOf(text)
	place, from, to := len(words), at, at // a word that is still to come
	for i, w := range words {
		switch {
		case at < w.at && place == len(words):
			place = i
		case at >= w.at && at <= w.end:
			place, from, to = i, w.at, w.end
		}
	}
	typed := strings.Trim(text[from:at], `"`)
	var choices []choice
	if place == 0 {
		for _, v := range verbs() {
			choices = append(choices, choice{value: v.name, label: v.name, hint: v.means})
		}
		choices = beginning(choices, typed)
	} else {
		c, err := h.parseCommand(text, run)
		if err != nil {
			return nil, nil //nolint:nilerr // there is nothing to offer behind a word that is no command
		}
		if slices.Contains(c.verb.args, argFilter) {
			start := c.restAt()
			return h.completeFilter(ctx, text, min(start, at), at)
		}
		if place > len(c.verb.args) {
			return nil, nil
		}
		if choices, err = h.argumentChoices(ctx, c, c.verb.args[place-1], typed); err != nil {
			return nil, err
		}
	}
	var items []completion
	for _, c := range choices {
		item := completed(text, from, to, c.value, true)
		item.Label, item.Hint, item.Count = c.label, c.hint, c.count
		items = append(items, item)
	}
	return items, nil
}

func (h *Handler) argumentChoices(ctx context.Context, c *command, kind argument, typed string) ([]choice, error) {
	var names []string
	switch kind {
	case argRun, argPartner:
		runs, err := h.runChoices(ctx, typed)
		for i := range runs {
			runs[i].value = commandText(runs[i].label)
		}
		if kind == argPartner && strings.HasPrefix(runview.LastGreen, typed) { //nolint:gocritic // what was typed may be its beginning
			runs = append([]choice{{value: runview.LastGreen, label: runview.LastGreen, hint: "the last run of its pipeline that succeeded"}}, runs...)
		}
		return runs, err
	case argPipeline:
		for _, p := range h.Manifest.Current().Pipelines {
			names = append(names, p.Name)
		}
	case argPersona:
		for _, p := range h.Manifest.Current().Manifest.Personas {
			names = append(names, p.Name)
		}
	case argStep, argAttempt:
		var err error
		if names, err = h.stepNames(ctx, c, kind); err != nil {
			return nil, err
		}
	case argTime:
		return fitting(h.timeChoices(), typed), nil
	case argView:
		list, err := h.ViewSummaries(ctx)
		if err != nil {
			return nil, nil //nolint:nilerr // the page of the views says why there are none
		}
		for _, v := range list {
			names = append(names, v.Name)
		}
	case argFilter:
	}
	choices := choicesOf(names)
	for i := range choices {
		choices[i].value = commandText(choices[i].label)
	}
	return fitting(choices, typed), nil
}

// timeChoices are moments to go back to.
func (h *Handler) timeChoices() []choice {
	now := h.Now().UTC()
	var choices []choice
	for _, ago := range []string{"5m", "15m", "1h", "6h", "24h"} {
		age, _ := runview.ParseAge(ago)
		choices = append(choices, choice{value: ago, label: ago, hint: "ago, " + now.Add(-age).Format("2 Jan 15:04") + " UTC"})
	}
	if last := h.Store.Health().LastEventID; last > 0 {
		event := runview.AtQuery(last).Get("at")
		choices = append(choices, choice{value: event, label: event, hint: "the newest"})
	}
	return choices
}

// stepNames are the steps of the run that a command names, or the numbers of
// the attempts at the step that it names. While the run is not clear: none.
func (h *Handler) stepNames(ctx context.Context, c *command, kind argument) ([]string, error) {
	of, err := h.runNamed(ctx, c, c.words[0])
	if err != nil {
		return nil, nil //nolint:nilerr // steps of which run is not clear yet
	}
	where, err := h.Store.LogMap(ctx, of)
	if err != nil {
		return nil, fmt.Errorf("steps of a command: %w", err)
	}
	if kind == argStep {
		return where.Steps, nil
	}
	var numbers []string
	for _, m := range where.Marks {
		if !m.Failed && m.Step == c.words[1].text {
			numbers = append(numbers, strconv.Itoa(m.Attempt))
		}
	}
	return numbers, nil
}
