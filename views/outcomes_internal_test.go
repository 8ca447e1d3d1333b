package views

import "testing"

func TestCategoriesAreCountedWhereThereAreSeveral(t *testing.T) {
	routing, retry := DecisionRow{Category: "model routing"}, DecisionRow{Category: "retry"}
	for want, rows := range map[string][]DecisionRow{
		"":                         nil,
		"model routing":            {routing, routing},
		"2 model routing, 1 retry": {routing, retry, routing},
	} {
		if got := categories(rows); got != want {
			t.Errorf("%v are said to be %q, not %q", rows, got, want)
		}
	}
}
