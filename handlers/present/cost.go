package present

import (
	"fmt"
	"math"
)

// Cost is what tokens are estimated to have cost. Amounts add up; so does what
// is not known: a sum with an unknown part is a lower bound.
type Cost struct {
	Amount  float64
	Priced  bool // some tokens had a price
	Unknown bool // some tokens had none, or are not known
}

// Plus adds up what is known of two costs.
func (c Cost) Plus(other Cost) Cost {
	return Cost{c.Amount + other.Amount, c.Priced || other.Priced, c.Unknown || other.Unknown}
}

// Text writes an estimate and marks it as one: "≈ $1.20 est.", "≥ $1.20 est."
// where a part is not known, "?" where all is.
func (c Cost) Text(currency string) string {
	switch {
	case c.Unknown && !c.Priced:
		return "?"
	case c.Unknown:
		return "≥ " + money(c.Amount, currency, true) + " est."
	default:
		return "≈ " + money(c.Amount, currency, false) + " est."
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

// CostSummary is an estimate as JSON. Amount is null where nothing of it is
// known; with lower_bound, a part is not.
type CostSummary struct {
	Amount     *float64 `json:"amount"`
	Currency   string   `json:"currency"`
	LowerBound bool     `json:"lower_bound,omitempty"`
	Own        *float64 `json:"own_amount,omitempty"` // without the runs below
}
