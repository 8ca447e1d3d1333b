package actions

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"time"

	"wavedeck/handlers/present"
	"wavedeck/handlers/runview"
	"wavedeck/handlers/web"
	"wavedeck/runner"
	"wavedeck/store"
	"wavedeck/store/appdb"
	"wavedeck/store/control"
	"wavedeck/store/criteria"
)

// runIDs gives runs their ids. The same question gets the same id, so that what is sent
// twice starts one run.
type runIDs struct{ *web.Kit }

// A form's key is the time and some random digits, as the id of its run will be.
var formKey = regexp.MustCompile(`^\d{8}-\d{6}-[0-9a-f]{16}$`)

func newFormKey(now time.Time) string {
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails
	return now.Local().Format("20060102-150405-") + hex.EncodeToString(random[:])
}

// reserve gives the request the id of its run, in Wave's own shape. The console's
// own data says which run a key stands for, so that the same request sent twice is
// one run, also when another server gets the second one.
//
// A form's key counts together with what was filled in: whoever goes back,
// changes the input and starts again means another run. A program's key, in the
// header Idempotency-Key, stands for one request: with another input it is refused.
//
// Without a folder for the console's own data a form's run has an id that follows
// from its key, and a program's key is refused: nothing could remember it.
func (ids *runIDs) reserve(ctx context.Context, header http.Header, values url.Values, r *runner.Request) (err error) {
	key := header.Get("Idempotency-Key")
	switch {
	case len(key) > web.MaxText:
		return &criteria.InputError{Field: "Idempotency-Key", Got: present.Clip(key, 64), Want: fmt.Sprintf("at most %d bytes", web.MaxText)}
	case key != "":
		values := maps.Clone(values)
		values.Del(fieldKey)
		r.ID, err = ids.runOfKey(ctx, r.Pipeline, runview.Digest(r.Kind(), values.Encode()), ids.Now(), "program", key, r.Original)
		return err
	case values.Get(fieldKey) == "":
		return nil
	case !formKey.MatchString(values.Get(fieldKey)):
		return &criteria.InputError{Field: fieldKey, Got: present.Clip(values.Get(fieldKey), 64), Want: "the one that the form came with"}
	}
	key = values.Get(fieldKey)[:len("20060102-150405")]
	at, err := time.ParseInLocation("20060102-150405", key, time.Local)
	if err != nil {
		return &criteria.InputError{Field: fieldKey, Got: present.Clip(values.Get(fieldKey), 64), Want: "the one that the form came with"}
	}
	r.ID, err = ids.runOfKey(ctx, r.Pipeline, "", at, "form", values.Encode(), r.Original)
	if errors.As(err, new(*appdb.UnavailableError)) {
		r.ID, err = r.Pipeline+"-"+key+"-"+runview.Digest(values.Encode(), r.Original)[:4], nil
	}
	return err
}

// runOfKey is the id of the run that the parts of a key stand for together. It is
// [store.ErrTaken] when the key started a run that something else was asked of;
// one that started nothing may come with other wishes.
func (ids *runIDs) runOfKey(ctx context.Context, pipeline, asks string, at time.Time, parts ...string) (string, error) {
	key := runview.Digest(append(parts, pipeline)...)
	for {
		of, err := ids.Data.RunID(ctx, key, asks, ids.Now(), func() (string, error) { return ids.freeID(ctx, pipeline, at) })
		if err != nil || of.Asks == "" || of.Asks == asks {
			return of.Run, err
		}
		if begun, err := ids.isRecorded(ctx, of.Run); begun || err != nil {
			return "", cmp.Or(err, fmt.Errorf("key of run %s: %w", of.Run, control.ErrTaken))
		}
		if err := ids.Data.ForgetKey(ctx, key, of); err != nil {
			return "", err
		}
	}
}

// freeID is the id of a run that Wave has not made yet.
func (ids *runIDs) freeID(ctx context.Context, pipeline string, at time.Time) (string, error) {
	for {
		id := control.NewRunID(pipeline, at)
		if taken, err := ids.isRecorded(ctx, id); !taken || err != nil {
			return id, err
		}
	}
}

// isRecorded reports whether there is a run. Without a database there is none.
func (ids *runIDs) isRecorded(ctx context.Context, id string) (bool, error) {
	_, err := ids.Store.Run(ctx, id)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrUnavailable) {
		return false, nil
	}
	return err == nil, err
}
