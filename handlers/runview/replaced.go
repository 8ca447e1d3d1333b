package runview

import (
	"context"
	"strconv"

	"wavedeck/handlers/present"
	"wavedeck/store/diagnose"
	"wavedeck/store/files"
	"wavedeck/store/wave"
	"wavedeck/views"
)

// maxLooked is how many files of a run are compared with their rows for a list;
// the page of an artifact always compares its own.
const maxLooked = 1000

// HeaderReplaced says on a download that the file is not what the run wrote.
const HeaderReplaced = "Wavedeck-Artifact-Replaced"

// replaced reports which artifacts of a run have a file that the run did not leave
// like that, by the id of the artifact.
func (rv *Reader) replaced(ctx context.Context, run wave.Run, artifacts []wave.Artifact) (map[int64]diagnose.Replacement, error) {
	if len(artifacts) == 0 {
		return nil, nil
	}
	tree, err := files.OpenTree(rv.Manifest.Current().Project.Root, rv.Manifest.Current().Project.Databases()...)
	if err != nil {
		return nil, nil // without the project there is no file to be wrong
	}
	defer tree.Close()
	byPath := map[string]*diagnose.FileInfo{}
	found := make(map[int64]diagnose.FileInfo, len(artifacts))
	for _, a := range artifacts {
		info, looked := byPath[a.Path]
		if !looked && len(byPath) < maxLooked {
			if f, stat, err := tree.Open(a.Path); err == nil {
				info = &diagnose.FileInfo{Size: stat.Size(), Modified: stat.ModTime()}
				if linked := tree.Linked(a.Path); linked.After(info.Modified) {
					info.Modified = linked
				}
				_ = f.Close() // it was only read
			}
			byPath[a.Path] = info
		}
		if info != nil {
			found[a.ID] = *info
		}
	}
	return rv.Store.Replaced(ctx, run, artifacts, found) //nolint:wrapcheck // described by the error table
}

// ReplacedIn reports it for a run's page. Also as of a moment the files are those of
// now, and so is whether the run has ended.
func (rv *Reader) ReplacedIn(ctx context.Context, d wave.RunDetail) (map[int64]diagnose.Replacement, error) {
	run := d.Run
	if d.At != nil && len(d.Artifacts) > 0 {
		runs, err := rv.Store.RunsByID(ctx, []string{run.ID})
		if err != nil {
			return nil, err //nolint:wrapcheck // described by the error table
		}
		if len(runs) > 0 {
			run = runs[0]
		}
	}
	return rv.replaced(ctx, run, d.Artifacts)
}

// ReplacedOf is what there is to say of the file of one output.
func (rv *Reader) ReplacedOf(ctx context.Context, ref ArtifactRef) (*diagnose.Replacement, error) {
	runs, err := rv.Store.RunsByID(ctx, []string{ref.Run})
	if err != nil || len(runs) == 0 {
		return nil, err //nolint:wrapcheck // described by the error table
	}
	found, err := rv.replaced(ctx, runs[0], ref.Attempts)
	if r, ok := found[ref.Row.ID]; ok {
		return &r, err
	}
	return nil, err
}

// ReplacedView is the sentence on a page, with the way to the run that did it.
func (rv *Reader) ReplacedView(found map[int64]diagnose.Replacement, artifact int64) *views.Replaced {
	r, ok := found[artifact]
	if !ok {
		return nil
	}
	v := &views.Replaced{Text: present.Redact(r.Text()), By: r.By}
	if r.By != "" {
		v.Href = rv.Paths.Run(r.By)
	}
	return v
}

// HeaderText is a text that fits a header, whatever is in it.
func HeaderText(text string) string {
	quoted := strconv.QuoteToASCII(present.Clip(text, 300))
	return quoted[1 : len(quoted)-1]
}
