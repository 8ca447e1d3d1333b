package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"
)

type syscallConn = syscall.RawConn

// Bounds of one attempt.
const (
	answerWithin = 15 * time.Second
	maxAnswer    = 1 << 10 // bytes of an answer that are read
	maxHeaders   = 16 << 10
)

// Sender sends messages. It is safe for concurrent use.
type Sender struct {
	client http.Client
	agent  string
}

// NewSender returns a sender that reaches what guard lets it reach.
func NewSender(guard *Guard, agent string) *Sender {
	return &Sender{agent: agent, client: http.Client{
		Timeout: answerWithin,
		Transport: &http.Transport{ // no proxy: its address is not the one that is checked
			DialContext: guard.dial, DisableKeepAlives: true, DisableCompression: true, TLSHandshakeTimeout: dialWithin,
			ResponseHeaderTimeout: answerWithin, MaxResponseHeaderBytes: maxHeaders,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Message is what is sent. The body stays the same over all attempts, and so
// does the ID, by which a receiver knows one that it got already.
type Message struct {
	ID     string
	URL    string
	Secret Secret
	Body   []byte // JSON
}

// Result is what became of one attempt.
type Result struct {
	Status int           // of the answer; 0: there was none
	Answer string        // its first bytes, as text
	Error  string        // why it was not delivered, in words; empty: it was
	After  time.Duration // that the receiver asks to wait; 0: it does not
}

// Delivered reports whether the receiver has taken the message.
func (r Result) Delivered() bool { return r.Error == "" }

// Send makes one attempt, signed as of at.
func (s *Sender) Send(ctx context.Context, m Message, at time.Time) Result {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, m.URL, bytes.NewReader(m.Body))
	if err != nil {
		return Result{Error: "the address cannot be used"}
	}
	r.Header = http.Header{
		"Content-Type": {"application/json"}, "User-Agent": {s.agent},
		"Webhook-Id": {m.ID}, "Webhook-Timestamp": {strconv.FormatInt(at.Unix(), 10)}, "Webhook-Signature": {m.Secret.sign(m.ID, at, m.Body)},
	}
	resp, err := s.client.Do(r)
	if err != nil {
		return Result{Error: words(err)}
	}
	defer resp.Body.Close()
	read, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswer)) // what came is shown, whatever ended it
	result := Result{Status: resp.StatusCode, Answer: printable(read)}
	switch {
	case resp.StatusCode < 300:
	case resp.StatusCode < 400:
		result.Error = "it answered with a redirect, which is not followed: give the address it leads to"
	default:
		result.Error = "it answered " + strings.TrimSpace(strconv.Itoa(resp.StatusCode)+" "+http.StatusText(resp.StatusCode))
		if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && seconds > 0 {
			result.After = time.Duration(min(seconds, int(longest/time.Second))) * time.Second
		}
	}
	return result
}

// words is why there was no answer, without the address: it may hold a secret.
func words(err error) string {
	var refused *refusedError
	var name *net.DNSError
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var host x509.HostnameError
	var header tls.RecordHeaderError
	var timeout net.Error
	var whole *url.Error
	switch {
	case errors.As(err, &refused):
		return refused.Error()
	case errors.As(err, &name):
		return "its name cannot be resolved"
	case errors.As(err, &unknown), errors.As(err, &invalid), errors.As(err, &host):
		return "its certificate is not trusted"
	case errors.As(err, &header):
		return "it does not speak TLS"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens there"
	case errors.Is(err, context.Canceled):
		return "the console was shutting down"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Sprintf("it did not answer within %d s", int(answerWithin/time.Second))
	case errors.As(err, &whole):
		return "no answer: " + printable([]byte(whole.Err.Error()))
	default:
		return "no answer"
	}
}

// printable is bytes of somebody else as a text of one line.
func printable(b []byte) string {
	const most = 300
	text := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if !unicode.IsPrint(r) {
			return '�'
		}
		return r
	}, strings.ToValidUTF8(string(b), "�"))
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	return strings.TrimSpace(text)
}

// Pauses between attempts: the first, how much longer each next one is, the
// longest, and how far each is moved at random so that many do not come at once.
const (
	shortest = 10 * time.Second
	growth   = 3
	longest  = 6 * time.Hour
	jitter   = 0.2
)

// GiveUp is how long after the first a message is tried.
const GiveUp = 24 * time.Hour

// Pause is how long to wait after the n-th attempt, from 1; random is from 0 to 1.
func Pause(n int, random float64) time.Duration {
	pause := float64(shortest) * math.Pow(growth, float64(max(n, 1)-1))
	return time.Duration(min(pause, float64(longest)) * (1 - jitter + 2*jitter*random))
}
