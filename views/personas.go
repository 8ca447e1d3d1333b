package views

import "strconv"

func number(f float64) string { return strconv.FormatFloat(f, 'g', 4, 64) }
