package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"wavedeck/store/wave"
)

// Across hides what begins in one event of a step and ends in a later one, such as
// a private key of which each line is an event.
type Across interface {
	// Marks are parts of a message, one of which it holds when such a thing begins
	// or ends in it.
	Marks() []string
	// After reports whether one goes on behind a message with a mark.
	After(before bool, message string) bool
	// May reports quickly whether a message may be a part of one.
	May(message string) bool
	// Hide gives a message without what may be a part of one; ends tells that its
	// end is known.
	Hide(message string, ends bool) string
	// Cut gives a message without the beginning of what ends in the next one.
	Cut(message string) string
	// MayJoin reports quickly whether a message may begin with the rest of what began
	// in the one before it, and Join gives it without that.
	MayJoin(message string) bool
	Join(before, message string) string
}

// Bounds of what is kept of a run, and of how far something goes on that never
// ends.
const (
	maxStretches   = 1000
	stretchEvents  = 4000 // ids
	stretchUnknown = 400  // ids: so far anything may be a part of it
)

// stretch is where in a step something goes on: behind event from, up to event to.
type stretch struct {
	step     string
	from, to int64 // to is 0 where no end is known
}

// stretches are those of one run, as far as its events were looked at.
type stretches struct {
	last int64
	list []stretch
}

// add folds an event with a mark.
func (s *stretches) add(across Across, id int64, step, message string) {
	open := -1
	for i := range s.list {
		if s.list[i].step == step && s.list[i].to == 0 {
			open = i
		}
	}
	if after := across.After(open >= 0, message); open >= 0 && !after {
		s.list[open].to = id
	} else if open < 0 && after && len(s.list) < maxStretches {
		s.list = append(s.list, stretch{step: step, from: id})
	}
}

// hide gives a message of a step without what belongs to something that goes on.
func (s stretches) hide(across Across, id int64, step, message string) string {
	for _, x := range s.list {
		if x.step != step || id <= x.from || x.to > 0 && id > x.to || x.to == 0 && id > x.from+stretchEvents {
			continue
		}
		return across.Hide(message, x.to > 0 || id <= x.from+stretchUnknown)
	}
	return message
}

// stretchesOf finds the stretches of a run up to an event. Asked again, it costs
// the new events only.
func (d *eventReader) stretchesOf(ctx context.Context, q Rows, run string, upTo int64) (stretches, error) {
	if d.opt.Across == nil {
		return stretches{}, nil
	}
	cached := d.histories.get(run)
	cached.mu.Lock()
	known := cached.stretches.clone()
	cached.mu.Unlock()
	if known.last >= upTo {
		return known, nil
	}
	rows, err := q.MessagesWith(ctx, run, known.last, upTo, d.opt.Across.Marks())
	if err != nil {
		return stretches{}, fmt.Errorf("look for keys in the log of %s: %w", run, err)
	}
	for _, r := range rows {
		known.add(d.opt.Across, r.ID, r.Step, r.Message)
	}
	known.last = upTo
	cached.mu.Lock()
	defer cached.mu.Unlock()
	if known.last > cached.stretches.last {
		cached.stretches = known.clone()
	}
	return known, nil
}

func (s stretches) clone() stretches {
	return stretches{last: s.last, list: append([]stretch(nil), s.list...)}
}

// message is what hideAcross looks at.
type message struct {
	id        int64
	run, step string
	text      *string
}

// hideAcross hides in messages what goes on over several of them.
func (d *eventReader) hideAcross(ctx context.Context, q Rows, messages []message) error {
	if d.opt.Across == nil {
		return nil
	}
	if err := d.hideJoined(ctx, q, messages); err != nil {
		return err
	}
	upTo := map[string]int64{}
	for _, m := range messages {
		if m.id > upTo[m.run] && d.opt.Across.May(*m.text) {
			upTo[m.run] = m.id
		}
	}
	for run, id := range upTo {
		found, err := d.stretchesOf(ctx, q, run, id)
		if err != nil {
			return err
		}
		if len(found.list) == 0 {
			continue
		}
		for _, m := range messages {
			if m.run == run {
				*m.text = found.hide(d.opt.Across, m.id, m.step, *m.text)
			}
		}
	}
	return nil
}

// maxBefore is how many messages before others are looked for at once.
const maxBefore = 100

// hideJoined hides what is broken in two: the end of one message of a step and the
// beginning of the next.
func (d *eventReader) hideJoined(ctx context.Context, q Rows, messages []message) error {
	inOrder := slices.Clone(messages)
	slices.SortFunc(inOrder, func(a, b message) int { return cmp.Compare(a.id, b.id) })
	type before struct {
		id   int64
		text string
	}
	last := map[wave.StepRef]before{}
	asked := 0
	for _, m := range inOrder {
		ref := wave.StepRef{Run: m.run, Step: m.step}
		text, known := *m.text, last[ref]
		last[ref] = before{m.id, text}
		if d.opt.Across.MayJoin(text) {
			if known.id != m.id-1 && asked < maxBefore {
				asked++
				var err error
				if known.text, err = q.MessageBefore(ctx, m.run, m.step, m.id); err != nil {
					return fmt.Errorf("look at the message before event %d: %w", m.id, err)
				}
			}
			*m.text = d.opt.Across.Join(known.text, *m.text)
		}
		*m.text = d.opt.Across.Cut(*m.text)
	}
	return nil
}

func messagesOf(events []wave.Event) []message {
	list := make([]message, len(events))
	for i := range events {
		e := &events[i]
		list[i] = message{e.ID, e.RunID, e.StepID, &e.Message}
	}
	return list
}

// wholeStretches are those of a run up to its newest event.
func (d *eventReader) wholeStretches(ctx context.Context, q Rows, run string) (stretches, error) {
	if d.opt.Across == nil {
		return stretches{}, nil
	}
	last, err := q.LastEventOf(ctx, run)
	if err != nil {
		return stretches{}, fmt.Errorf("look for keys in the log of %s: %w", run, err)
	}
	return d.stretchesOf(ctx, q, run, last)
}
