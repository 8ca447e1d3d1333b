package views

import (
	"strings"
	"time"
)

// AuditView is the log of what people did.
type AuditView struct {
	Layout

	Refresh  string
	Who      string // the filter's fields
	Action   string
	Run      string
	Actions  []string // that there are
	Narrow   bool     // the filter restricts anything
	Rows     []AuditRow
	OlderURL string
	Newest   string    // link to the first page, when this is another
	Searched time.Time // how far a filter has looked, when it gave up before the page was full
	Damaged  int       // lines that cannot be read
	Where    string    // the file
}

// AuditRow is one action that somebody asked for.
type AuditRow struct {
	At       time.Time
	Who      string // "local", or the start of a token's hash
	Says     string // the name they gave, which nobody checked
	From     string
	Action   string
	State    string // how its result looks: succeeded, rejected, failed
	Word     string // and what it is called
	Status   int
	Run      string
	Runs     []string // of an action on many
	Pipeline string
	Note     string
	Error    string
	Params   []Pair
	Request  string
}

// Pair is a name with its value.
type Pair struct{ Name, Value string }

// paramText is what an action was given, on a line.
func paramText(params []Pair) string {
	texts := make([]string, len(params))
	for i, p := range params {
		texts[i] = p.Name + "=" + p.Value
	}
	return strings.Join(texts, "  ")
}

func auditFoot(row AuditRow) string {
	return join(" · ", "from "+row.From, "HTTP "+itoa(row.Status), "request "+row.Request)
}

func wasWere(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}
