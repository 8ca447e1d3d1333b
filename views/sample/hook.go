package sample

import (
	"time"

	"wavedeck/views"
)

func hooks() []Case {
	v := views.WebhookView{
		Layout: Layout("Webhook of on call", "runs", ""), View: "on call", List: "/views/1", Set: true, Site: "https://hooks.example",
		URL: "https://hooks.example/wave", Action: "/views/1/hook", Remove: "/views/1/hook/remove", Test: "/views/1/hook/test", Again: "/views/1/hook/again",
		Refresh: "/views/1/hook", Ends: []views.WebhookEnd{
			{Value: "failed", State: "failed", Word: "failed", On: true}, {Value: "succeeded", State: "succeeded", Word: "succeeded"},
			{Value: "attention", State: "waiting", Word: "needs attention", On: true},
		},
		Deliveries: []views.WebhookDelivery{
			{ID: "msg_4", Type: "test", State: "waiting", Created: ago(time.Second), Next: ago(0)},
			{ID: "msg_3", Type: "run.ended", Run: "fix-issue-1", State: "waiting", Attempts: 3, Status: 503, Error: "it answered 503 Service Unavailable", Answer: "try later", Created: ago(2 * time.Minute), Sent: ago(30 * time.Second), Next: ago(-time.Minute)},
			{ID: "msg_2", Type: "run.ended", Run: "fix-issue-2", State: "given up", Attempts: 11, Error: "nothing listens there", Created: ago(25 * time.Hour), Sent: ago(3 * time.Hour)},
			{ID: "msg_1", Type: "run.attention", Run: "ship-gate-1", State: "delivered", Attempts: 1, Status: 200, Answer: "ok", Created: ago(26 * time.Hour), Sent: ago(26 * time.Hour)},
		},
	}
	fresh := v
	fresh.Set, fresh.Deliveries, fresh.URL = false, nil, "https://10.0.0.1/"
	fresh.Problem, fresh.Next = "the address is not valid for a webhook", "It should be an address of the public internet."
	secret := v
	secret.Secret, secret.Deliveries = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", nil
	reads := v
	reads.CanAct = false
	hostile := v
	text := Hostile()[0].Title
	hostile.View, hostile.Deliveries = text, []views.WebhookDelivery{{ID: text, Type: "run.ended", Run: text, State: "waiting", Attempts: 1, Error: text, Answer: text, Created: ago(time.Minute)}}
	return []Case{
		{"hook", "where a view sends word to, and what became of it", true, views.WebhookPage(v)},
		{"hook-new", "none yet, and what was filled in is wrong", true, views.WebhookPage(fresh)},
		{"hook-secret", "a secret that was made now", true, views.WebhookPage(secret)},
		{"hook-reads", "on a console that only reads", true, views.WebhookPage(reads)},
		{"hook-hostile", "texts that try to be something else", true, views.WebhookPage(hostile)},
	}
}
