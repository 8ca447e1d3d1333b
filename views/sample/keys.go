package sample

import (
	"time"

	"wavedeck/views"
)

// keyboard is the keys, where to change them, and what finds things.
func keyboard() []Case {
	palette := views.PaletteView{
		Layout: Layout("Find", "palette", ""), Words: "audit",
		Groups: []views.PaletteGroup{
			{Title: "Pages", Items: []views.PaletteItem{{Label: "Runs", Href: "/runs"}}},
			{Title: "Pipelines", Items: []views.PaletteItem{{Label: "nightly-audit", Detail: "Audits each area", Href: "/pipelines/nightly-audit"}}},
		},
		Runs: []views.RunRow{row("nightly-audit-20261123-003816-b6f6", "nightly-audit", "all areas", "running", time.Minute)},
	}
	return []Case{
		{"keys", "the documentation of the keyboard", true, views.KeysPage(Layout("Keys", "keys", ""))},
		{"keys-help", "what ? opens", false, views.KeysHelp(Layout("Keys", "", ""))},
		{"palette", "what Mod+K opens", false, views.Palette(palette)},
		{"palette-page", "the same without scripts", true, views.PalettePage(palette)},
		{"palette-nothing", "words that nothing fits", true, views.PalettePage(views.PaletteView{Layout: palette.Layout, Words: "<b>none"})},
		{"settings", "what a reader chooses", true, views.SettingsPage(Layout("Settings", "settings", ""))},
	}
}
