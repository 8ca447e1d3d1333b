package handlers

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"wavedeck/store"
	"wavedeck/store/prices"
	"wavedeck/views"
)

// cost is what tokens are estimated to have cost. Amounts add up; so does what
// is not known: a sum with an unknown part is a lower bound.
type cost struct {
	amount  float64
	priced  bool // some tokens had a price
	unknown bool // some tokens had none, or are not known
}

func (c cost) plus(other cost) cost {
	return cost{c.amount + other.amount, c.priced || other.priced, c.unknown || other.unknown}
}

// text writes an estimate and marks it as one: "≈ $1.20 est.", "≥ $1.20 est."
// where a part is not known, "?" where all is.
func (c cost) text(currency string) string {
	switch {
	case c.unknown && !c.priced:
		return "?"
	case c.unknown:
		return "≥ " + money(c.amount, currency, true) + " est."
	default:
		return "≈ " + money(c.amount, currency, false) + " est."
	}
}

// money writes an amount with two decimals, or from a cent down with two digits
// that count. A lower bound is never rounded up.
func money(amount float64, currency string, down bool) string {
	sign := map[string]string{"USD": "$", "EUR": "€", "GBP": "£"}[currency]
	if sign == "" {
		sign = currency + "\u00a0"
	}
	decimals := 2
	for scaled := amount; amount > 0 && scaled < 0.1 && decimals < 6; decimals++ {
		scaled *= 10
	}
	unit := math.Pow(10, float64(decimals))
	rounded := math.Round(amount * unit)
	if down {
		rounded = math.Floor(amount*unit + 1e-9)
	}
	return sign + fmt.Sprintf("%.*f", decimals, rounded/unit)
}

// priceList is the list in use; nil when no prices are given.
func (s *Server) priceList() *prices.List {
	list, _, _ := s.prices.Current()
	return list
}

// costOf is what one run cost by itself.
func costOf(list *prices.List, run store.Spending) cost {
	c := cost{unknown: run.Loose > 0 || run.Silent > 0 || run.Open}
	for _, step := range run.Steps {
		flat, known := list.Price(step.Model)
		if !known {
			c.unknown = true
			continue
		}
		c.priced = true
		c.amount += float64(step.Tokens) / 1e6 * flat
	}
	return c
}

// runCost is what a run cost: by itself, and with all runs below it.
type runCost struct {
	own, total cost
	children   int // runs below
}

// costs estimates runs; without prices there is none.
func (s *Server) costs(ctx context.Context, ids []string) (map[string]runCost, error) {
	list := s.priceList()
	if list == nil || len(ids) == 0 {
		return nil, nil
	}
	trees, err := s.store.Spending(ctx, ids)
	if errors.Is(err, store.ErrUnavailable) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("estimate costs: %w", err)
	}
	found := make(map[string]runCost, len(trees))
	for id, tree := range trees {
		c := runCost{own: costOf(list, tree.Runs[0]), children: len(tree.Runs) - 1}
		c.total = c.own
		for _, run := range tree.Runs[1:] {
			c.total = c.total.plus(costOf(list, run))
		}
		c.total.unknown = c.total.unknown || tree.Cut
		found[id] = c
	}
	return found, nil
}

// costView is a run's cost as its pages show it; nil without prices.
func (s *Server) costView(ctx context.Context, id string) (*views.Cost, error) {
	found, err := s.costs(ctx, []string{id})
	c, ok := found[id]
	if err != nil || !ok {
		return nil, err
	}
	currency := s.priceList().Currency
	v := &views.Cost{Text: c.total.text(currency)}
	if c.children > 0 {
		v.Own = c.own.text(currency)
	}
	return v, nil
}

// addCosts fills in the costs of the rows of a list, and of those beneath them.
func (s *Server) addCosts(ctx context.Context, rows []views.RunRow) error {
	if s.priceList() == nil {
		return nil
	}
	var ids []string
	for _, row := range rows {
		ids = append(ids, row.ID)
		for _, kid := range row.Kids {
			ids = append(ids, kid.ID)
		}
	}
	found, err := s.costs(ctx, ids)
	if err != nil {
		return err
	}
	currency := s.priceList().Currency
	text := func(id string) string {
		if c, ok := found[id]; ok {
			return c.total.text(currency)
		}
		return ""
	}
	for i := range rows {
		rows[i].Cost = text(rows[i].ID)
		for k := range rows[i].Kids {
			rows[i].Kids[k].Cost = text(rows[i].Kids[k].ID)
		}
	}
	return nil
}

// costSummary is an estimate as JSON. Amount is null where nothing of it is
// known; with lower_bound, a part is not.
type costSummary struct {
	Amount     *float64 `json:"amount"`
	Currency   string   `json:"currency"`
	LowerBound bool     `json:"lower_bound,omitempty"`
	Own        *float64 `json:"own_amount,omitempty"` // without the runs below
}

func (c runCost) summary(currency string) *costSummary {
	sum := &costSummary{Currency: currency, LowerBound: c.total.unknown && c.total.priced}
	if c.total.priced || !c.total.unknown {
		sum.Amount = &c.total.amount
	}
	if c.children > 0 && (c.own.priced || !c.own.unknown) {
		sum.Own = &c.own.amount
	}
	return sum
}

// addCostSummaries adds estimates to runs in JSON.
func (s *Server) addCostSummaries(ctx context.Context, runs ...*runSummary) error {
	list := s.priceList()
	if list == nil {
		return nil
	}
	ids := make([]string, len(runs))
	for i, run := range runs {
		ids[i] = run.RunID
	}
	found, err := s.costs(ctx, ids)
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

// priceNotice tells a mistake in the price file that came after the start.
func (s *Server) priceNotice() []views.Notice {
	_, _, problem := s.prices.Current()
	if problem == nil {
		return nil
	}
	text := problem.Error()
	if wrong, ok := errors.AsType[*prices.Error](problem); !ok {
		text = "the file cannot be read"
	} else if strings.TrimSpace(wrong.Path) != "" {
		text = strings.TrimPrefix(text, wrong.Path)
		text = strings.TrimLeft(text, ": ")
		if wrong.Line > 0 {
			text = "line " + text
		}
	}
	return []views.Notice{{
		ID: "prices", Level: "warn", Title: "The price file has a mistake: the prices before it are used",
		Detail: []string{text},
	}}
}
