package runindex

import (
	"bytes"
	"slices"
	"strings"

	"wavedeck/store/criteria"
	"wavedeck/store/wave"
)

// condition is a Predicate, or another field of a RunFilter, in the numbers of the index.
type condition func(r *indexRow) bool

func (ix *table) condition(t criteria.Predicate) condition {
	var holds condition
	any := func(text string) bool { return criteria.IsAny(text, t.Texts) }
	switch t.Field {
	case criteria.FieldText, criteria.FieldID, criteria.FieldInput, criteria.FieldError:
		holds = ix.hasText(t)
	case criteria.FieldPipeline:
		holds = inSet(ix.pipelines.set(any), pipelineOf)
	case criteria.FieldBranch:
		holds = inSet(ix.branches.set(any), func(r *indexRow) uint32 { return r.branch })
	case criteria.FieldKind:
		holds = inSet(ix.kinds.set(any), func(r *indexRow) uint32 { return r.kind })
	case criteria.FieldTag:
		holds = inSet(ix.tags.set(any), tagsOf)
	case criteria.FieldParent:
		holds = ix.hasParent(t.Texts)
	case criteria.FieldDuration, criteria.FieldTokens, criteria.FieldStarted:
		return ix.inRange(t) // what is not known stays so when it is turned round
	default:
		return func(*indexRow) bool { return false }
	}
	if t.Not {
		return func(r *indexRow) bool { return !holds(r) }
	}
	return holds
}

func inSet(set []bool, number func(*indexRow) uint32) condition {
	return func(r *indexRow) bool { return set[number(r)] }
}

func inStates(wanted func(wave.State) bool) condition {
	var set [len(wave.States)]bool
	for i, s := range wave.States {
		set[i] = wanted(s)
	}
	return func(r *indexRow) bool { return set[r.state] }
}

func (ix *table) hasParent(ids []criteria.PredicateText) condition {
	var wanted []uint32
	for _, id := range ids {
		if n, ok := ix.parents.numbers[id.Text]; ok {
			wanted = append(wanted, n)
		}
	}
	return func(r *indexRow) bool { return slices.Contains(wanted, r.parent) }
}

func containsAny(text []byte, words [][]byte) bool {
	return slices.ContainsFunc(words, func(w []byte) bool { return bytes.Contains(text, w) })
}

// hasText looks for texts in a run's own; a zero byte would join two of them.
func (ix *table) hasText(t criteria.Predicate) condition {
	var words [][]byte
	for _, x := range t.Texts {
		if w := strings.ToLower(x.Text); !strings.ContainsRune(w, 0) {
			words = append(words, []byte(w))
		}
	}
	part := ix.textOf
	var named []bool // by pipeline: its name has one of the words
	switch t.Field {
	case criteria.FieldID:
		part = ix.idText
	case criteria.FieldInput:
		part = ix.inputText
	case criteria.FieldError:
		part = ix.errorText
	default:
		named = make([]bool, len(ix.pipelines.list))
		for n, name := range ix.pipelines.list {
			named[n] = containsAny([]byte(strings.ToLower(name)), words)
		}
	}
	return func(r *indexRow) bool {
		return named != nil && named[r.pipeline] || containsAny(part(r), words)
	}
}

// inRange compares a number; below 0 it is not known.
func (ix *table) inRange(t criteria.Predicate) condition {
	number := func(r *indexRow) int64 { return r.tokens }
	switch t.Field {
	case criteria.FieldStarted:
		number = func(r *indexRow) int64 {
			if r.started == 0 {
				return -1
			}
			return r.started
		}
	case criteria.FieldDuration:
		now := ix.now().Unix()
		number = func(r *indexRow) int64 {
			if s := wave.States[r.state]; s.Active() && s != wave.Pending && r.started > 0 {
				return max(0, now-r.started)
			}
			return int64(r.duration)
		}
	}
	return func(r *indexRow) bool {
		n := number(r)
		return n >= 0 && (n >= t.Low && n <= t.High) != t.Not
	}
}

// set says by number which texts are wanted.
func (in *interned) set(wanted func(string) bool) []bool {
	set := make([]bool, len(in.list))
	for n, text := range in.list {
		set[n] = wanted(text)
	}
	return set
}

// set says by number which lists hold a tag that is wanted.
func (t *tagLists) set(wanted func(string) bool) []bool {
	set := make([]bool, len(t.lists))
	for n, list := range t.lists {
		set[n] = slices.ContainsFunc(list, wanted)
	}
	return set
}
