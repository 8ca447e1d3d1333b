package dag

import (
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
)

// foldOver is how many alike siblings are still drawn one by one.
const foldOver = 20

// graph is what is laid out: boxes and the links between them.
type graph struct {
	boxes []Box
	links []link
}

// fold puts alike siblings into one box when there are more than foldOver:
// steps of one kind with the same edges to the same other steps. Only the
// definition counts, so a state never folds or unfolds anything.
func (l *Layout) fold(links []link) *graph {
	group := l.alike(links)
	size := make(map[int]int, len(group))
	for _, leader := range group {
		size[leader]++
	}

	g := &graph{boxes: make([]Box, 0, len(l.Steps)), links: make([]link, 0, len(links))}
	l.box = make([]int, len(l.Steps))
	at := make(map[int]int) // leader of a fold to its box
	for i, n := range l.Steps {
		leader := group[i]
		if b, ok := at[leader]; ok {
			g.boxes[b].Steps = append(g.boxes[b].Steps, i)
			l.box[i] = b
			continue
		}
		l.box[i] = len(g.boxes)
		if size[leader] > foldOver {
			at[leader] = len(g.boxes)
		}
		g.boxes = append(g.boxes, Box{Kind: n.Kind, Label: n.Label, Steps: []int{i}, H: boxHeight})
	}
	for b := range g.boxes {
		if box := &g.boxes[b]; len(box.Steps) > 1 {
			box.Label = commonLabel(l.Steps, box.Steps)
		}
	}
	g.addLinks(links, l.box)
	return g
}

// addLinks brings links from steps to boxes. A fold's members have the same
// links, so each comes once.
func (g *graph) addLinks(links []link, box []int) {
	type pair struct{ from, to int }
	seen := make(map[pair]bool, len(links))
	for _, k := range links {
		k.from, k.to = box[k.from], box[k.to]
		if k.from == k.to {
			g.boxes[k.from].Loops = true
		}
		if p := (pair{k.from, k.to}); !seen[p] {
			seen[p] = true
			g.links = append(g.links, k)
		}
	}
}

// alike gives each step the first step it is alike to, itself when there is none before.
func (l *Layout) alike(links []link) []int {
	ends := make([][]string, len(l.Steps))
	for _, k := range links {
		if k.from == k.to { // not alike to anything: its edge leads to itself, not to a shared step
			ends[k.from] = append(ends[k.from], "self "+strconv.Itoa(k.from))
			continue
		}
		ends[k.from] = append(ends[k.from], endKey('>', k.to, k))
		ends[k.to] = append(ends[k.to], endKey('<', k.from, k))
	}
	first := make(map[string]int, len(l.Steps))
	group := make([]int, len(l.Steps))
	for i, n := range l.Steps {
		slices.Sort(ends[i])
		key := strconv.Quote(string(n.Kind)) + strings.Join(ends[i], "\x00")
		leader, ok := first[key]
		if !ok {
			leader, first[key] = i, i
		}
		group[i] = leader
	}
	return group
}

// endKey names one end of a link. Its length is in it, so no label can imitate another key.
func endKey(direction byte, other int, k link) string {
	key := make([]byte, 0, 24+len(k.kind)+len(k.label))
	key = append(key, direction)
	key = binary.AppendUvarint(key, uint64(other)) //nolint:gosec // an index is never negative
	key = binary.AppendUvarint(key, uint64(len(k.kind)))
	key = append(key, k.kind...)
	key = binary.AppendUvarint(key, uint64(len(k.label)))
	return string(append(key, k.label...))
}

// commonLabel names a fold by what its members' labels begin with.
func commonLabel(steps []Node, members []int) string {
	prefix := steps[members[0]].Label
	for _, i := range members[1:] {
		for !strings.HasPrefix(steps[i].Label, prefix) {
			prefix = prefix[:len(prefix)-1]
		}
	}
	prefix = strings.TrimRight(strings.ToValidUTF8(prefix, ""), "0123456789")
	if prefix = strings.TrimRight(prefix, "-_./: #"); prefix == "" {
		return string(steps[members[0]].Kind) + " steps"
	}
	return prefix
}
