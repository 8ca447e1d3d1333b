package webhooks

import (
	"testing"

	"wavedeck/store/wave"
)

func TestAWebhookHasTheHeadlineOfAFailure(t *testing.T) {
	told := hookRunOf(wave.Run{ID: "a", State: wave.Failed, Error: "exit status 1", Headline: "panic: boom", Cause: &wave.Cause{Run: "b"}})
	if told.Reason != "panic: boom" || told.CausedBy != "b" {
		t.Errorf("reason %q, caused by %q", told.Reason, told.CausedBy)
	}
	told = hookRunOf(wave.Run{ID: "a", State: wave.Succeeded, Reason: "cancellation was requested"})
	if told.Reason != "cancellation was requested" || told.CausedBy != "" {
		t.Errorf("reason %q, caused by %q", told.Reason, told.CausedBy)
	}
}
