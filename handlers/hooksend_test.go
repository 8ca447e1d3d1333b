package handlers

import (
	"testing"

	"wavedeck/store"
)

func TestAWebhookHasTheHeadlineOfAFailure(t *testing.T) {
	told := hookRunOf(store.Run{ID: "a", State: store.Failed, Error: "exit status 1", Headline: "panic: boom", Cause: &store.Cause{Run: "b"}})
	if told.Reason != "panic: boom" || told.CausedBy != "b" {
		t.Errorf("reason %q, caused by %q", told.Reason, told.CausedBy)
	}
	told = hookRunOf(store.Run{ID: "a", State: store.Succeeded, Reason: "cancellation was requested"})
	if told.Reason != "cancellation was requested" || told.CausedBy != "" {
		t.Errorf("reason %q, caused by %q", told.Reason, told.CausedBy)
	}
}
