package appdb

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// webhookDB has one view with a webhook.
func webhookDB(t *testing.T, dir string) *DB {
	t.Helper()
	d := openTest(t, dir)
	v, err := d.AddSavedView(t.Context(), "on call", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := d.SetWebhook(t.Context(), Webhook{View: v.ID, URL: "https://a.example/", Secret: []byte("secret"), Ends: []string{"failed"}}, nil, noon); err != nil {
		t.Fatal(err)
	}
	return d
}

func messages(n int) (list []Delivery) {
	for i := range n {
		list = append(list, Delivery{ID: fmt.Sprintf("msg_%04d", i), View: 1, Type: "run.ended", Run: fmt.Sprint("run-", i), Body: []byte("{}"), Created: noon, Until: noon.Add(time.Hour)})
	}
	return list
}

func TestHookIsKept(t *testing.T) {
	d := webhookDB(t, t.TempDir())
	ctx := t.Context()
	if err := d.SetWebhook(ctx, Webhook{View: 1, URL: "https://b.example/", Ends: []string{"lost", "failed"}, Base: "https://deck"}, nil, noon.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	h, err := d.Webhook(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	h.Created = h.Created.UTC()
	want := Webhook{View: 1, URL: "https://b.example/", Secret: []byte("secret"), Ends: []string{"lost", "failed"}, Base: "https://deck", Created: noon}
	if diff := cmp.Diff(want, h); diff != "" {
		t.Errorf("a change keeps the secret and when it was set (-want +got)\n%s", diff)
	}
	if err := d.SetWebhook(ctx, Webhook{View: 7, Secret: []byte("x")}, nil, noon); !errors.Is(err, ErrNotFound) {
		t.Errorf("of a view that there is not: %v", err)
	}
	if err := d.Enqueue(ctx, 1, 0, 0, messages(1)); err != nil {
		t.Fatal(err)
	}
	if err := d.RemoveSavedView(ctx, 1); err != nil {
		t.Fatal(err)
	}
	if list, err := d.Deliveries(ctx, 1, 10); err != nil || len(list) > 0 {
		t.Errorf("it goes with its view: %v, %v", list, err)
	}
}

func TestOccasionsAreNotedOnce(t *testing.T) {
	d := webhookDB(t, t.TempDir())
	ctx := t.Context()
	end := Event{Run: "a", What: "failed", At: noon}
	waits := Event{Run: "a", What: AttentionPrefix + "waiting", At: noon}
	later := waits
	later.At = noon.Add(2 * time.Hour)
	for i, o := range [][]Event{{end, waits}, {end, waits}, {later}, {later, end}} {
		if err := d.Note(ctx, o, noon.Add(time.Duration(i)*time.Hour+time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	list, err := d.Events(ctx, 0, 10)
	for _, o := range list {
		got = append(got, fmt.Sprintf("%d %s %s", o.N, o.What, o.At.Sub(noon)))
	}
	if diff := cmp.Diff([]string{"1 failed 0s", "2 attention: waiting 0s", "3 attention: waiting 2h0m0s"}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	if looked, err := d.Looked(ctx); err != nil || !looked.Equal(noon.Add(3*time.Hour+time.Minute)) {
		t.Errorf("looked at %s, %v", looked, err)
	}
	v, err := d.AddSavedView(ctx, "second", "")
	if err != nil {
		t.Fatal(err)
	}
	past := []Event{{Run: "b", What: "lost", At: noon}}
	if err := d.SetWebhook(ctx, Webhook{View: v.ID, Secret: []byte("x")}, past, noon); err != nil {
		t.Fatal(err)
	}
	if h, err := d.Webhook(ctx, v.ID); err != nil || h.Place != 4 {
		t.Errorf("a new hook begins at %d, %v", h.Place, err)
	}
	if err := d.Note(ctx, nil, noon.Add(100*24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if list, err := d.Events(ctx, 0, 10); err != nil || len(list) > 0 {
		t.Errorf("old ones are kept: %v, %v", list, err)
	}
}

func TestEnqueueMovesTheHook(t *testing.T) {
	d := webhookDB(t, t.TempDir())
	ctx := t.Context()
	if err := d.Enqueue(ctx, 1, 0, 5, messages(1)); err != nil {
		t.Fatal(err)
	}
	if err := d.Enqueue(ctx, 1, 0, 5, messages(1)); !errors.Is(err, ErrMoved) {
		t.Errorf("the second server: %v", err)
	}
	many := messages(maxWaiting + keepDeliveries + 50)[1:]
	if err := d.Enqueue(ctx, 1, 5, 6, many); err != nil {
		t.Fatal(err)
	}
	c, err := d.CountDeliveries(ctx, noon)
	if err != nil || c.Hooks != 1 || c.Waiting != maxWaiting || c.GivenUp != keepDeliveries {
		t.Errorf("%+v, %v", c, err)
	}
}

// TestClaims has servers take messages at the same time: each is sent by one,
// and of one webhook no two at once.
func TestClaims(t *testing.T) {
	const n = 12
	dir := t.TempDir()
	first := webhookDB(t, dir)
	ctx := t.Context()
	if err := first.Enqueue(ctx, 1, 0, 1, messages(n)); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	sent, flying := map[string]int{}, 0
	var servers sync.WaitGroup
	for i := range 3 {
		d := openTest(t, dir)
		servers.Go(func() {
			for {
				mu.Lock()
				done := len(sent) == n
				mu.Unlock()
				if done {
					return
				}
				m, h, err := d.ClaimDelivery(ctx, fmt.Sprint("server-", i), noon, time.Minute)
				if errors.Is(err, ErrNotFound) {
					continue
				}
				if err != nil || string(h.Secret) != "secret" {
					t.Errorf("%v, %v", h, err)
					return
				}
				mu.Lock()
				sent[m.ID]++
				if flying++; flying > 1 {
					t.Error("two at once")
				}
				mu.Unlock()
				m.State = DeliveryDone
				mu.Lock()
				flying--
				mu.Unlock()
				if err := d.SettleDelivery(ctx, m); err != nil {
					t.Error(err)
				}
			}
		})
	}
	servers.Wait()
	for id, times := range sent {
		if times != 1 {
			t.Errorf("%s was sent %d times", id, times)
		}
	}
}

func TestALeaseRunsOut(t *testing.T) {
	d := webhookDB(t, t.TempDir())
	ctx := t.Context()
	if err := d.Enqueue(ctx, 1, 0, 1, messages(1)); err != nil {
		t.Fatal(err)
	}
	dead, _, err := d.ClaimDelivery(ctx, "dead", noon, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.ClaimDelivery(ctx, "other", noon.Add(30*time.Second), time.Minute); !errors.Is(err, ErrNotFound) {
		t.Errorf("within the lease: %v", err)
	}
	if next, err := d.NextDelivery(ctx); err != nil || !next.Equal(noon.Add(time.Minute)) {
		t.Errorf("next %s, %v", next, err)
	}
	m, _, err := d.ClaimDelivery(ctx, "other", noon.Add(2*time.Minute), time.Minute)
	if err != nil || m.ID != dead.ID || m.Attempt != 2 {
		t.Fatalf("after it: %+v, %v", m, err)
	}
	dead.State = DeliveryGivenUp
	m.State, m.Status = DeliveryDone, 200
	if err := errors.Join(d.SettleDelivery(ctx, m), d.SettleDelivery(ctx, dead)); err != nil {
		t.Fatal(err)
	}
	list, err := d.Deliveries(ctx, 1, 10)
	if err != nil || list[0].State != DeliveryDone || list[0].Status != 200 {
		t.Errorf("who came back late has the last word: %+v, %v", list, err)
	}
	if err := d.SendAgain(ctx, 1, m.ID, noon.Add(time.Hour), noon.Add(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if again, _, err := d.ClaimDelivery(ctx, "other", noon.Add(time.Hour), time.Minute); err != nil || again.Attempt != 3 {
		t.Errorf("%+v, %v", again, err)
	}
	if err := d.SendAgain(ctx, 1, "msg_none", noon, noon); !errors.Is(err, ErrNotFound) {
		t.Errorf("what there is not: %v", err)
	}
}
