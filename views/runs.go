package views

import (
	"maps"
	"net/url"
	"slices"
	"strconv"

	"wavedeck/views/address"
	"wavedeck/views/legible"
)

type pair struct{ Name, Value string }

// pairs lists what a form carries along, in an order that does not change.
func pairs(q url.Values) []pair {
	var list []pair
	for _, name := range slices.Sorted(maps.Keys(q)) {
		for _, value := range q[name] {
			list = append(list, pair{name, address.EncodeField(name, value)})
		}
	}
	return list
}

func offered(options []Option, value string) bool {
	return slices.ContainsFunc(options, func(o Option) bool { return o.Value == value })
}

func optionText(o Option) string {
	if o.Count < 0 {
		return legible.Name(o.Label)
	}
	return legible.Name(o.Label) + " (" + Number(int64(o.Count)) + ")"
}

// chipLink drops a chosen state and chooses another one.
func chipLink(o Option) string {
	if o.On && o.Remove != "" {
		return o.Remove
	}
	return o.Href
}

func chipState(o Option) string {
	if o.State == "" {
		return ""
	}
	return knownState(o.State)
}

func heldText(n int, more bool) string {
	count := Number(int64(n))
	if more {
		count += "+"
	}
	if n == 1 && !more {
		return count + " new run"
	}
	return count + " new runs"
}

func hiddenHead(hidden bool) string {
	if hidden {
		return "spoken"
	}
	return ""
}

func runName(row RunRow) string {
	if row.Pipeline == "" {
		return row.ID
	}
	return row.Pipeline
}

func kidsSummary(row RunRow) string {
	if w := childrenWord(row.Children); w != "" {
		return w
	}
	return Plural(len(row.ChildRows)+row.MoreChildren, "child", "children")
}

func kidsTone(c Children) string {
	if c.Failed > 0 {
		return "failed"
	}
	return "dim"
}

// attemptOf says which try it was: "attempt 3 of 3".
func attemptOf(n, of int) string {
	switch {
	case n <= 0:
		return ""
	case of < n: // not known, or of another visit of the step
		return "attempt " + strconv.Itoa(n)
	default:
		return "attempt " + strconv.Itoa(n) + " of " + strconv.Itoa(of)
	}
}
