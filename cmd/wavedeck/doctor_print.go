package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/dustin/go-humanize"

	"wavedeck/store/statedb"
)

// print writes the findings for people, in columns.
func (f findings) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', tabwriter.TabIndent|tabwriter.DiscardEmptyColumns)
	line := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%s\t%s\n", plain(name), plain(fmt.Sprintf(format, args...)))
	}
	line("project", "%s", f.Project)
	line("state", "%s", f.within(f.StateDir))
	f.Database.print(f.within(f.Database.Path), line)
	f.Manifest.print(f.within(f.Manifest.Path), line)
	line("pipelines", "%d", len(f.Pipelines))
	for _, p := range f.Pipelines {
		if p.Broken {
			line("  "+p.Name, "broken, %s", p.File)
		} else {
			line("  "+p.Name, "%s, %s", counted(int64(p.Steps), "step"), p.File)
		}
	}
	if f.Well {
		line("problems", "none")
	} else {
		line("problems", "%d", len(f.Problems))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, p := range f.Problems {
		fmt.Fprintf(out, "  %s\n", plain(p))
	}
	return nil
}

func (d databaseFinding) print(path string, line func(name, format string, args ...any)) {
	line("database", "%s", path)
	if d.ReadMode == "" {
		line("  state", "%s", d.Phase)
		return
	}
	line("  read", "%s", d.ReadMode)
	line("  journal", "%s", d.JournalMode)
	line("  schema", "%s", statedb.Describe(d.Schema.Noted, d.Schema.Oldest, d.Schema.Newest))
	if len(d.Schema.Missing) > 0 {
		line("  missing", "%s", strings.Join(d.Schema.Missing, ", "))
	}
	line("  size", "%s, and %s in its log", humanize.IBytes(uint64(max(0, d.Bytes))), humanize.IBytes(uint64(max(0, d.LogBytes))))
	if e := d.LastEvent; e != nil {
		line("  last event", "%d at %s, of %s", e.ID, e.At.Format(time.RFC3339), e.Run)
	} else {
		line("  last event", "none")
	}
	for _, t := range d.Rows {
		line("  "+t.Table, "%s", counted(t.Rows, "row"))
	}
}

func (m manifestFinding) print(path string, line func(name, format string, args ...any)) {
	line("manifest", "%s", path)
	if !m.Loaded {
		line("  state", "not loaded")
		return
	}
	line("  name", "%s", m.Name)
	line("  adapters", "%s", listed(m.Adapters))
	line("  personas", "%s", listed(m.Personas))
}

func listed(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

func counted(n int64, what string) string {
	if n != 1 {
		what += "s"
	}
	return humanize.Comma(n) + " " + what
}

// plain keeps a text from the project from steering the terminal or the columns.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '�'
	}, text)
}
