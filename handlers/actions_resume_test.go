package handlers_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"wavedeck/runner"
)

func TestARefusedResumeSaysItsErrorOnce(t *testing.T) {
	s, e := openStage(t)
	run, err := s.store.Run(t.Context(), failedRun)
	if err != nil {
		t.Fatal(err)
	}
	const why = "was cleaned up"
	e.cannot = map[string]error{run.Pipeline: &runner.ConflictError{Step: "x", Text: why}}
	r := s.form("/runs/"+failedRun+"/resume", url.Values{})
	if n := strings.Count(r.doc().Find("main").Text(), why); r.status != http.StatusConflict || n != 1 {
		t.Errorf("status %d, said %d times", r.status, n)
	}
}
