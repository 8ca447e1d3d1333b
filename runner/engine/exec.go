//go:build unix

package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"wavedeck/runner/process"
)

// job is a process that does the work of a step.
type job struct {
	path    string
	args    []string
	env     []string // beside this process's own
	stdin   string   // a file; empty is nothing
	capture string   // a file that gets the standard output; empty is none
	quiet   bool     // its standard output is not recorded line by line
}

// jobEnd is what is left to say of a process that has ended.
type jobEnd struct {
	tail   string // of all output
	stderr string // the end of it
}

// How long output may stall after the process has ended before it is given up:
// somebody who left the process group may hold the pipe open for ever.
const stall = 500 * time.Millisecond

// exec runs the job in the step's workspace until it and its group have ended.
// The end of ctx ends them.
func (s *stepRun) exec(ctx context.Context, j job) (jobEnd, error) {
	// The kernel ends the process with the thread that started it; without the
	// lock Go might end that thread at any time.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := context.Cause(ctx); err != nil {
		return jobEnd{}, err
	}
	cmd := exec.Command(j.path, j.args...) //nolint:gosec,noctx // to run what pipelines say is the purpose; ctx ends the whole group below
	cmd.Dir = s.workspace
	cmd.Env = append(append(os.Environ(), j.env...), s.marks()...)
	cmd.SysProcAttr = process.Group()
	if j.stdin != "" {
		in, err := os.Open(j.stdin)
		if err != nil {
			return jobEnd{}, err
		}
		defer in.Close()
		cmd.Stdin = in
	}
	out, err := newOutput(s, j)
	if err != nil {
		return jobEnd{}, err
	}
	cmd.Stdout, cmd.Stderr = out.stdout.writer, out.stderr.writer
	if err := cmd.Start(); err != nil {
		return jobEnd{}, errors.Join(&failure{class: "deterministic", final: true, err: err}, out.close())
	}
	s.guard.Add(cmd.Process.Pid)
	err = s.await(ctx, cmd, out)
	s.guard.Remove(cmd.Process.Pid)
	return jobEnd{tail: out.tail.String(), stderr: out.errTail.String()}, err
}

// marks are what the step's processes carry in their environment.
func (s *stepRun) marks() []string {
	return append(process.Marks(s.rec.run, s.project.DB), "WAVE_STEP_ID="+s.step.ID)
}

// await returns when the process and its group are gone and their output is read.
func (s *stepRun) await(ctx context.Context, cmd *exec.Cmd, out *jobOutput) error {
	out.read()
	group := cmd.Process.Pid
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	var err error
	select {
	case err = <-exited:
	case <-ctx.Done():
		process.End(s.force, group, //nolint:contextcheck // ctx has ended: force alone may cut the grace short
			s.opt.grace, s.marks()...)
		err = <-exited
	}
	if process.GroupAlive(group) { // what it left in the background ends with it
		process.EndGroup(s.force, group, s.opt.grace) //nolint:contextcheck // as above
	}
	if closed := out.finish(); closed != nil {
		return closed
	}
	if ctx.Err() != nil {
		return &failure{class: "canceled", final: true, err: fmt.Errorf("%w: %w", context.Cause(ctx), errOr(err, "it ended"))}
	}
	if err != nil {
		return &failure{class: "deterministic", err: err}
	}
	return nil
}

func errOr(err error, text string) error {
	if err == nil {
		return errors.New(text)
	}
	return err
}

// stream is one of a process's outputs.
type stream struct {
	reader, writer *os.File
	moved          atomic.Int64 // bytes read
	working        atomic.Bool  // on what was read: the record may make it wait
}

// jobOutput reads what a process prints, in lines.
type jobOutput struct {
	step           *stepRun
	stdout, stderr stream
	capture        *os.File // nil: nobody wants it
	quiet          bool
	readers        sync.WaitGroup
	tail, errTail  tail
	lines          atomic.Int64
	failed         atomic.Pointer[error]
}

func newOutput(s *stepRun, j job) (*jobOutput, error) {
	o := &jobOutput{step: s, quiet: j.quiet}
	var err error
	if o.stdout.reader, o.stdout.writer, err = os.Pipe(); err != nil {
		return nil, err
	}
	if o.stderr.reader, o.stderr.writer, err = os.Pipe(); err != nil {
		return nil, errors.Join(err, o.close())
	}
	if j.capture != "" {
		if err := os.MkdirAll(filepath.Dir(j.capture), 0o755); err != nil {
			return nil, errors.Join(err, o.close())
		}
		if o.capture, err = os.Create(j.capture); err != nil {
			return nil, errors.Join(err, o.close())
		}
	}
	return o, nil
}

// close closes what is still open.
func (o *jobOutput) close() error {
	for _, file := range []*os.File{o.stdout.reader, o.stdout.writer, o.stderr.reader, o.stderr.writer} {
		if file != nil {
			_ = file.Close() // the writers are closed already
		}
	}
	if o.capture != nil {
		return o.capture.Close()
	}
	return nil
}

// read begins to read. The process has the writers by then.
func (o *jobOutput) read() {
	_ = o.stdout.writer.Close()
	_ = o.stderr.writer.Close()
	o.readers.Go(func() { o.readStream(&o.stdout, o.capture, o.quiet, nil) })
	o.readers.Go(func() { o.readStream(&o.stderr, nil, false, &o.errTail) })
}

// finish waits until everything is read, or nothing more comes.
func (o *jobOutput) finish() error {
	read := make(chan struct{})
	go func() { o.readers.Wait(); close(read) }()
	tick := time.NewTicker(stall)
	defer tick.Stop()
	for before := int64(-1); ; {
		select {
		case <-read:
			if more := o.lines.Load() - int64(o.step.opt.lines); more > 0 {
				o.step.event(event{
					step: o.step.step.ID, state: "warning",
					message: fmt.Sprintf("%d more lines of output are not recorded", more),
				})
			}
			err := o.close()
			if failed := o.failed.Load(); failed != nil {
				err = errors.Join(*failed, err)
			}
			return err
		case <-tick.C:
			now := o.stdout.moved.Load() + o.stderr.moved.Load()
			if now == before && !o.stdout.working.Load() && !o.stderr.working.Load() {
				_ = o.stdout.reader.SetReadDeadline(time.Now()) // a pipe always takes one
				_ = o.stderr.reader.SetReadDeadline(time.Now())
			}
			before = now
		}
	}
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}
