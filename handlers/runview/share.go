package runview

import (
	"net/http"

	"wavedeck/views"
	"wavedeck/views/address"
)

// SharedThing is a run or a pipeline that may be shown elsewhere.
type SharedThing struct{ Run, Pipeline string }

// Resource is how addresses below EmbedRoot begin.
func (t SharedThing) Resource() string {
	if t.Pipeline != "" {
		return "pipelines/" + address.Segment(t.Pipeline)
	}
	return "runs/" + address.Segment(t.Run)
}

// Kinds are the parts of a thing that can be shown, the first by default.
func (t SharedThing) Kinds() []string {
	if t.Pipeline != "" {
		return []string{"latest", "history"}
	}
	return []string{"card", "timeline", "graph", "steps", "log"}
}

// Shareable gives a page what leads to showing it elsewhere.
func (rv *Reader) Shareable(r *http.Request, c *views.Layout, of SharedThing) {
	at := rv.Origin(r)
	c.Share = rv.Paths.Share(of.Resource(), nil)
	c.OEmbed = at + rv.Paths.OEmbed(at+string(rv.Paths)+"/"+of.Resource())
}
