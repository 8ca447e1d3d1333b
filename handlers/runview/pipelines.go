package runview

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"wavedeck/handlers/present"
	"wavedeck/handlers/web"
	"wavedeck/store"
	"wavedeck/store/diagnose"
	"wavedeck/store/manifest"
	"wavedeck/views"
)

// History is a pipeline's record, empty while there is no database.
func (rv *Reader) History(ctx context.Context, pipeline string) (diagnose.PipelineHistory, error) {
	history, err := rv.Store.PipelineHistory(ctx, pipeline)
	if errors.Is(err, store.ErrUnavailable) {
		return diagnose.PipelineHistory{}, nil
	}
	if err != nil {
		return history, fmt.Errorf("history of pipeline %s: %w", pipeline, err)
	}
	return history, nil
}

// StatsOf counts how runs of a pipeline ended and how long they took.
func StatsOf(h diagnose.PipelineHistory) views.Stats {
	return views.Stats{N: h.Succeeded + h.Failed, Succeeded: h.Succeeded, Median: h.Median, P90: h.P90, Timed: h.Timed}
}

// ProblemRows are the problems of a file as a page lists them.
func ProblemRows(problems []manifest.Problem) []views.Problem {
	var rows []views.Problem
	for _, p := range problems {
		rows = append(rows, views.Problem{File: present.Clip(p.File, present.TextShown), Line: p.Line, Text: present.Clip(p.Text, present.TextShown)})
	}
	return rows
}

// InputView is the input that a pipeline asks for.
func InputView(in manifest.Input) views.InputView {
	return present.BoundedTo(views.InputView{
		Source: present.Redact(in.Source), Type: present.Redact(in.Type), Description: present.Redact(in.Description), Example: present.Redact(in.Example),
		Default: present.Redact(in.Default), Required: in.Required, Choices: present.RedactAll(in.Enum),
	}, present.AccountShown)
}

// NoSuch is the answer to a name that there is not. Listed is the address of those that there are.
func NoSuch(what, name, listed string) *web.Error {
	return &web.Error{
		Status: http.StatusNotFound, Text: "there is no " + what + " " + web.Quoted(present.Clip(name, 80)),
		Next: "They are listed at " + listed + ".",
	}
}
