package compare

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"wavedeck/handlers/linediff"
	"wavedeck/handlers/present"
	"wavedeck/handlers/web"
	"wavedeck/store/diagnose"
	"wavedeck/store/files"
	"wavedeck/store/wave"
	"wavedeck/views/markup"
)

// Bounds of what one comparison reads and shows.
const (
	maxOutputPairs   = 60        // outputs that are compared
	maxDiffBytes     = 256 << 10 // of each side of a text
	maxDiffLines     = 10000     // of each side of a text
	maxDiffShown     = 400       // lines of one diff
	maxHashed        = 32 << 20  // bytes of a file that are read to find out whether it is the same
	maxHashedAll     = 128 << 20 // of all files together
	diffContextLines = 3
)

// outputPair is one output of a step on both sides, of the same attempt.
type outputPair struct {
	step, name  string
	attempt     int // from 1 where either side has several rows of it, else 0
	left, right *outputSide
	verdict     verdict
	note        string // what the reader must know of the verdict
	diff        string // unified, redacted
	removed     int
	added       int
	leftOut     int // lines of the diff that are not shown
	delta       delta
}

// outputSide is the row of one run and the file behind it.
type outputSide struct {
	row     wave.Artifact
	attempt int   // as in the address of its page, from 1; 0: its only one
	size    int64 // of the file; below 0 when there is none
	refused string
}

// verdict is what was found of two files.
type verdict string

const (
	sameContent   verdict = "same"
	otherContent  verdict = "differs"
	onlyLeft      verdict = "only_left"
	onlyRight     verdict = "only_right"
	oneFile       verdict = "same_file" // both runs recorded the same file: the content of one is gone
	missingLeft   verdict = "missing_left"
	missingRight  verdict = "missing_right"
	missingBoth   verdict = "missing_both"
	unknownOutput verdict = "unknown"
)

// pairOutputs aligns the outputs of both by step and name, and those that
// several attempts left by the attempt.
func (c *comparison) pairOutputs() {
	type key struct{ step, name string }
	group := func(rows []wave.Artifact) (map[key][]wave.Artifact, []key) {
		by, order := map[key][]wave.Artifact{}, []key(nil)
		for _, a := range rows {
			k := key{a.StepID, a.Name}
			if by[k] == nil {
				order = append(order, k)
			}
			by[k] = append(by[k], a)
		}
		return by, order
	}
	left, order := group(c.left.Artifacts)
	right, more := group(c.right.Artifacts)
	for _, k := range more {
		if left[k] == nil {
			order = append(order, k)
		}
	}
	place := map[string]int{}
	for i, p := range c.steps {
		place[p.id] = i
	}
	slices.SortStableFunc(order, func(a, b key) int { return place[a.step] - place[b.step] })
	for _, k := range order {
		if pair := stepPairOf(c.steps, k.step); pair != nil && !c.samePipe && (pair.left == nil || pair.right == nil) {
			continue // only shared steps are compared
		}
		l, r := left[k], right[k]
		for i := range max(len(l), len(r)) {
			if len(c.outputs) == maxOutputPairs {
				c.outputsLeft++
				continue
			}
			p := outputPair{step: k.step, name: k.name, left: outputSideAt(l, i), right: outputSideAt(r, i)}
			if max(len(l), len(r)) > 1 {
				p.attempt = i + 1
			}
			c.outputs = append(c.outputs, p)
		}
	}
}

func stepPairOf(steps []stepPair, id string) *stepPair {
	if i := slices.IndexFunc(steps, func(p stepPair) bool { return p.id == id }); i >= 0 {
		return &steps[i]
	}
	return nil
}

func outputSideAt(rows []wave.Artifact, i int) *outputSide {
	if i >= len(rows) {
		return nil
	}
	s := &outputSide{row: rows[i], size: -1}
	if len(rows) > 1 {
		s.attempt = i + 1
	}
	return s
}

// compareOutputs opens the files of both sides, as far as the bounds go.
func (h *Handler) compareOutputs(ctx context.Context, c *comparison) error {
	c.pairOutputs()
	leftFound, err := h.ReplacedIn(ctx, c.left)
	if err != nil {
		return err
	}
	rightFound, err := h.ReplacedIn(ctx, c.right)
	if err != nil {
		return err
	}
	left := int64(maxHashedAll)
	for i := range c.outputs {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("compare outputs: %w", err)
		}
		p := &c.outputs[i]
		if err := h.compareOutput(p, &left); err != nil {
			return fmt.Errorf("compare output %s/%s: %w", p.step, p.name, err)
		}
		p.noteReplaced("left", p.left, leftFound)
		p.noteReplaced("right", p.right, rightFound)
		if c.firstOutput < 0 && p.verdict == otherContent {
			c.firstOutput = i
		}
	}
	return nil
}

// noteReplaced says first what a comparison with the file of a side is worth.
func (p *outputPair) noteReplaced(which string, side *outputSide, found map[int64]diagnose.Replacement) {
	if side == nil || side.size < 0 {
		return
	}
	if r, ok := found[side.row.ID]; ok {
		note := which + ": " + present.Redact(r.Text())
		if p.note != "" {
			note += "; " + p.note
		}
		p.note = note
	}
}

func (h *Handler) compareOutput(p *outputPair, budget *int64) error {
	l, err := h.openSide(p.left)
	if err != nil {
		return err
	}
	defer l.close()
	r, err := h.openSide(p.right)
	if err != nil {
		return err
	}
	defer r.close()
	switch {
	case p.right == nil:
		p.verdict = onlyLeft
	case p.left == nil:
		p.verdict = onlyRight
	case l.file == nil && r.file == nil:
		p.verdict = missingBoth
	case l.file == nil:
		p.verdict = missingLeft
	case r.file == nil:
		p.verdict = missingRight
	case os.SameFile(l.info, r.info):
		p.verdict, p.note = oneFile, "both runs recorded the same file, which holds what was written last"
	default:
		p.delta = deltaOf(p.left.size, p.right.size, false)
		return p.compareFiles(l, r, budget)
	}
	return nil
}

// openedSide is a file to compare; nil when there is none.
type openedSide struct {
	file *os.File
	info os.FileInfo
}

func (o openedSide) close() {
	if o.file != nil {
		_ = o.file.Close() // it was only read
	}
}

// openSide opens one side's file. That it is not served is a fact of the
// comparison, not an error.
func (h *Handler) openSide(side *outputSide) (openedSide, error) {
	if side == nil {
		return openedSide{}, nil
	}
	f, info, err := h.OpenArtifact(side.row)
	if refused, ok := errors.AsType[*web.Error](err); ok {
		side.refused = refused.Text
		return openedSide{}, nil
	}
	if err != nil {
		return openedSide{}, err
	}
	side.size = info.Size()
	return openedSide{f, info}, nil
}

// compareFiles decides by the bytes; a text also says where it differs.
func (p *outputPair) compareFiles(l, r openedSide, budget *int64) error {
	leftHead, leftSize, err := files.Head(l.file, l.info, maxDiffBytes)
	if err != nil {
		return err
	}
	rightHead, rightSize, err := files.Head(r.file, r.info, maxDiffBytes)
	if err != nil {
		return err
	}
	whole := leftSize <= maxDiffBytes && rightSize <= maxDiffBytes
	switch {
	case leftSize != rightSize:
		p.verdict = otherContent
	case whole:
		p.verdict = sameContent
		if !bytes.Equal(leftHead, rightHead) {
			p.verdict = otherContent
		}
	case leftSize > maxHashed || 2*leftSize > *budget:
		p.verdict, p.note = unknownOutput, "of the same size, and too large to be read here"
		if !bytes.Equal(leftHead, rightHead) {
			p.verdict, p.note = otherContent, ""
		}
	default:
		*budget -= 2 * leftSize
		same, err := sameHash(l.file, r.file, leftSize)
		if err != nil {
			return err
		}
		p.verdict = sameContent
		if !same {
			p.verdict = otherContent
		}
	}
	if p.verdict == otherContent {
		p.tellDifference(leftHead, rightHead, whole)
	}
	return nil
}

func sameHash(left, right *os.File, size int64) (bool, error) {
	var sums [2][]byte
	for i, f := range []*os.File{left, right} {
		h := sha256.New()
		if _, err := io.Copy(h, io.NewSectionReader(f, 0, size)); err != nil {
			return false, err
		}
		sums[i] = h.Sum(nil)
	}
	return bytes.Equal(sums[0], sums[1]), nil
}

// tellDifference writes the diff of two texts, without their secrets.
func (p *outputPair) tellDifference(left, right []byte, whole bool) {
	for _, one := range []struct {
		row  wave.Artifact
		head []byte
	}{{p.left.row, left}, {p.right.row, right}} {
		switch markup.Choose(path.Base(one.row.Path), one.row.Type, one.head[:min(len(one.head), 4096)]) {
		case markup.Image, markup.Binary:
			p.note = "not a text"
			return
		}
	}
	l, r := diffable(left), diffable(right)
	var notes []string
	if laidLeft, laidRight, ok := laidOut(l, r); ok && whole {
		l, r = laidLeft, laidRight
		notes = append(notes, "laid out to be compared")
	}
	leftLines, rightLines := linediff.Lines(l), linediff.Lines(r)
	if !whole || len(leftLines) > maxDiffLines || len(rightLines) > maxDiffLines {
		notes = append(notes, "only the beginning of each is compared line by line")
		leftLines, rightLines = leftLines[:min(len(leftLines), maxDiffLines)], rightLines[:min(len(rightLines), maxDiffLines)]
	}
	hunks := linediff.Hunks(leftLines, rightLines, diffContextLines)
	if len(hunks) == 0 {
		notes = append(notes, "the difference is not in the lines shown: a redacted secret, the end of the last line, or later lines")
	}
	p.removed, p.added = linediff.Count(hunks)
	p.diff, p.leftOut = linediff.Unified(hunks, maxDiffShown)
	p.diff = shortLines(p.diff)
	p.note = strings.Join(notes, "; ")
}

// diffable is a text as it may be shown.
func diffable(data []byte) string {
	if decoded, _, ok := markup.Decode(data); ok {
		data = decoded
	}
	return present.RedactWhole(strings.ToValidUTF8(string(data), "\uFFFD"))
}

// maxJSONLine is the length of a line from which on JSON is laid out again: one
// long line that differs says nothing.
const maxJSONLine = 200

// laidOut lays out two JSON texts that stand in long lines.
func laidOut(left, right string) (l, r string, ok bool) {
	long := func(text string) bool {
		return slices.ContainsFunc(linediff.Lines(text), func(line string) bool { return len(line) > maxJSONLine })
	}
	if !long(left) && !long(right) {
		return "", "", false
	}
	var out [2]bytes.Buffer
	for i, text := range []string{left, right} {
		if json.Indent(&out[i], []byte(text), "", "  ") != nil {
			return "", "", false
		}
	}
	return present.RedactWhole(out[0].String()), present.RedactWhole(out[1].String()), true
}
