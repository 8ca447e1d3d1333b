package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

const (
	// assetDir holds our scripts and stylesheets as they are written, minifiedDir as they are embedded and served.
	assetDir    = "static"
	minifiedDir = "static/minified"
)

// minifiedSuffixes end the names of the files that are minified.
func minifiedSuffixes() []string { return []string{".css", ".js"} }

// minify writes the minified form of each of our scripts and stylesheets into the folder to. The version of esbuild is
// the one that the tools module pins; the program itself does not contain it (docs/decisions/003-minify.md).
func (w *workshop) minify(ctx context.Context, to string) error {
	args := []string{"tool", "-modfile=" + toolsModule, "esbuild", "--minify", "--log-level=warning", "--outbase=" + assetDir, "--outdir=" + to}
	found := 0
	for _, suffix := range minifiedSuffixes() {
		names, err := filepath.Glob(filepath.Join(w.root, assetDir, "*"+suffix))
		if err != nil {
			return err
		}
		for _, name := range names {
			args = append(args, filepath.Join(assetDir, filepath.Base(name)))
		}
		found += len(names)
	}
	if found == 0 {
		return fmt.Errorf("no script or stylesheet in %s", assetDir)
	}
	return w.exec(ctx, nil, "go", args...)
}

// genMinified replaces the minified files in the work tree, so that none is left whose source is gone.
func (w *workshop) genMinified(ctx context.Context) (err error) {
	fresh, err := os.MkdirTemp("", "wavedeck-minify-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(fresh)) }()
	if err := w.minify(ctx, fresh); err != nil {
		return err
	}
	target := filepath.Join(w.root, minifiedDir)
	if err := os.RemoveAll(target); err != nil {
		return err
	}
	return os.CopyFS(target, os.DirFS(fresh))
}

// checkMinified fails when a committed minified file is not what its source gives.
func (w *workshop) checkMinified(ctx context.Context) (err error) {
	fresh, err := os.MkdirTemp("", "wavedeck-minify-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(fresh)) }()
	if err := w.minify(ctx, fresh); err != nil {
		return err
	}
	return compareGenerated(os.DirFS(filepath.Join(w.root, minifiedDir)), os.DirFS(fresh), minifiedSuffixes()...)
}
