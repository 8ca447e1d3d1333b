package timeline

// order is the indices of lanes so that each comes after all it depends on, and
// for each lane those it depends on. Lanes in a cycle, and what depends on
// them, are left out; names that no lane has are ignored, and of two lanes of
// one name the first has it.
func order(lanes []Lane) (sorted []int, needs [][]int) {
	byID := make(map[string]int, len(lanes))
	for i, lane := range lanes {
		if _, taken := byID[lane.ID]; !taken {
			byID[lane.ID] = i
		}
	}
	needs = make([][]int, len(lanes))
	neededBy := make([][]int, len(lanes))
	missing := make([]int, len(lanes))
	for i, lane := range lanes {
		for _, id := range lane.Depends {
			if on, ok := byID[id]; ok {
				needs[i] = append(needs[i], on)
				neededBy[on] = append(neededBy[on], i)
				missing[i]++
			}
		}
		if missing[i] == 0 {
			sorted = append(sorted, i)
		}
	}
	for k := 0; k < len(sorted); k++ {
		for _, i := range neededBy[sorted[k]] {
			if missing[i]--; missing[i] == 0 {
				sorted = append(sorted, i)
			}
		}
	}
	return sorted, needs
}

// critical marks the chain of dependencies that took longest, each lane from
// the start of its first span to the end of its last. Of two as long, the one
// whose lanes come first wins. A single lane is no chain.
func critical(lanes []Lane, placed []laneSegments) []bool {
	sorted, needs := order(lanes)
	total := make([]int64, len(lanes))
	before := make([]int, len(lanes))
	last := -1
	for _, i := range sorted {
		before[i] = -1
		for _, on := range needs[i] {
			if b := before[i]; b < 0 || total[on] > total[b] || total[on] == total[b] && on < b {
				before[i] = on
			}
		}
		if before[i] >= 0 {
			total[i] = total[before[i]]
		}
		if w, ok := placed[i].extent(); ok {
			// A lane that took no time still belongs to its chain: it counts for one place.
			total[i] = min(total[i]+max(w.To-w.From, 1), limit)
		}
		if last < 0 || total[i] > total[last] || total[i] == total[last] && i < last {
			last = i
		}
	}
	marks := make([]bool, len(lanes))
	ran := 0
	for i := last; i >= 0; i = before[i] {
		if _, marks[i] = placed[i].extent(); marks[i] {
			ran++
		}
	}
	if ran < 2 {
		clear(marks)
	}
	return marks
}

// ranks gives each lane that is still to come its place among them: one more
// than the last of those it waits for. It returns how many places there are.
func ranks(lanes []Lane, toCome func(int) bool) (rank []int, places int) {
	sorted, needs := order(lanes)
	rank = make([]int, len(lanes))
	for _, i := range sorted {
		if !toCome(i) {
			continue
		}
		for _, on := range needs[i] {
			if toCome(on) {
				rank[i] = max(rank[i], rank[on]+1)
			}
		}
	}
	for i := range lanes {
		if toCome(i) {
			places = max(places, rank[i]+1)
		}
	}
	return rank, places
}
