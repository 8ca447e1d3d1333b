package sample

import (
	"time"

	"wavedeck/views"
)

func audits() []Case {
	full := views.AuditView{
		Layout: Layout("Audit", "audit", "list=1"), Refresh: "/audit", Actions: []string{"cancel", "retry", "sign-in", "start"},
		Action: "cancel", Narrow: true, OlderURL: "/audit?older=1-x", Newest: "/audit", Damaged: 1,
		Rows: []views.AuditRow{
			{
				At: ago(3 * time.Minute), Who: "token:7f3a91", Says: "Anna <b>", From: "10.0.4.17", Action: "cancel", State: "succeeded", Word: "done", Status: 303,
				Run: "fix-issue-20261123-115002-aa01", Pipeline: "fix-issue", Note: "asked to stop", Params: []views.Pair{{Name: "force", Value: "true"}}, Request: "K2V7QJ5D3M",
			},
			{
				At: ago(9 * time.Minute), Who: "local", From: "127.0.0.1", Action: "cancel", State: "rejected", Word: "refused", Status: 409,
				Run: "fix-issue-20261123-115002-aa01", Error: "it has ended", Request: "A2V7QJ5D3M",
			},
			{
				At: ago(26 * time.Hour), Who: "local", From: "::1", Action: "cancel", State: "failed", Word: "failed", Status: 503,
				Runs: []string{"a-1", "a-2"}, Note: "2 runs", Error: "the state database is busy", Request: "B2V7QJ5D3M",
			},
		},
	}
	searching := views.AuditView{Layout: full.Layout, Refresh: "/audit", Narrow: true, Who: "nobody", OlderURL: "/audit?older=1-y", Searched: ago(400 * 24 * time.Hour)}
	empty := views.AuditView{Layout: full.Layout, Refresh: "/audit", Where: "/home/me/.local/state/wavedeck/acme-1a2b3c4d/audit.jsonl"}
	return []Case{
		{"audit", "what people did, with each result", true, views.AuditPage(full)},
		{"audit-searching", "a filter that gave up for now", false, views.AuditTable(searching)},
		{"audit-empty", "nothing was done yet", false, views.AuditTable(empty)},
	}
}
