package runview

import (
	"errors"
	"fmt"
	"net/http"
	"os"

	"wavedeck/handlers/web"
	"wavedeck/store/files"
	"wavedeck/store/wave"
)

// ArtifactRef is an output of a run that an address names: one attempt's row,
// and all rows of that output.
type ArtifactRef struct {
	Run      string
	Row      wave.Artifact
	Attempt  int // from 1
	Attempts []wave.Artifact
}

// OpenArtifact opens an artifact's file. Nothing outside the project is ever
// opened, nor a database of Wave's or a file of the console, which may lie in the project too:
// ours hold the secrets of webhooks.
func (rv *Reader) OpenArtifact(a wave.Artifact) (*os.File, os.FileInfo, error) {
	project := rv.Manifest.Current().Project
	f, info, err := files.Open(project.Root, a.Path, project.Databases()...)
	if err != nil {
		return nil, nil, Refusal(err)
	}
	return f, info, nil
}

// Refusal says why a file is not served. The name was recorded by whoever ran
// the step; it is not repeated here.
func Refusal(err error) error {
	for _, known := range []struct {
		err    error
		status int
	}{
		{files.ErrGone, http.StatusNotFound}, {files.ErrName, http.StatusNotFound}, {files.ErrDirectory, http.StatusNotFound},
		{files.ErrOutside, http.StatusForbidden}, {files.ErrUnreachable, http.StatusForbidden}, {files.ErrForbidden, http.StatusForbidden},
		{files.ErrPrivate, http.StatusForbidden},
		{files.ErrFIFO, http.StatusForbidden}, {files.ErrSocket, http.StatusForbidden}, {files.ErrDevice, http.StatusForbidden},
	} {
		if errors.Is(err, known.err) {
			return &web.Error{Status: known.status, Text: "the recorded file " + known.err.Error(), Err: err}
		}
	}
	return fmt.Errorf("open artifact: %w", err)
}
