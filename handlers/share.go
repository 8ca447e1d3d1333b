package handlers

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"wavedeck/handlers/grant"
	"wavedeck/static"
	"wavedeck/store/criteria"
	"wavedeck/views"
	"wavedeck/views/address"
	"wavedeck/views/legible"
)

// sharedThing is a run or a pipeline that may be shown elsewhere.
type sharedThing struct{ run, pipeline string }

// resource is how addresses below embedRoot begin.
func (t sharedThing) resource() string {
	if t.pipeline != "" {
		return "pipelines/" + address.Segment(t.pipeline)
	}
	return "runs/" + address.Segment(t.run)
}

// parseShared reads "runs/ID", "pipelines/NAME", and which page of it.
func parseShared(text string) (of sharedThing, tab string, err error) {
	wrong := &criteria.InputError{Field: "of", Got: clip(text, 64), Want: "runs/ID or pipelines/NAME"}
	segments, _, err := grant.ParseResource(strings.TrimSuffix(text, "/"))
	if err != nil || len(segments) < 2 || len(segments) > 3 {
		return of, "", wrong
	}
	if len(segments) == 3 {
		tab = segments[2]
	}
	switch segments[0] {
	case "runs":
		return sharedThing{run: segments[1]}, tab, nil
	case "pipelines":
		return sharedThing{pipeline: segments[1]}, tab, nil
	}
	return of, "", wrong
}

// kinds are the parts of a thing that can be shown, the first unless told.
func (t sharedThing) kinds() []string {
	if t.pipeline != "" {
		return []string{"latest", "history"}
	}
	return []string{"card", "timeline", "graph", "steps", "log"}
}

// shapeOf is one part of a thing that is there.
func (s *Server) shapeOf(ctx context.Context, of sharedThing, kind string) (shape, error) {
	if !slices.Contains(of.kinds(), kind) {
		return shape{}, &criteria.InputError{Field: "kind", Got: clip(kind, 64), Want: "one of " + strings.Join(of.kinds(), ", ")}
	}
	what := shape{kind: kind, resource: of.resource() + "/" + kind}
	word := strings.ToUpper(kind[:1]) + kind[1:]
	if of.pipeline != "" {
		history, err := s.history(ctx, of.pipeline)
		if err != nil {
			return what, err
		}
		if _, defined := s.manifest.Current().Pipeline(of.pipeline); !defined && len(history.Recent) == 0 {
			return what, noSuch("pipeline", of.pipeline, s.paths.Pipelines())
		}
		what.label = word + " of " + legible.Name(of.pipeline)
		return what, nil
	}
	run, err := s.store.Run(ctx, of.run)
	if err != nil {
		return what, err //nolint:wrapcheck // described by the error table
	}
	what.label = word + " of run " + legible.Name(run.ID)
	return what, nil
}

// showShare is the page, or for a dialog its content, that helps to show a thing
// in another page: what to write there where that will work, else why not.
func (s *Server) showShare(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	of, _, err := parseShared(q.Get("of"))
	if err != nil {
		return err
	}
	kind := q.Get("kind")
	if kind == "" {
		kind = of.kinds()[0]
	}
	site := ""
	if asked := strings.TrimRight(strings.TrimSpace(q.Get("site")), "/"); asked != "" {
		if site, err = ParseOrigin(asked); err != nil {
			return &criteria.InputError{Field: "site", Got: clip(asked, 64), Want: "the origin of the page, such as https://portal.example"}
		}
	}
	return s.serveCached(w, r, typeHTML, func(ctx context.Context, b *bytes.Buffer) error {
		what, err := s.shapeOf(ctx, of, kind)
		if err != nil {
			return err
		}
		view := s.shareView(r, of, what, site)
		if isFragment(r) {
			return views.ShareForm(view).Render(ctx, b)
		}
		return views.SharePage(view).Render(ctx, b)
	})
}

func (s *Server) shareView(r *http.Request, of sharedThing, what shape, site string) views.ShareView {
	view := views.ShareView{
		Chrome: s.chrome(r, sectionOf(of), "Share "+strings.ToLower(what.label[:1])+what.label[1:], ""), Of: of.resource(), Kind: what.kind, Site: site,
		Sites: s.embed.Origins, What: what.label, Guide: s.paths.EmbeddingGuide(),
		Preview: string(s.paths) + embedRoot + "/" + what.resource,
	}
	for _, kind := range of.kinds() {
		q := url.Values{"kind": {kind}}
		if site != "" {
			q.Set("site", site)
		}
		view.Kinds = append(view.Kinds, views.Option{Label: kind, Href: s.paths.Share(of.resource(), q), On: kind == what.kind})
	}
	view.Snippets = s.snippets(s.sitePolicy(r, site), of, what)
	return view
}

func sectionOf(of sharedThing) string {
	if of.pipeline != "" {
		return "pipelines"
	}
	return "runs"
}

// sitePolicy is what pages of a site may show, and why not more.
type sitePolicy struct {
	at     string // the console, without a slash at its end
	site   string // empty: some listed one
	gated  bool
	listed bool   // may frame it
	reads  bool   // may read its fragments
	flag   string // what would list the site
	near   string // what else has to hold for a browser to reach the console
}

func (s *Server) sitePolicy(r *http.Request, site string) sitePolicy {
	origin := s.origin(r)
	p := sitePolicy{
		at: origin + string(s.paths), site: site, gated: s.gated(),
		listed: slices.Contains(s.embed.Origins, site) || site == "" && len(s.embed.Origins) > 0,
		reads:  slices.Contains(s.embed.readers(), site) || site == "" && len(s.embed.readers()) > 0,
		flag:   "--embed-origins " + site,
	}
	if site == "" {
		p.flag = "--embed-origins https://portal.example"
	}
	if site == origin {
		p.listed, p.reads = true, true
	}
	u, err := url.Parse(origin)
	if err != nil {
		return p
	}
	switch addr, err := netip.ParseAddr(u.Hostname()); {
	case u.Hostname() == "localhost" || err == nil && addr.IsLoopback():
		p.near = "Only browsers on this machine reach " + origin + ". For others, put a proxy in front and name it with --public-url."
	case strings.HasPrefix(site, "https:") && u.Scheme == "http":
		p.near = "A page at " + site + " may not show what comes without encryption: serve the console by https, and name that with --public-url."
	}
	return p
}

// why says why a site may not frame the console, and what would let it.
func (p sitePolicy) why() string {
	if p.site == "" {
		return "No site may show this console. Start it with " + p.flag + " to let one."
	}
	return "Pages of " + p.site + " may not show this console. Start it with " + p.flag + " to let them."
}

const gatedWhy = "This console asks everybody for a token, and a page of another site has none. Use the element with a token from your portal's server."

// snippets are what to write in the page of a site. One that would not work has
// a reason instead.
func (s *Server) snippets(p sitePolicy, of sharedThing, what shape) []views.Snippet {
	src := p.at + embedRoot + "/" + what.resource
	part := p.at + fragmentRoot + "/" + what.resource
	script := `<script src="` + p.at + static.URL("", "embed.js") + `" integrity="` + static.Integrity("embed.js") + `" crossorigin="anonymous"></script>`
	title := attribute(what.label)
	frame := views.Snippet{ID: "iframe", Title: "Frame", About: "For any page that takes HTML.", Near: p.near}
	element := views.Snippet{ID: "element", Title: "Element", About: "A frame as high as what it shows, in your page's colours.", Near: p.near}
	fragment := views.Snippet{ID: "fragment", Title: "Fragment", About: "Part of your page, read by htmx; a server may include the same address.", Near: p.near}
	switch {
	case !p.listed:
		frame.Why, element.Why = p.why(), p.why()
	case p.gated:
		frame.Why = gatedWhy
		element.About = "Your server answers renew with what POST " + p.at + "/api/v1/embed-tokens said; see the guide."
		element.Code = script + "\n<wave-embed renew=\"/wave-token?resource=" + what.resource + "\" title=\"" + title + "\"></wave-embed>"
	default:
		frame.Code = frameHTML(src, what.label, frameWidth, frameHeight(what.kind))
		element.Code = script + "\n<wave-embed src=\"" + attribute(src) + "\" title=\"" + title + "\"></wave-embed>"
	}
	switch {
	case p.gated:
		fragment.Why = gatedWhy
	case !p.reads:
		fragment.Why = p.why()
		if p.listed {
			fragment.Why = "Pages of " + p.site + " may frame this console and not read it. Add them to --cors-origins."
		}
	default:
		fragment.Code = `<link rel="stylesheet" href="` + p.at + static.URL("", "fragment.css") + `" integrity="` + static.Integrity("fragment.css") + "\" crossorigin=\"anonymous\">\n" +
			`<div hx-get="` + attribute(part) + `" hx-trigger="load, every 15s"></div>`
	}
	list := []views.Snippet{frame, element, fragment}
	if of.pipeline == "" {
		return list
	}
	badge := views.Snippet{ID: "badge", Title: "Badge", About: "For a README. It tells the last run.", Near: p.near}
	if p.gated {
		badge.Why = "This console asks everybody for a token, and who shows a README has none."
	} else {
		image := p.at + badgeRoot + "/" + of.resource() + ".svg"
		badge.Code = fmt.Sprintf("[![%s](%s)](%s)", bracketless(of.pipeline), image, p.at+"/"+of.resource())
	}
	return append(list, badge)
}

// bracketless keeps a name from ending the text of a Markdown link.
func bracketless(name string) string {
	return strings.NewReplacer("[", `\[`, "]", `\]`, "\\", `\\`, "\n", " ").Replace(name)
}

// shareable gives a page what leads to showing it elsewhere.
func (s *Server) shareable(r *http.Request, c *views.Chrome, of sharedThing) {
	at := s.origin(r)
	c.Share = s.paths.Share(of.resource(), nil)
	c.OEmbed = at + s.paths.OEmbed(at+string(s.paths)+"/"+of.resource())
}

// gated reports whether everybody is asked for a token.
func (s *Server) gated() bool { return s.gate.on }
