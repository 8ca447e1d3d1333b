//go:build unix

package handover

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// gitWithin is how long one command of git may take.
const gitWithin = time.Minute

// worktree makes a worktree of the branch that another one has checked out, with
// the same files in it, whether they were committed or not.
func (c *copier) worktree(name, from string) error {
	ctx, cancel := context.WithTimeout(c.ctx, gitWithin)
	defer cancel()
	source := filepath.Join(c.project.Root, filepath.FromSlash(from))
	to := path.Join(c.base, name)
	target := filepath.Join(c.project.Root, filepath.FromSlash(to))
	commit, err := c.runGit(ctx, source, "rev-parse", "--verify", "HEAD")
	if err != nil {
		return err
	}
	args := []string{"worktree", "add", "--force", "--no-checkout"}
	if branch, err := c.runGit(ctx, source, "symbolic-ref", "--quiet", "--short", "HEAD"); err == nil && branch != "" {
		args = append(args, target, branch)
	} else {
		args = append(args, "--detach", target, commit)
	}
	c.git = append(c.git, target)
	if _, err := c.runGit(ctx, source, args...); err != nil {
		return err
	}
	if err := c.folder(from, to, ".git"); err != nil {
		return err
	}
	_, err = c.runGit(ctx, target, "reset", "--quiet")
	return err
}

// runGit runs git in a folder without the project's hooks, and returns what it
// printed.
func (c *copier) runGit(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-c", "core.hooksPath=" + os.DevNull, "-c", "core.fsmonitor=false"}, args...)...) //nolint:gosec // branches of the project's own worktrees
	cmd.Dir, cmd.WaitDelay = dir, time.Second
	var wrong bytes.Buffer
	cmd.Stderr = &wrong
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, bytes.TrimSpace(wrong.Bytes()[:min(wrong.Len(), 500)]))
	}
	return strings.TrimSpace(string(out)), nil
}
