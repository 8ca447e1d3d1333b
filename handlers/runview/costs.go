package runview

import (
	"context"
	"errors"
	"fmt"

	"wavedeck/handlers/present"
	"wavedeck/store"
	"wavedeck/store/diagnose"
	"wavedeck/store/prices"
	"wavedeck/views"
)

// PriceList is the list in use; nil when no prices are given.
func (cs *costs) PriceList() *prices.List {
	list, _, _ := cs.Prices.Current()
	return list
}

// costOf is what one run cost by itself.
func costOf(list *prices.List, run diagnose.Spending) present.Cost {
	c := present.Cost{Unknown: run.Loose > 0 || run.Silent > 0 || run.Open}
	for _, step := range run.Steps {
		flat, known := list.Price(step.Model)
		if !known {
			c.Unknown = true
			continue
		}
		c.Priced = true
		c.Amount += float64(step.Tokens) / 1e6 * flat
	}
	return c
}

// RunCost is what a run cost: by itself, and with all runs below it.
type RunCost struct {
	own, Total present.Cost
	children   int // runs below
}

// Costs estimates runs; without prices there is none.
func (cs *costs) Costs(ctx context.Context, ids []string) (map[string]RunCost, error) {
	list := cs.PriceList()
	if list == nil || len(ids) == 0 {
		return nil, nil
	}
	trees, err := cs.Store.Spending(ctx, ids)
	if errors.Is(err, store.ErrUnavailable) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("estimate costs: %w", err)
	}
	found := make(map[string]RunCost, len(trees))
	for id, tree := range trees {
		c := RunCost{own: costOf(list, tree.Runs[0]), children: len(tree.Runs) - 1}
		c.Total = c.own
		for _, run := range tree.Runs[1:] {
			c.Total = c.Total.Plus(costOf(list, run))
		}
		c.Total.Unknown = c.Total.Unknown || tree.Cut
		found[id] = c
	}
	return found, nil
}

// CostView is a run's cost as its pages show it; nil without prices.
func (cs *costs) CostView(ctx context.Context, id string) (*views.Cost, error) {
	found, err := cs.Costs(ctx, []string{id})
	c, ok := found[id]
	if err != nil || !ok {
		return nil, err
	}
	currency := cs.PriceList().Currency
	v := &views.Cost{Text: c.Total.Text(currency)}
	if c.children > 0 {
		v.Own = c.own.Text(currency)
	}
	return v, nil
}

// addCosts fills in the costs of the rows of a list, and of those beneath them.
func (cs *costs) addCosts(ctx context.Context, rows []views.RunRow) error {
	if cs.PriceList() == nil {
		return nil
	}
	var ids []string
	for _, row := range rows {
		ids = append(ids, row.ID)
		for _, kid := range row.ChildRows {
			ids = append(ids, kid.ID)
		}
	}
	found, err := cs.Costs(ctx, ids)
	if err != nil {
		return err
	}
	currency := cs.PriceList().Currency
	text := func(id string) string {
		if c, ok := found[id]; ok {
			return c.Total.Text(currency)
		}
		return ""
	}
	for i := range rows {
		rows[i].Cost = text(rows[i].ID)
		for k := range rows[i].ChildRows {
			rows[i].ChildRows[k].Cost = text(rows[i].ChildRows[k].ID)
		}
	}
	return nil
}

func (c RunCost) summary(currency string) *present.CostSummary {
	sum := &present.CostSummary{Currency: currency, LowerBound: c.Total.Unknown && c.Total.Priced}
	if c.Total.Priced || !c.Total.Unknown {
		sum.Amount = &c.Total.Amount
	}
	if c.children > 0 && (c.own.Priced || !c.own.Unknown) {
		sum.Own = &c.own.Amount
	}
	return sum
}

// AddCostSummaries adds estimates to runs in JSON.
func (cs *costs) AddCostSummaries(ctx context.Context, runs ...*present.RunSummary) error {
	list := cs.PriceList()
	if list == nil {
		return nil
	}
	ids := make([]string, len(runs))
	for i, run := range runs {
		ids[i] = run.RunID
	}
	found, err := cs.Costs(ctx, ids)
	if err != nil {
		return err
	}
	for _, run := range runs {
		if c, ok := found[run.RunID]; ok {
			run.Cost = c.summary(list.Currency)
		}
	}
	return nil
}
