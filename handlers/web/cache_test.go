package web

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestAnAnswerOutlivesTheClientThatAskedFirst(t *testing.T) {
	k := emptyKit(t, time.Now)
	k.Shared.Answers = NewAnswers()
	first, leave := context.WithCancel(t.Context())
	begun, goOn := make(chan struct{}), make(chan struct{})
	fill := func(r *http.Request, b *bytes.Buffer) error {
		close(begun)
		<-goOn
		if err := r.Context().Err(); err != nil { // what a query would end with
			return err
		}
		b.WriteString("whole")
		return nil
	}
	ask := func(ctx context.Context, fill func(*http.Request, *bytes.Buffer) error) (*httptest.ResponseRecorder, error) {
		w := httptest.NewRecorder()
		err := k.ServeCached(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/runs/a", http.NoBody), TypeHTML, fill)
		return w, err
	}
	ended := make(chan struct{})
	go func() { _, _ = ask(first, fill); close(ended) }()
	<-begun
	type reply struct {
		w   *httptest.ResponseRecorder
		err error
	}
	second := make(chan reply)
	go func() {
		w, err := ask(t.Context(), func(*http.Request, *bytes.Buffer) error { t.Error("it was made twice"); return nil })
		second <- reply{w, err}
	}()
	waiting(&k.Shared.Answers.flight, 2)
	leave()
	waiting(&k.Shared.Answers.flight, 1)
	close(goOn)
	if got := <-second; got.err != nil || got.w.Body.String() != "whole" {
		t.Errorf("the second client got %q, %v", got.w.Body, got.err)
	}
	<-ended
}
