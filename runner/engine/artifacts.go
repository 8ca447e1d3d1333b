//go:build unix

package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"syscall"

	"wavedeck/runner"
	"wavedeck/runner/handover"
	"wavedeck/store/files"
	"wavedeck/store/manifest"
)

// output is an artifact that a step left.
type output struct {
	file string // absolute, where it was archived
	base string // the name of the file as the step wrote it
}

// artifactsDir is where a workspace holds what a step is given and leaves, as
// Wave has it: <as> for what is injected, <step>/<file> for what is archived.
const artifactsDir = ".agents/artifacts"

// takeLeftovers makes the outputs of the original run those of the steps that
// this one does not repeat.
func (x *executor) takeLeftovers() error {
	found, err := leftovers(x.opt.Catalog, x.pipeline, x.opt.Request, slices.Collect(maps.Values(x.plan)))
	if err != nil {
		return err
	}
	for _, o := range found.Outputs {
		base := o.Name
		for _, step := range x.pipeline.Steps {
			for _, out := range step.OutputArtifacts {
				if step.ID == o.Step && out.Name == o.Name && out.Source != "stdout" && out.Path != "" {
					base = path.Base(out.Path)
				}
			}
		}
		x.remember(o.Step, o.Name, output{filepath.Join(x.project.Root, filepath.FromSlash(o.File)), base})
	}
	return nil
}

// leftovers finds what a resumed run uses again.
func leftovers(c *manifest.Catalog, p manifest.Pipeline, r runner.Request, plan []runner.PlannedStep) (*handover.Found, error) {
	var reused []string
	for _, step := range plan {
		if step.Does == runner.Reuses {
			reused = append(reused, step.ID)
		}
	}
	return handover.Find(c, p, r, reused)
}

func (x *executor) remember(step, name string, o output) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.outputs[step] == nil {
		x.outputs[step] = map[string]output{}
	}
	x.outputs[step][name] = o
}

func (x *executor) find(step, name string) (output, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	o, ok := x.outputs[step][name]
	return o, ok
}

// inject copies into the workspace what the steps before left, and what the
// step asks for by name.
func (s *stepRun) inject(ctx context.Context) error {
	for _, need := range s.step.Dependencies {
		s.mu.Lock()
		outputs := maps.Clone(s.outputs[need])
		s.mu.Unlock()
		for _, o := range outputs {
			for _, to := range []string{path.Join(artifactsDir, need, o.base), path.Join(".agents/output", o.base)} {
				if err := s.copyIn(o.file, to); err != nil {
					return fmt.Errorf("hand on artifact of %s: %w", need, err)
				}
			}
		}
	}
	for _, in := range s.step.InjectArtifacts {
		o, ok := s.find(in.Step, in.Artifact)
		if !ok && in.Optional {
			continue
		}
		name := in.As
		if name == "" {
			name = in.Artifact
		}
		err := fmt.Errorf("step %s left no artifact %q", in.Step, in.Artifact)
		if ok {
			err = s.copyIn(o.file, path.Join(artifactsDir, name))
		}
		if err != nil {
			return &failure{class: "deterministic", final: true, err: fmt.Errorf("inject artifact %s: %w", in.Artifact, err)}
		}
		s.event(event{step: s.step.ID, state: "step_progress", message: fmt.Sprintf("injected artifact %s from %s (%s)", in.Artifact, in.Step, s.relative(o.file))})
	}
	return ctx.Err()
}

// copyIn copies a file to a place within the workspace. Where it lies may be what
// a row of an earlier run says.
func (s *stepRun) copyIn(from, to string) error {
	within := s.project.Root
	if rel, err := filepath.Rel(within, from); err != nil || !filepath.IsLocal(rel) {
		within = filepath.Dir(from) // the manifest has workspaces elsewhere
	}
	in, _, err := files.Open(within, from, s.project.Databases()...)
	if err != nil {
		return err
	}
	defer in.Close()
	root, err := os.OpenRoot(s.workspace)
	if err != nil {
		return err
	}
	defer root.Close()
	_, err = copyTo(root, in, to)
	return err
}

// copyTo writes a file below root, whatever a step may have put in its place.
func copyTo(root *os.Root, in io.Reader, to string) (size int64, err error) {
	if err := root.MkdirAll(path.Dir(to), 0o755); err != nil {
		return 0, err
	}
	if err := root.Remove(to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	out, err := root.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	return io.Copy(out, in)
}

// collect archives the outputs of an attempt and records them: a row each, of
// size 0 when there is no file, as Wave does. It returns how many there are.
func (s *stepRun) collect(ctx context.Context, stdout string) (int, error) {
	root, err := os.OpenRoot(s.workspace)
	if err != nil {
		return 0, err
	}
	defer root.Close()
	found := 0
	for _, out := range s.step.OutputArtifacts {
		to := path.Join(artifactsDir, s.step.ID, archiveName(out))
		if err := runner.CheckName(out.Name); err != nil {
			return found, &failure{class: "deterministic", final: true, err: fmt.Errorf("artifact %q: its name %w", out.Name, err)}
		}
		size, err := s.archive(root, out, stdout, to)
		switch {
		case err == nil:
			found++
			base := out.Name
			if out.Source != "stdout" {
				base = path.Base(out.Path)
			}
			s.remember(s.step.ID, out.Name, output{filepath.Join(s.workspace, filepath.FromSlash(to)), base})
		case out.Required:
			return found, &failure{class: "deterministic", err: fmt.Errorf("artifact %q: %w", out.Name, err)}
		default:
			s.event(event{step: s.step.ID, state: "warn", message: fmt.Sprintf("artifact %q: %v", out.Name, err)})
		}
		s.check(s.rec.artifact(ctx, s.step.ID, out.Name, s.relative(filepath.Join(s.workspace, filepath.FromSlash(to))), out.Type, size))
	}
	return found, nil
}

// archiveName is the file that an output is archived as: JSON files keep their
// ending, as Wave has it.
func archiveName(out manifest.OutputArtifact) string {
	if out.Source != "stdout" && out.Type == "json" {
		return out.Name + ".json"
	}
	return out.Name
}

func (s *stepRun) archive(root *os.Root, out manifest.OutputArtifact, stdout, to string) (int64, error) {
	from := path.Clean(filepath.ToSlash(s.values.fill(out.Path)))
	if out.Source == "stdout" {
		rel, err := filepath.Rel(s.workspace, stdout)
		if err != nil {
			return 0, err
		}
		from = filepath.ToSlash(rel)
	}
	in, err := openPlain(root, from)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	if from == to {
		info, err := in.Stat()
		if err != nil {
			return 0, err
		}
		return info.Size(), nil
	}
	return copyTo(root, in, to)
}

// openPlain opens a regular file below root. It waits for nothing.
func openPlain(root *os.Root, name string) (*os.File, error) {
	file, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(fmt.Errorf("%s is not a plain file", name), err, file.Close())
	}
	return file, nil
}
