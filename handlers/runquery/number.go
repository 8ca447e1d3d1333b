package runquery

import (
	"strconv"
	"strings"
)

// maxSeconds is a hundred years; what lies beyond is a mistake.
const maxSeconds = 100 * 365 * 24 * 3600

// seconds reads 90s, 10m, 1h30m, 2d or 1.5h.
func seconds(text string) (int64, bool) {
	units := map[byte]float64{'s': 1, 'm': 60, 'h': 3600, 'd': 24 * 3600, 'w': 7 * 24 * 3600}
	total := 0.0
	for text != "" {
		n := strings.IndexFunc(text, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
		if n < 1 {
			return 0, false
		}
		amount, err := strconv.ParseFloat(text[:n], 64)
		unit, ok := units[text[n]]
		if err != nil || !ok {
			return 0, false
		}
		if total += amount * unit; total > maxSeconds {
			return 0, false
		}
		text = text[n+1:]
		if total == 0 && text == "" {
			return 0, true
		}
	}
	return int64(total), total > 0
}

// count reads 500, 50k, 1.5M or 50_000.
func count(text string) (int64, bool) {
	const most = 1e15
	text = strings.ReplaceAll(text, "_", "")
	factor := 1.0
	if n := len(text); n > 1 {
		switch text[n-1] {
		case 'k', 'K':
			factor = 1e3
		case 'm', 'M':
			factor = 1e6
		case 'g', 'G', 'b', 'B':
			factor = 1e9
		}
		if factor > 1 {
			text = text[:n-1]
		}
	}
	if text == "" || strings.Trim(text, "0123456789.") != "" {
		return 0, false
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n*factor > most {
		return 0, false
	}
	return int64(n * factor), true
}
