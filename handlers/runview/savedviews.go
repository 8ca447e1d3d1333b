package runview

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"wavedeck/handlers/present"
	"wavedeck/handlers/web"
	"wavedeck/store/appdb"
	"wavedeck/views"
	"wavedeck/views/address"
)

// ViewSummary is a saved view as JSON.
type ViewSummary struct {
	ID     int64  `json:"id"`
	Number int    `json:"number"` // its place, from 1
	Name   string `json:"name"`
	Query  string `json:"query"` // of /runs and /api/runs
	URL    string `json:"url"`
}

func (fs *filters) ViewSummaries(ctx context.Context) ([]ViewSummary, error) {
	kept, err := fs.Data.SavedViews(ctx)
	if err != nil {
		return nil, err //nolint:wrapcheck // described by the error table
	}
	list := []ViewSummary{}
	for i, v := range kept {
		q, _ := url.ParseQuery(v.Query) // checked when it was kept
		list = append(list, ViewSummary{ID: v.ID, Number: i + 1, Name: v.Name, Query: v.Query, URL: fs.Paths.Runs(address.DecodeQuery(q))})
	}
	return list, nil
}

// ViewLink leads to the list that a view names. Every list has all these links, so
// a long one goes by the view.
func (fs *filters) ViewLink(v ViewSummary) string {
	if len(v.URL) > present.TextShown {
		return fs.Paths.View(strconv.FormatInt(v.ID, 10), "")
	}
	return v.URL
}

// ViewOptions are the views as links above a list, which shows q. Data that
// cannot be read has none: the layout says why.
func (fs *filters) ViewOptions(ctx context.Context, q url.Values) []views.Option {
	list, err := fs.ViewSummaries(ctx)
	if err != nil {
		return nil
	}
	var options []views.Option
	for _, v := range list {
		options = append(options, views.Option{Label: v.Name, Value: strconv.Itoa(v.Number), Count: -1, Href: fs.ViewLink(v), On: v.Query == address.EncodeQuery(q).Encode()})
	}
	return options
}

// ViewID is the id of the saved view that the path names.
func ViewID(r *http.Request) (int64, error) {
	id, err := strconv.ParseInt(web.RouteVar(r, "view"), 10, 64)
	if err != nil {
		return 0, ViewError(appdb.ErrNotFound)
	}
	return id, nil
}

// ViewError describes to a client an error of the console's data.
func ViewError(err error) error {
	switch {
	case errors.Is(err, appdb.ErrNotFound):
		return &web.Error{Status: http.StatusNotFound, Text: "no such view", Next: "Somebody may have deleted it.", Err: err}
	case errors.Is(err, appdb.ErrTaken):
		return &web.Error{Status: http.StatusConflict, Text: "another view has this name", Next: "Choose another name, or rename or delete that one first.", Err: err}
	case errors.Is(err, appdb.ErrFull):
		return &web.Error{Status: http.StatusConflict, Text: "there are " + strconv.Itoa(appdb.MaxViews) + " views already", Next: "Delete one first.", Err: err}
	default:
		return err
	}
}
