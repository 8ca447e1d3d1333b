//go:build unix

package terminal

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"
	"unicode"

	"wavedeck/runner"
)

// request is what a holder is asked. The answer to it is a reply.
type request struct {
	Op     string         `json:"op"`
	Answer *runner.Answer `json:"answer,omitempty"`
}

const (
	opLook   = "look"   // which answers were given
	opAnswer = "answer" // give one
	opNudge  = "nudge"  // an empty line, so that a process which was interrupted notices
)

type reply struct {
	Answers []runner.Answer `json:"answers,omitempty"`
	Self    bool            `json:"takes_defaults,omitempty"`
	First   *runner.Answer  `json:"first,omitempty"` // the one that the gate got
	Error   string          `json:"error,omitempty"`
}

const (
	talkWithin = 5 * time.Second // with whoever asks a holder
	maxRequest = 64 << 10
	maxAnswers = 200 // that are remembered; a gate of a loop waits again and again
)

// holder has one end of a terminal, whose other end is a run's standard input.
type holder struct {
	to   io.Writer
	self bool // what reads at its other end takes defaults by itself

	mu       sync.Mutex
	answers  []runner.Answer // the first of each gate, oldest first
	stopping bool
}

// Hold holds a terminal until the process at its other end has gone, or ctx ends,
// and takes answers at a socket. Self says that the process takes the default of a gate
// by itself.
func Hold(ctx context.Context, master *os.File, socket string, self bool) error {
	syscall.Umask(0o177) // the socket is 0600 from the beginning
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "unix", socket)
	if err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(io.Discard, master) // fails when nobody has the other end any more
		_ = listener.Close()
	}()
	defer context.AfterFunc(ctx, func() { _ = listener.Close() })()
	h := &holder{to: master, self: self}
	var talks sync.WaitGroup
	defer talks.Wait() // whoever gave the last answer is told that it was taken
	for {
		conn, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		talks.Go(func() { h.talk(conn) })
	}
}

func (h *holder) talk(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(talkWithin))
	line, err := bufio.NewReader(io.LimitReader(conn, maxRequest)).ReadBytes('\n')
	if err != nil {
		return
	}
	var r request
	out := reply{Error: "the request cannot be read"}
	if json.Unmarshal(line, &r) == nil {
		out = h.do(r)
	}
	if err := json.NewEncoder(conn).Encode(out); err != nil {
		return // whoever asked may have left
	}
}

func (h *holder) do(r request) reply {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case r.Op == opLook:
		return reply{Answers: h.answers, Self: h.self}
	case r.Op == opNudge:
		h.stopping = true
		_, err := io.WriteString(h.to, "\n")
		return reply{Error: text(err)}
	case r.Op == opAnswer && r.Answer != nil:
		return h.answer(*r.Answer)
	default:
		return reply{Error: fmt.Sprintf("unknown request %.20q", r.Op)}
	}
}

func (h *holder) answer(a runner.Answer) reply {
	if i := slices.IndexFunc(h.answers, func(b runner.Answer) bool { return b.Gate == a.Gate }); i >= 0 {
		return reply{First: &h.answers[i]}
	}
	if h.stopping {
		return reply{Error: runner.ErrStopping.Error()}
	}
	typed, err := typed(a)
	if err == nil {
		_, err = io.WriteString(h.to, typed)
	}
	if err != nil {
		return reply{Error: err.Error()}
	}
	h.answers = append(h.answers[max(0, len(h.answers)+1-maxAnswers):], a)
	return reply{First: &a}
}

// typed is an answer as a person types it: the choice in one line, and where the
// gate asks for a text, that in another. Nothing in it begins a third.
func typed(a runner.Answer) (string, error) {
	for _, part := range []struct {
		name, text string
		most       int
	}{{"choice", a.Choice, runner.MaxChoiceKey}, {"text", a.Text, runner.MaxNotes}} {
		if len(part.text) > part.most {
			return "", fmt.Errorf("the %s is longer than %d bytes", part.name, part.most)
		}
		for _, r := range part.text {
			if unicode.IsControl(r) {
				return "", fmt.Errorf("the %s has a control character", part.name)
			}
		}
	}
	if a.Asks {
		return a.Choice + "\n" + a.Text + "\n", nil
	}
	return a.Choice + "\n", nil
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
