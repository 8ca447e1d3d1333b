package web

import (
	"errors"
	"strings"

	"wavedeck/store/prices"
	"wavedeck/views"
)

// PriceBanner reports a mistake in the price file that was made after the start.
func (k *Kit) PriceBanner() []views.Banner {
	_, _, problem := k.Prices.Current()
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
	return []views.Banner{{
		ID: "prices", Level: "warn", Title: "The price file is invalid: the previous prices are used",
		Detail: []string{text},
	}}
}
