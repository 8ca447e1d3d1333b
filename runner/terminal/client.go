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
	"time"

	"wavedeck/runner"
)

// dialWithin is how long the kernel may take to connect two processes of this machine.
const dialWithin = time.Second

// Look is the terminal that is held at a socket. [runner.ErrNoTerminal]: none is.
func Look(ctx context.Context, socket string) (runner.Terminal, error) {
	got, err := ask(ctx, socket, request{Op: opLook})
	return runner.Terminal{Answers: got.Answers, TakesDefaults: got.Self}, err
}

// Give gives an answer, and returns the first that its gate got.
func Give(ctx context.Context, socket string, a runner.Answer) (runner.Answer, error) {
	got, err := ask(ctx, socket, request{Op: opAnswer, Answer: &a})
	if err != nil || got.First == nil {
		return runner.Answer{}, err
	}
	return *got.First, nil
}

// Nudge sends an empty line: a process that waits for one notices with it that it
// was interrupted. No answer is taken after that.
func Nudge(ctx context.Context, socket string) error {
	_, err := ask(ctx, socket, request{Op: opNudge})
	return err
}

func ask(ctx context.Context, socket string, r request) (reply, error) {
	ctx, cancel := context.WithTimeout(ctx, talkWithin)
	defer cancel()
	conn, err := (&net.Dialer{Timeout: dialWithin}).DialContext(ctx, "unix", socket)
	if err != nil {
		return reply{}, fmt.Errorf("%w: %w", runner.ErrNoTerminal, err)
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	if err := json.NewEncoder(conn).Encode(r); err != nil {
		return reply{}, fmt.Errorf("%w: %w", runner.ErrNoTerminal, err)
	}
	var got reply
	if err := json.NewDecoder(bufio.NewReader(io.LimitReader(conn, maxReply))).Decode(&got); err != nil {
		return reply{}, fmt.Errorf("%w: %w", runner.ErrNoTerminal, err)
	}
	switch got.Error {
	case "":
		return got, nil
	case runner.ErrStopping.Error():
		return got, runner.ErrStopping
	default:
		return got, errors.New(got.Error)
	}
}

// maxReply holds as many answers as a holder remembers.
const maxReply = maxAnswers * (runner.MaxChoiceKey + runner.MaxNotes + 1024)
