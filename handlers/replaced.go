package handlers

import (
	"context"
	"strconv"

	"wavedeck/store"
	"wavedeck/store/files"
	"wavedeck/store/wave"
	"wavedeck/views"
)

// maxLooked is how many files of a run are compared with their rows for a list;
// the page of an artifact always compares its own.
const maxLooked = 1000

// headerReplaced says on a download that the file is not what the run wrote.
const headerReplaced = "Wavedeck-Artifact-Replaced"

// replaced tells which artifacts of a run have a file that the run did not leave
// like that, by the id of the artifact.
func (s *Server) replaced(ctx context.Context, run wave.Run, artifacts []wave.Artifact) (map[int64]store.Replacement, error) {
	if len(artifacts) == 0 {
		return nil, nil
	}
	tree, err := files.OpenTree(s.manifest.Current().Project.Root, s.manifest.Current().Project.Databases()...)
	if err != nil {
		return nil, nil // without the project there is no file to be wrong
	}
	defer tree.Close()
	byPath := map[string]*store.FileInfo{}
	found := make(map[int64]store.FileInfo, len(artifacts))
	for _, a := range artifacts {
		info, looked := byPath[a.Path]
		if !looked && len(byPath) < maxLooked {
			if f, stat, err := tree.Open(a.Path); err == nil {
				info = &store.FileInfo{Size: stat.Size(), Modified: stat.ModTime()}
				if linked := tree.Linked(a.Path); linked.After(info.Modified) {
					info.Modified = linked
				}
				_ = f.Close() // it was only looked at
			}
			byPath[a.Path] = info
		}
		if info != nil {
			found[a.ID] = *info
		}
	}
	return s.store.Replaced(ctx, run, artifacts, found) //nolint:wrapcheck // described by the error table
}

// replacedIn tells it of a run's page. Also as of a moment the files are those of
// now, and so is whether the run has ended.
func (s *Server) replacedIn(ctx context.Context, d wave.RunDetail) (map[int64]store.Replacement, error) {
	run := d.Run
	if d.At != nil && len(d.Artifacts) > 0 {
		runs, err := s.store.RunsByID(ctx, []string{run.ID})
		if err != nil {
			return nil, err //nolint:wrapcheck // described by the error table
		}
		if len(runs) > 0 {
			run = runs[0]
		}
	}
	return s.replaced(ctx, run, d.Artifacts)
}

// replacedOf is what there is to say of the file of one output.
func (s *Server) replacedOf(ctx context.Context, ref artifactRef) (*store.Replacement, error) {
	runs, err := s.store.RunsByID(ctx, []string{ref.run})
	if err != nil || len(runs) == 0 {
		return nil, err //nolint:wrapcheck // described by the error table
	}
	found, err := s.replaced(ctx, runs[0], ref.attempts)
	if r, ok := found[ref.row.ID]; ok {
		return &r, err
	}
	return nil, err
}

// replacedView is the sentence on a page, with the way to the run that did it.
func (s *Server) replacedView(found map[int64]store.Replacement, artifact int64) *views.Replaced {
	r, ok := found[artifact]
	if !ok {
		return nil
	}
	v := &views.Replaced{Text: shown(r.Text()), By: r.By}
	if r.By != "" {
		v.Href = s.paths.Run(r.By)
	}
	return v
}

// replacedSummary says in JSON that the file is not what the run wrote.
type replacedSummary struct {
	Text string `json:"text"`
	By   string `json:"by_run_id,omitempty"` // the run that wrote it since, where it is known
}

func replacedSummaryOf(found map[int64]store.Replacement, artifact int64) *replacedSummary {
	r, ok := found[artifact]
	if !ok {
		return nil
	}
	return &replacedSummary{Text: shown(r.Text()), By: r.By}
}

// headerText is a text that fits a header, whatever is in it.
func headerText(text string) string {
	quoted := strconv.QuoteToASCII(clip(text, 300))
	return quoted[1 : len(quoted)-1]
}
