package sample

import (
	"time"

	"wavedeck/views"
)

func health() []Case {
	v := views.HealthView{
		Layout: Layout("Health", "health", "list=1"), Refresh: "/health", State: "broken",
		Rows: []views.HealthRow{
			{Key: "database", Name: "State database", State: "ok", Facts: []views.HealthFact{{Text: "/src/shop/.agents/state.db"}, {Name: "size", Text: "463 kB"}}},
			{Key: "changes", Name: "Changes", State: "warning", Facts: []views.HealthFact{{Name: "last change", At: ago(12 * time.Second)}, {Name: "detected by", Text: "polling"}}, Do: "Raise fs.inotify.max_user_instances."},
			{Key: "engine", Name: "Engine", State: "broken", Facts: []views.HealthFact{{Text: "wave"}, {Name: "version", Text: "unknown"}}, Do: "Its program is not on PATH."},
			{Key: "disk", Name: "Disk", State: "unknown", Facts: []views.HealthFact{{Name: "free for the console data", Text: "unknown"}}, Do: "The free space is unknown."},
		},
	}
	well := v
	well.State, well.Rows = "ok", v.Rows[:1]
	hostile := v
	hostile.Rows = nil
	for i, row := range Hostile() {
		hostile.Rows = append(hostile.Rows, views.HealthRow{Key: string(rune('a' + i)), Name: row.Title, State: row.State, Facts: []views.HealthFact{{Name: row.Title, Text: row.Title}}, Do: row.Title})
	}
	return []Case{
		{"health", "something does not work", true, views.HealthPage(v)},
		{"health-well", "all is well", false, views.HealthTable(well)},
		{"health-hostile", "texts that try to be something else", true, views.HealthPage(hostile)},
	}
}
