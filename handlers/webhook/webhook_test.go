package webhook

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func guard(t testing.TB, allow ...string) *Guard {
	t.Helper()
	g, err := NewGuard(allow...)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestAddressesThatMayBeReached(t *testing.T) {
	for _, c := range []struct {
		name, address string
		allow         []string
		want          bool
	}{
		{"a public address", "93.184.216.34:443", nil, true},
		{"a public address of IPv6", "[2606:2800:220:1:248:1893:25c8:1946]:443", nil, true},
		{"loopback", "127.0.0.1:80", nil, false},
		{"another of loopback", "127.8.9.1:80", nil, false},
		{"loopback of IPv6", "[::1]:80", nil, false},
		{"this host", "0.0.0.0:80", nil, false},
		{"no address of IPv6", "[::]:80", nil, false},
		{"private", "10.0.0.7:443", nil, false},
		{"private, in the middle", "172.20.1.1:443", nil, false},
		{"private at home", "192.168.1.1:443", nil, false},
		{"of a carrier", "100.64.0.1:443", nil, false},
		{"the metadata of a cloud", "169.254.169.254:80", nil, false},
		{"link-local of IPv6", "[fe80::1]:80", nil, false},
		{"unique local", "[fd00:ec2::254]:80", nil, false},
		{"loopback mapped into IPv6", "[::ffff:127.0.0.1]:80", nil, false},
		{"loopback behind NAT64", "[64:ff9b::7f00:1]:80", nil, false},
		{"loopback behind 6to4", "[2002:7f00:1::]:80", nil, false},
		{"multicast", "224.0.0.1:80", nil, false},
		{"broadcast", "255.255.255.255:80", nil, false},
		{"for documentation", "192.0.2.1:80", nil, false},
		{"private, in a network that is allowed", "10.1.2.3:8080", []string{"10.1.0.0/16"}, true},
		{"private, beside a network that is allowed", "10.2.2.3:8080", []string{"10.1.0.0/16"}, false},
		{"loopback, that address allowed", "127.0.0.1:9000", []string{"127.0.0.1"}, true},
		{"loopback, the name of the receiver allowed", "127.0.0.1:9000", []string{"hooks.internal"}, true},
		{"loopback, another name allowed", "127.0.0.1:9000", []string{"other.internal"}, false},
		{"unique local, allowed", "[fd00::7]:80", []string{"fd00::/8"}, true},
		{"nonsense", "nowhere", nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			network := "tcp4"
			if strings.HasPrefix(c.address, "[") {
				network = "tcp6"
			}
			if err := guard(t, c.allow...).check("Hooks.internal.", network, c.address); (err == nil) != c.want {
				t.Errorf("%v", err)
			}
		})
	}
	if _, err := NewGuard("10.0.0.0/8", "not a name"); err == nil || !strings.Contains(err.Error(), `"not a name"`) {
		t.Errorf("%v", err)
	}
}

func TestParseURL(t *testing.T) {
	for text, want := range map[string]string{
		"https://hooks.example/x?y=1":              "",
		"http://93.184.216.34:8080/":               "",
		"ftp://hooks.example/":                     "https://",
		"javascript:alert(1)":                      "an address such as",
		"hooks.example":                            "an address such as",
		"https://":                                 "an address such as",
		"https://:443/":                            "an address such as",
		"https://user:pw@hooks.example/":           "without a name and password",
		"https://hooks.example/#x":                 "without #",
		"https://127.0.0.1/":                       "--webhook-allow",
		"https://[::ffff:10.0.0.1]/":               "--webhook-allow",
		"https://169.254.169.254/latest/":          "--webhook-allow",
		"https://a/" + strings.Repeat("x", maxURL): "at most",
		"https://hooks.example/%zz":                "an address such as",
		"https://hooks.example/\x00":               "an address such as",
	} {
		_, err := guard(t).ParseURL(text)
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", text, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%.60q: %v, want %q", text, err, want)
		case err != nil && strings.Contains(err.Error(), "pw"):
			t.Errorf("it repeats the password: %v", err)
		}
	}
}

// FuzzGuard holds that what is let through without a flag is a public address.
func FuzzGuard(f *testing.F) {
	for _, seed := range []string{"127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2606:4700::1", "fe80::1%eth0", "0:0:0:0:0:0:0:1", "8.8.8.8"} {
		f.Add(seed)
	}
	g, _ := NewGuard()
	f.Fuzz(func(t *testing.T, text string) {
		if g.check("x", "tcp4", net.JoinHostPort(text, "80")) != nil && g.check("x", "tcp6", net.JoinHostPort(text, "80")) != nil {
			return
		}
		addr, err := netip.ParseAddr(text)
		if err != nil {
			t.Fatalf("%q is no address and is let through", text)
		}
		if addr = addr.Unmap(); !addr.IsGlobalUnicast() || addr.IsPrivate() || addr.IsLoopback() || addr.IsLinkLocalUnicast() {
			t.Fatalf("%s is let through", addr)
		}
	})
}

func FuzzParseURL(f *testing.F) {
	f.Add("https://hooks.example/x")
	f.Add("http://user@[::1]:80/#")
	g, _ := NewGuard()
	f.Fuzz(func(t *testing.T, text string) {
		u, err := g.ParseURL(text)
		if err != nil {
			return
		}
		if u.User != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
			t.Errorf("%q became %v", text, u)
		}
	})
}

func TestSecret(t *testing.T) {
	s := NewSecret()
	back, err := ParseSecret(s.Text())
	if err != nil || back.Text() != s.Text() || len(s) != 32 {
		t.Errorf("%v, %v", back, err)
	}
	if text := fmt.Sprintf("%v %s %+v %#v", s, s, s, s); strings.Contains(text, s.Text()[6:]) {
		t.Errorf("it is printed: %s", text)
	}
	for _, wrong := range []string{"", "whsec_", "password", "whsec_c2hvcnQ=", "whsec_" + strings.Repeat("AAAA", 22), "whsec_!!"} {
		if _, err := ParseSecret(wrong); err == nil {
			t.Errorf("%q is taken", wrong)
		}
	}
}

// receive starts a receiver at loopback and a sender that may reach it.
func receive(t *testing.T, answer http.HandlerFunc) (*Sender, string) {
	t.Helper()
	receiver := httptest.NewServer(answer)
	t.Cleanup(receiver.Close)
	return NewSender(guard(t, "127.0.0.1"), "wavedeck"), receiver.URL + "/secret-path"
}

func TestSendIsVerifiedByWhatOthersWrote(t *testing.T) {
	secret := NewSecret()
	verifier, err := standardwebhooks.NewWebhook(secret.Text())
	if err != nil {
		t.Fatal(err)
	}
	var trouble error
	sender, address := receive(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		trouble = verifier.Verify(body, r.Header)
		if r.Header.Get("Content-Type") != "application/json" || r.Header.Get("Webhook-Id") != "msg_1" || string(body) != `{"a":1}` {
			t.Errorf("%v %s", r.Header, body)
		}
		if tampered := verifier.Verify(append(body, ' '), r.Header); tampered == nil {
			t.Error("another body is taken too")
		}
		w.WriteHeader(http.StatusAccepted)
		_, _ = io.WriteString(w, "thanks\n\x1b[2J\xff")
	})
	result := sender.Send(t.Context(), Message{ID: "msg_1", URL: address, Secret: secret, Body: []byte(`{"a":1}`)}, time.Now())
	if trouble != nil {
		t.Errorf("the signature is refused: %v", trouble)
	}
	if !result.Delivered() || result.Status != http.StatusAccepted || result.Answer != "thanks �[2J�" {
		t.Errorf("%+v", result)
	}
}

func TestSendIsTold(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	hang := make(chan struct{})
	defer close(hang)
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		want   string
		after  time.Duration
	}{
		{"an error", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusInternalServerError) }, "it answered 500 Internal Server Error", 0},
		{"a request to wait", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "120")
			w.WriteHeader(http.StatusTooManyRequests)
		}, "it answered 429 Too Many Requests", 2 * time.Minute},
		{"a redirect inwards", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/latest/meta-data/", http.StatusTemporaryRedirect)
		}, "redirect, which is not followed", 0},
		{"headers without end", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X", strings.Repeat("x", 2*maxHeaders))
		}, "no answer: ", 0},
		{"an end in the middle", func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }, "no answer: ", 0},
		{"silence", func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // from then on the server notices that the client leaves
			select {
			case <-hang:
			case <-r.Context().Done():
			}
		}, "it did not answer within 15 s", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			sender, address := receive(t, c.answer)
			ctx := t.Context()
			if c.name == "silence" {
				short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
				defer cancel()
				ctx = short
			}
			result := sender.Send(ctx, Message{ID: "msg_1", URL: address, Secret: NewSecret(), Body: []byte("{}")}, time.Now())
			if !strings.Contains(result.Error, c.want) || result.After != c.after || strings.Contains(result.Error, "secret-path") {
				t.Errorf("%+v", result)
			}
		})
	}
	t.Run("an answer without end is read no further", func(t *testing.T) {
		sender, address := receive(t, func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := io.WriteString(w, strings.Repeat("y", 1<<10)); err != nil {
					return
				}
			}
		})
		result := sender.Send(t.Context(), Message{ID: "msg_1", URL: address, Secret: NewSecret()}, time.Now())
		if !result.Delivered() || len(result.Answer) > 400 {
			t.Errorf("%v, %d bytes", result.Error, len(result.Answer))
		}
	})
	for address, want := range map[string]string{
		closed.URL:                    "nothing listens there",
		"http://127.0.0.2:1/":         "127.0.0.2:1 is not an address of the public internet; allow it with --webhook-allow",
		"http://localhost.invalid:1/": "its name cannot be resolved",
		"http://2130706433:1/":        "",
	} {
		result := NewSender(guard(t, "127.0.0.1"), "").Send(t.Context(), Message{ID: "m", URL: address, Secret: NewSecret()}, time.Now())
		if result.Delivered() || !strings.Contains(result.Error, want) {
			t.Errorf("%s: %+v", address, result)
		}
	}
	t.Run("a name of this machine is refused by what it resolves to", func(t *testing.T) {
		_, address := receive(t, func(http.ResponseWriter, *http.Request) { t.Error("it was reached") })
		address = strings.Replace(address, "127.0.0.1", "localhost", 1)
		result := NewSender(guard(t), "").Send(t.Context(), Message{ID: "m", URL: address, Secret: NewSecret()}, time.Now())
		if !strings.Contains(result.Error, "--webhook-allow") {
			t.Errorf("%+v", result)
		}
	})
}

func TestPausesGrowOverADay(t *testing.T) {
	var sum time.Duration
	n := 0
	for ; sum < GiveUp; n++ {
		low, middle, high := Pause(n+1, 0), Pause(n+1, 0.5), Pause(n+1, 1)
		if low >= middle || middle >= high || high > longest*6/5 {
			t.Errorf("after attempt %d: %s, %s, %s", n+1, low, middle, high)
		}
		sum += middle
	}
	if n < 8 || n > 15 || Pause(1, 0.5) != shortest || Pause(200, 0.5) != longest {
		t.Errorf("%d attempts in %s", n, sum)
	}
}
